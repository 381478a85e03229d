import { formatInstant } from "../../core/durations.js";
import { jsonAnswer } from "../json-answer.js";
import type { Service, ServiceAnswer, ServiceRequest, TakeNotes } from "../service.js";
import { authenticate } from "./authenticate.js";
import type { GcpContext } from "./context.js";
import { GOOGLE_FAILURES, GoogleApiError, googleApiRefusal, unauthenticated } from "./google-error.js";
import { isGranted } from "./iam.js";
import { CLOUD_PLATFORM, type GoogleAccess } from "./token-store.js";

const PATH = /^\/v1\/projects\/-\/serviceAccounts\/([^/]+):generateAccessToken$/;
const PERMISSION = "iam.serviceAccounts.getAccessToken";
const NEEDED_SCOPES = [CLOUD_PLATFORM, "https://www.googleapis.com/auth/iam"];
const SCOPE_PREFIX = "https://www.googleapis.com/auth/";
/** Without an organization's policy that allows twelve hours. */
const LONGEST_LIFE_SECONDS = 3600;

/** Google's IAM Credentials: a service account's token for whoever is bound to it. */
export function createIamCredentialsService(context: GcpContext): Service {
  return {
    name: "iamcredentials",
    failures: GOOGLE_FAILURES,
    nameOperation: ({ method, path }) =>
      method === "POST" && PATH.test(decode(path)) ? "GenerateAccessToken" : "unknown",
    answer: async (request, operation, note) => {
      if (operation === "unknown") throw new GoogleApiError(404, "NOT_FOUND", "Method not found.");
      return generateAccessToken(request, context, note);
    },
    refuse: googleApiRefusal,
  };
}

function generateAccessToken(request: ServiceRequest, context: GcpContext, note: TakeNotes): ServiceAnswer {
  const email = PATH.exec(decode(request.path))?.[1] ?? "";
  note({ parameters: { serviceAccount: email } });
  const caller = readCaller(request, context, note);
  const { scopes, lifeSeconds, lifetime } = readBody(request);
  note({ parameters: { serviceAccount: email, scope: scopes, lifetime } });
  const bindings = context.world.serviceAccounts[email];
  if (bindings === undefined) {
    throw new GoogleApiError(404, "NOT_FOUND", `Not found; Gaia id not found for email ${email}`);
  }
  const now = context.now("iamcredentials");
  const name = `projects/-/serviceAccounts/${email}`;
  const resource = { name, type: "iam.googleapis.com/ServiceAccount", service: "iam.googleapis.com" };
  if (!isGranted([...bindings, ...context.world.bindings], caller.principal, PERMISSION, resource, now)) {
    const text = `Permission '${PERMISSION}' denied on resource (or it may not exist).`;
    throw new GoogleApiError(403, "PERMISSION_DENIED", text, "IAM_PERMISSION_DENIED", { permission: PERMISSION });
  }
  // Google counts in whole seconds.
  const expiresAt = Math.floor(now / 1000 + lifeSeconds) * 1000;
  const accessToken = context.tokens.issue({ principal: { kind: "service account", email }, scopes, expiresAt }, now);
  return jsonAnswer({ accessToken, expireTime: formatInstant(expiresAt) });
}

function readCaller(request: ServiceRequest, context: GcpContext, note: TakeNotes): GoogleAccess {
  const caller = authenticate(request, "iamcredentials", context, note);
  if (typeof caller === "string") {
    throw unauthenticated(caller === "no token" ? "CREDENTIALS_MISSING" : "ACCESS_TOKEN_EXPIRED");
  }
  if (caller.boundary !== undefined) throw unauthenticated("ACCESS_TOKEN_TYPE_UNSUPPORTED");
  if (caller.scopes.some((scope) => NEEDED_SCOPES.includes(scope))) return caller;
  const text = "Request had insufficient authentication scopes.";
  throw new GoogleApiError(403, "PERMISSION_DENIED", text, "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
}

interface GenerateRequest {
  readonly scopes: readonly string[];
  readonly lifetime: string;
  readonly lifeSeconds: number;
}

function readBody(request: ServiceRequest): GenerateRequest {
  const body = parseObject(request.body.toString("utf8"));
  const scopes = [body["scope"] ?? []].flat();
  if (scopes.length === 0) throw invalidArgument("Scope required.");
  const unknown = scopes.find((scope) => !isScope(scope));
  if (unknown !== undefined) throw invalidArgument(`Some requested scopes were invalid: ${String(unknown)}`);
  const lifetime = body["lifetime"] ?? `${LONGEST_LIFE_SECONDS}s`;
  const seconds = typeof lifetime === "string" ? /^(\d+(?:\.\d{1,9})?)s$/.exec(lifetime)?.[1] : undefined;
  if (seconds === undefined) {
    throw invalidArgument(`Invalid value at 'lifetime' (type.googleapis.com/google.protobuf.Duration), ${lifetime}`);
  }
  const lifeSeconds = Number(seconds);
  if (lifeSeconds <= 0 || lifeSeconds > LONGEST_LIFE_SECONDS) {
    throw invalidArgument(`The access token lifetime must be between 0s and ${LONGEST_LIFE_SECONDS}s.`);
  }
  return { scopes: scopes.map(String), lifetime: String(lifetime), lifeSeconds };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text === "" ? "{}" : text) as unknown;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Refused below, as what is no object is.
  }
  throw invalidArgument("Invalid JSON payload received.");
}

function invalidArgument(text: string): GoogleApiError {
  return new GoogleApiError(400, "INVALID_ARGUMENT", text);
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Google's own, and OpenID Connect's, which gcloud asks for. */
function isScope(scope: unknown): boolean {
  return typeof scope === "string" && (scope.startsWith(SCOPE_PREFIX) || scope === "openid" || scope === "email");
}
