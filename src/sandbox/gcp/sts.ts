import { jsonAnswer } from "../json-answer.js";
import type { Service, ServiceAnswer, ServiceRequest, TakeNotes } from "../service.js";
import { WireError } from "../wire-error.js";
import { mapAttributes } from "./attributes.js";
import { readBoundary } from "./boundary.js";
import type { GcpContext } from "./context.js";
import { GOOGLE_FAILURES, googleApiRefusal } from "./google-error.js";
import { nameOf } from "./principal.js";
import { invalidGrant, verifySubjectToken } from "./subject-token.js";

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKENS = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];
const PROVIDER =
  /^\/\/iam\.googleapis\.com\/((projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]+)\/providers\/[a-z0-9-]+)$/;
const LIFE_SECONDS = 3599;

type Parameters = Readonly<Record<string, string>>;

/** Google's Security Token Service: an ID token for a federated one, and an access token for one within a boundary. */
export function createGcpStsService(context: GcpContext): Service {
  return {
    name: "gcp-sts",
    failures: GOOGLE_FAILURES,
    nameOperation: (request) => {
      if (request.method !== "POST" || request.path !== "/v1/token") return "unknown";
      return readParameters(request)["subject_token_type"] === ACCESS_TOKEN ? "Downscope" : "ExchangeToken";
    },
    answer: async (request, operation, note) => {
      if (operation === "unknown") throw new WireError(404, "NOT_FOUND", "Method not found.");
      const parameters = readParameters(request);
      if (parameters["grant_type"] !== GRANT_TYPE) throw invalidRequest('Invalid value for "grant_type".');
      if (parameters["requested_token_type"] !== ACCESS_TOKEN) {
        throw invalidRequest('Invalid value for "requested_token_type".');
      }
      if (operation === "Downscope") return downscope(parameters, context, note);
      return federate(parameters, context, note);
    },
    // A failure of the front end comes as any Google API's.
    refuse: (error) =>
      /^[A-Z_]+$/.test(error.code)
        ? googleApiRefusal(error)
        : jsonAnswer({ error: error.code, error_description: error.message }, error.status),
  };
}

async function federate(parameters: Parameters, context: GcpContext, note: TakeNotes): Promise<ServiceAnswer> {
  const { audience = "", scope = "", subject_token: token = "", subject_token_type: type = "" } = parameters;
  note({ parameters: { audience, scope } });
  const [, name = "", pool = ""] = PROVIDER.exec(audience) ?? [];
  if (name === "") {
    throw invalidRequest(
      'Invalid value for "audience". This value should be the full resource name of the Identity Provider. See https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the list of possible formats.',
    );
  }
  if (!ID_TOKENS.includes(type)) throw invalidRequest('Invalid value for "subject_token_type".');
  const scopes = scope.split(/[ ,+]+/).filter((one) => one !== "");
  if (scopes.length === 0) throw new WireError(400, "invalid_scope", 'Invalid value for "scope".');
  const provider = context.world.providers[name];
  if (provider === undefined) {
    throw new WireError(
      400,
      "invalid_target",
      'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn\'t exist.',
    );
  }
  const now = context.now("gcp-sts");
  const claims = await verifySubjectToken(token, name, provider, context.issuer, now);
  note({ principal: claims.sub ?? "" });
  const principal = mapAttributes(claims, pool, provider);
  note({ principal: nameOf(principal) });
  const issued = context.tokens.issue({ principal, scopes, expiresAt: now + LIFE_SECONDS * 1000 }, now);
  return answerWith(issued, LIFE_SECONDS);
}

/** The new token ends with the old; Google says when only where the old one is a service account's. */
function downscope(parameters: Parameters, context: GcpContext, note: TakeNotes): ServiceAnswer {
  const now = context.now("gcp-sts");
  const source = context.tokens.find(parameters["subject_token"] ?? "");
  if (source === undefined || source.expiresAt <= now) throw invalidGrant("Invalid value for subject_token.");
  note({ principal: nameOf(source.principal) });
  const boundary = readBoundary(parameters["options"] ?? "");
  if (typeof boundary === "string") throw invalidRequest(boundary);
  if (source.boundary !== undefined) throw invalidRequest("The subject token has an access boundary already.");
  note({ parameters: { availableResources: boundary.map((rule) => rule.availableResource) } });
  const issued = context.tokens.issue({ ...source, boundary }, now);
  const isServiceAccount = source.principal.kind === "service account";
  return answerWith(issued, isServiceAccount ? Math.floor((source.expiresAt - now) / 1000) : undefined);
}

function answerWith(token: string, expiresInSeconds: number | undefined): ServiceAnswer {
  return jsonAnswer({
    access_token: token,
    issued_token_type: ACCESS_TOKEN,
    token_type: "Bearer",
    ...(expiresInSeconds !== undefined && { expires_in: expiresInSeconds }),
  });
}

/** A form, or JSON, whose names are then in camel case. */
function readParameters(request: ServiceRequest): Parameters {
  const text = request.body.toString("utf8");
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? "")) {
    return Object.fromEntries(new URLSearchParams(text));
  }
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return Object.fromEntries(entries.map(([name, value]) => [toSnakeCase(name), String(value)]));
  } catch {
    return {};
  }
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function invalidRequest(text: string): WireError {
  return new WireError(400, "invalid_request", text);
}
