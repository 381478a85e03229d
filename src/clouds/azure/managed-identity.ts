import { createHmac } from "node:crypto";
import { isSameSecret } from "../../core/constant-time.js";
import type {
  EndpointAnswer,
  EndpointPlace,
  EndpointQuestion,
  EndpointRefusal,
  RefusalReason,
} from "../../core/endpoint.js";
import type { Grant } from "../../core/lease.js";
import type { AzureSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import { Secret } from "../../core/secret.js";
import { findToken } from "./find-token.js";
import { type AzureProtocol, answerJson, refuseWith } from "./protocol.js";

const APP_SERVICE_PATH = "/identity/token";
/** The path's secret is 256 bits in base64url. */
const INSTANCE_PATH = /^\/([\w-]{43})\/token$/;
/** The same answer goes by both; Terraform's provider asks by the newer when ARM_MSI_API_VERSION says so. */
const API_VERSIONS: readonly string[] = ["2018-02-01", "2019-08-01"];
/** What else a managed identity may be named by, which an application of a profile is not. */
const OTHER_NAMES = ["clientid", "object_id", "principal_id", "mi_res_id", "msi_res_id"] as const;

/**
 * 404, 410, 429 and 5xx make the SDKs try again for up to a minute, so that only what passes has one of them; and
 * @azure/identity takes a 403 that says "unreachable" for a broken network.
 */
const STATUSES: Readonly<Record<RefusalReason, number>> = {
  unauthorized: 401,
  stranger: 403,
  "unknown-path": 404,
  "bad-request": 400,
  scope: 400,
  "lease-ended": 403,
  unavailable: 503,
};
const ERRORS: Partial<Record<RefusalReason, string>> = { scope: "invalid_scope", "bad-request": "invalid_request" };
/** azure-core would double its pauses up to two minutes; with this it gives up after ten tries, 20 seconds. */
const RETRY_LATER = { "retry-after": "2" };

type Clock = Pick<Runtime, "now">;

/** App Service's managed identity, 2019-08-01: what each of Azure's SDKs, and `az`, takes first. */
export function appService(settings: AzureSettings, clock: Clock): AzureProtocol {
  return {
    variables: (place) => ({ IDENTITY_ENDPOINT: `${place.url}${APP_SERVICE_PATH}`, IDENTITY_HEADER: place.secret }),
    owns: (path) => path === APP_SERVICE_PATH,
    authorize: ({ headers }, place) => isSameSecret(headers["x-identity-header"] ?? "", place.secret.reveal()),
    answer: (question, grant) => answerToken(question, grant, settings, clock),
    refuse: refuseToken,
  };
}

/**
 * A virtual machine's managed identity, which Terraform's azurerm speaks at an address of its own: it sends no secret
 * in a header, so that the path has one, made of the lease's.
 */
export function instanceMetadata(settings: AzureSettings, clock: Clock): AzureProtocol {
  return {
    variables: (place) => ({
      ARM_MSI_ENDPOINT: new Secret(`${place.url}/${pathSecretOf(place)}/token`),
      ARM_USE_MSI: "true",
      ARM_USE_CLI: "false",
    }),
    owns: (path) => INSTANCE_PATH.test(path),
    authorize: ({ path }, place) => isSameSecret(INSTANCE_PATH.exec(path)?.[1] ?? "", pathSecretOf(place)),
    answer(question, grant) {
      if (question.headers["metadata"]?.toLowerCase() !== "true") {
        return refuseWith("bad-request", "the header Metadata: true is missing");
      }
      return answerToken(question, grant, settings, clock);
    },
    refuse: refuseToken,
  };
}

function pathSecretOf({ secret }: EndpointPlace): string {
  return createHmac("sha256", secret.reveal()).update("azure: the path of ARM_MSI_ENDPOINT").digest("base64url");
}

function answerToken(
  question: EndpointQuestion,
  grant: Grant,
  { clientId }: AzureSettings,
  clock: Clock,
): EndpointAnswer | EndpointRefusal {
  const resource = question.query.get("resource");
  const fault = findFault(question) ?? findOtherIdentity(question, clientId);
  if (fault !== undefined) return fault;
  if (resource === null || resource === "") return refuseWith("bad-request", "the parameter resource is missing");
  const token = findToken(resource, grant);
  if ("reason" in token) return token;
  return answerJson(200, {
    access_token: token.value.reveal(),
    client_id: clientId,
    expires_in: String(Math.max(0, Math.floor((token.usableUntil - clock.now()) / 1000))),
    expires_on: String(Math.floor(token.usableUntil / 1000)),
    // As it was asked for: MSAL looks the token up by this.
    resource,
    token_type: "Bearer",
  });
}

function findFault({ method, query }: EndpointQuestion): EndpointRefusal | undefined {
  if (method !== "GET") return refuseWith("bad-request", "a token is asked for with GET");
  if (API_VERSIONS.includes(query.get("api-version") ?? "")) return undefined;
  return refuseWith("bad-request", `the parameter api-version is none of ${API_VERSIONS.join(", ")}`);
}

/** SDKs that find AZURE_CLIENT_ID ask for that identity by its name, others for whichever there is. */
function findOtherIdentity({ query }: EndpointQuestion, clientId: string): EndpointRefusal | undefined {
  const asked = query.get("client_id");
  const isOther = asked !== null && asked.toLowerCase() !== clientId.toLowerCase();
  if (!isOther && !OTHER_NAMES.some((name) => query.has(name))) return undefined;
  return refuseWith("scope", `no identity but application ${clientId} is served: ask with its client id, or with none`);
}

/** App Service's words and OAuth's: msal for Python shows the former, terraform all, and msal-node either. */
function refuseToken({ reason, message }: EndpointRefusal): EndpointAnswer {
  const status = STATUSES[reason];
  const error = ERRORS[reason] ?? reason;
  const body = { statusCode: status, message, error, error_description: message };
  return answerJson(status, body, reason === "unavailable" ? RETRY_LATER : {});
}
