import path from "node:path";
import { isSameSecret } from "../../core/constant-time.js";
import { formatInstant } from "../../core/durations.js";
import type {
  CloudEndpoint,
  EndpointAnswer,
  EndpointQuestion,
  EndpointRefusal,
  RefusalReason,
} from "../../core/endpoint.js";
import type { Grant } from "../../core/lease.js";
import { grantSecret } from "../grant-secret.js";

const TOKEN_FILE = "aws-endpoint-token";

/** The SDKs that look at the status try again on 5xx alone; botocore and the SDK for JavaScript do so three times on any. */
const STATUS: Readonly<Record<RefusalReason, number>> = {
  unauthorized: 401,
  stranger: 403,
  "unknown-path": 404,
  "bad-request": 400,
  scope: 403,
  "lease-ended": 403,
  unavailable: 503,
};
const CODE: Readonly<Record<RefusalReason, string>> = {
  unauthorized: "Unauthorized",
  stranger: "AccessDenied",
  "unknown-path": "NotFound",
  "bad-request": "InvalidRequest",
  scope: "AccessDenied",
  "lease-ended": "LeaseEnded",
  unavailable: "ServiceUnavailable",
};

/**
 * The container credentials protocol, as every AWS SDK reads it from AWS_CONTAINER_CREDENTIALS_FULL_URI:
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
export function serveAws(): CloudEndpoint {
  return {
    cloud: "aws",
    variables: (place) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: place.url,
      // Never the token itself in the environment: where both are set, some SDKs take that one.
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: path.join(place.dir, TOKEN_FILE),
    }),
    // botocore sends the file's text as a header, verbatim, and refuses one that ends in a newline.
    files: (place) => ({ [TOKEN_FILE]: place.secret }),
    authorize: ({ headers }, place) => isSameSecret(headers["authorization"] ?? "", place.secret.reveal()),
    answer: answerAws,
    refuse: (_question, refusal) => refuseAws(refusal),
  };
}

function answerAws({ method, path: asked }: EndpointQuestion, grant: Grant): EndpointAnswer | EndpointRefusal {
  if (asked !== "") return { reason: "unknown-path", message: "AWS credentials are not here" };
  if (method !== "GET") return { reason: "bad-request", message: "AWS credentials are read with GET" };
  const reveal = (name: string): string => grantSecret(grant, name).value.reveal();
  return answerJson(200, {
    AccessKeyId: reveal("accessKeyId"),
    SecretAccessKey: reveal("secretAccessKey"),
    Token: reveal("sessionToken"),
    // Of the fence, not of STS: after it the keys are denied everything.
    Expiration: formatInstant(grant.usableUntil),
    AccountId: grant.principal.split(":")[4],
    RoleArn: grant.facts["role"],
  });
}

function refuseAws({ reason, message }: EndpointRefusal): EndpointAnswer {
  return answerJson(STATUS[reason], { code: CODE[reason], message: `agentctl: ${message}` });
}

function answerJson(status: number, value: unknown): EndpointAnswer {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}
