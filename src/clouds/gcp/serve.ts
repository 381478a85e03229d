import path from "node:path";
import { isSameSecret } from "../../core/constant-time.js";
import type {
  CloudEndpoint,
  EndpointAnswer,
  EndpointPlace,
  EndpointQuestion,
  EndpointRefusal,
} from "../../core/endpoint.js";
import type { GcpSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import { grantSecret } from "../grant-secret.js";
import { credentialsFile, SECRET_HEADER, SUBJECT_PATH, subjectTokenOf, TOKEN_PATH } from "./credentials-file.js";
import { serveMetadata } from "./metadata.js";
import { answerToken, refuseToken } from "./token-exchange.js";

const CREDENTIALS_FILE = "google-credentials.json";
const ACCESS_TOKEN_FILE = "google-access-token";

/**
 * Google's libraries read the credentials file and trade tokens at the endpoint; gcloud takes no such file without an
 * impersonation URL, and reads the token itself from a file that is replaced at each renewal.
 */
export function serveGcp(settings: GcpSettings, runtime: Pick<Runtime, "now">): CloudEndpoint {
  return {
    cloud: "gcp",
    variables: (place) => ({
      GOOGLE_APPLICATION_CREDENTIALS: path.join(place.dir, CREDENTIALS_FILE),
      CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: path.join(place.dir, ACCESS_TOKEN_FILE),
    }),
    files: (place, grant) => ({
      [CREDENTIALS_FILE]: credentialsFile(settings, place),
      [ACCESS_TOKEN_FILE]: grantSecret(grant, "token").value,
    }),
    authorize,
    answer(question, grant, place) {
      if (question.path === TOKEN_PATH) return answerToken(question, grant, settings, runtime);
      if (question.path === SUBJECT_PATH) return answerSubject(question, place);
      return { reason: "unknown-path", message: "there is nothing of Google's here" };
    },
    refuse: (question, refusal) => (question.path === SUBJECT_PATH ? refuseSubject(refusal) : refuseToken(refusal)),
    ...(settings.metadata && { metadata: serveMetadata(settings, runtime) }),
  };
}

function authorize({ path: asked, headers, body }: EndpointQuestion, place: EndpointPlace): boolean {
  // What is asked for a token carries no header of ours: the subject token, which only the header's bearer was given.
  if (asked !== TOKEN_PATH) return isSameSecret(headers[SECRET_HEADER] ?? "", place.secret.reveal());
  return isSameSecret(new URLSearchParams(body).get("subject_token") ?? "", subjectTokenOf(place));
}

function answerSubject({ method }: EndpointQuestion, place: EndpointPlace): EndpointAnswer | EndpointRefusal {
  if (method !== "GET") return { reason: "bad-request", message: "a subject token is read with GET" };
  return { status: 200, headers: { "content-type": "text/plain" }, body: subjectTokenOf(place) };
}

/** As text, which the libraries show as it is. */
function refuseSubject(refusal: EndpointRefusal): EndpointAnswer {
  const { status } = refuseToken(refusal);
  return { status, headers: { "content-type": "text/plain" }, body: `agentctl: ${refusal.message}` };
}
