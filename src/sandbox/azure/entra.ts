import { jsonAnswer } from "../json-answer.js";
import type { Service, ServiceAnswer, ServiceRequest, TakeNotes } from "../service.js";
import { WireError } from "../wire-error.js";
import type { AzureContext } from "./context.js";
import { verifyAssertion } from "./entra-assertion.js";
import { ENTRA_FAILURES, entraError, entraRefusal } from "./entra-errors.js";
import { readResource } from "./entra-scope.js";
import { findApp, objectIdOf } from "./principals.js";

const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const GRANT_TYPE = "client_credentials";

const OPERATIONS: readonly (readonly [RegExp, string])[] = [
  [/^\/[^/]+\/oauth2\/v2\.0\/token$/, "token"],
  [/^\/[^/]+\/v2\.0\/\.well-known\/openid-configuration$/, "openid-configuration"],
  [/^\/[^/]+\/discovery\/v2\.0\/keys$/, "keys"],
];

/** Microsoft Entra's v2.0 endpoint, for applications that prove themselves with a federated assertion. */
export function createEntraService(context: AzureContext): Service {
  return {
    name: "entra",
    failures: ENTRA_FAILURES,
    nameOperation: ({ path }) => OPERATIONS.find(([pattern]) => pattern.test(path))?.[1] ?? "unknown",
    answer: async (request, operation, note) => {
      if (operation === "unknown") throw new WireError(404, "AADSTS90033", "not found");
      const tenant = decodeURIComponent(request.path.split("/")[1] ?? "");
      assertTenant(tenant, context);
      if (operation === "openid-configuration") return jsonAnswer(configurationOf(context));
      if (operation === "keys") return jsonAnswer(await context.tokens.jwks());
      return giveToken(request, context, note);
    },
    refuse: (error, request) => entraRefusal(error, request, context.now("entra")),
  };
}

function assertTenant(tenant: string, { world }: AzureContext): void {
  if ([world.tenantId, world.domain].some((name) => name.toLowerCase() === tenant.toLowerCase())) return;
  throw entraError(
    90002,
    `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
  );
}

async function giveToken(request: ServiceRequest, context: AzureContext, note: TakeNotes): Promise<ServiceAnswer> {
  if (request.method !== "POST") {
    throw entraError(900561, `The endpoint only accepts POST requests. Received a ${request.method} request.`);
  }
  const { world } = context;
  const now = context.now("entra");
  const form = new URLSearchParams(request.body.toString("utf8"));
  const grantType = requireParameter(form, "grant_type");
  const clientId = requireParameter(form, "client_id");
  const scope = requireParameter(form, "scope");
  note({ parameters: { client_id: clientId, scope } });
  if (grantType !== GRANT_TYPE) {
    throw entraError(70003, `The app requested an unsupported grant type '${grantType}'.`);
  }
  const found = findApp(world, clientId);
  if (found === undefined) throw unknownApp(clientId, world.domain);
  const audience = readResource(scope, world.domain);
  const subject = await verifyAssertion(readAssertion(form), found.app, context.issuer, now);
  note({ principal: subject });
  const objectId = objectIdOf(found.id, found.app);
  const lifeSeconds = world.tokenLifeSeconds;
  const terms = { tenantId: world.tenantId, clientId: found.id, objectId, audience, lifeSeconds };
  const token = await context.tokens.issue(terms, now);
  const times = { expires_in: lifeSeconds, ext_expires_in: lifeSeconds };
  const headers = { "cache-control": "no-store, no-cache", "x-ms-request-id": request.requestId };
  return jsonAnswer({ token_type: "Bearer", ...times, access_token: token }, 200, headers);
}

function requireParameter(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (value !== null && value !== "") return value;
  throw entraError(900144, `The request body must contain the following parameter: '${name}'.`);
}

function readAssertion(form: URLSearchParams): string {
  const assertion = form.get("client_assertion");
  if (assertion !== null && form.get("client_assertion_type") === ASSERTION_TYPE) return assertion;
  if (form.has("client_secret")) throw entraError(7000215, "Invalid client secret provided.");
  const text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
  throw entraError(7000218, text);
}

function unknownApp(clientId: string, tenantName: string): WireError {
  return entraError(
    700016,
    `Application with identifier '${clientId}' was not found in the directory '${tenantName}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
  );
}

function configurationOf({ origin, world }: AzureContext): Record<string, unknown> {
  const base = `${origin}/${world.tenantId}`;
  return {
    token_endpoint: `${base}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    jwks_uri: `${base}/discovery/v2.0/keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    issuer: `${base}/v2.0`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
    end_session_endpoint: `${base}/oauth2/v2.0/logout`,
    tenant_region_scope: "EU",
  };
}
