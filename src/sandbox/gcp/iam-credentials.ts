import { formatInstant } from "../../core/durations.js";
import { jsonAnswer } from "../json-answer.js";
import type { Service, ServiceAnswer, ServiceRequest, TakeNotes } from "../service.js";
import { MANAGING_SCOPES, readApiCaller } from "./api-caller.js";
import type { GcpContext } from "./context.js";
import { decodePath } from "./decode-path.js";
import { GOOGLE_FAILURES, GoogleApiError, googleApiRefusal } from "./google-error.js";
import { isAllowed } from "./iam.js";
import { invalidArgument, readJsonBody } from "./json-body.js";
import { permissionDenied } from "./permission-denied.js";
import { holderOf } from "./policy/holder.js";

const PATH = /^\/v1\/projects\/-\/serviceAccounts\/([^/]+):generateAccessToken$/;
const PERMISSION = "iam.serviceAccounts.getAccessToken";
const SCOPE_PREFIX = "https://www.googleapis.com/auth/";
/** Without an organization's policy that allows twelve hours. */
const LONGEST_LIFE_SECONDS = 3600;

/** Google's IAM Credentials: a service account's token for whoever is bound to it. */
export function createIamCredentialsService(context: GcpContext): Service {
  return {
    name: "iamcredentials",
    failures: GOOGLE_FAILURES,
    nameOperation: ({ method, path }) =>
      method === "POST" && PATH.test(decodePath(path)) ? "GenerateAccessToken" : "unknown",
    answer: async (request, operation, note) => {
      if (operation === "unknown") throw new GoogleApiError(404, "NOT_FOUND", "Method not found.");
      return generateAccessToken(request, context, note);
    },
    refuse: googleApiRefusal,
  };
}

function generateAccessToken(request: ServiceRequest, context: GcpContext, note: TakeNotes): ServiceAnswer {
  const email = PATH.exec(decodePath(request.path))?.[1] ?? "";
  note({ parameters: { serviceAccount: email } });
  const caller = readApiCaller(request, "iamcredentials", MANAGING_SCOPES, context, note);
  const { scopes, lifeSeconds, lifetime } = readBody(request);
  note({ parameters: { serviceAccount: email, scope: scopes, lifetime } });
  const { name: holder, resource } = holderOf("serviceAccount", email);
  if (context.policies.read(holder) === undefined) {
    throw new GoogleApiError(404, "NOT_FOUND", `Not found; Gaia id not found for email ${email}`);
  }
  const asked = { principal: caller.principal, permission: PERMISSION, holder, resource };
  if (!isAllowed(context, { ...asked, service: "iamcredentials" })) throw permissionDenied(PERMISSION);
  const now = context.now("iamcredentials");
  // Google counts in whole seconds.
  const expiresAt = Math.floor(now / 1000 + lifeSeconds) * 1000;
  const accessToken = context.tokens.issue({ principal: { kind: "service account", email }, scopes, expiresAt }, now);
  return jsonAnswer({ accessToken, expireTime: formatInstant(expiresAt) });
}

interface GenerateRequest {
  readonly scopes: readonly string[];
  readonly lifetime: string;
  readonly lifeSeconds: number;
}

function readBody(request: ServiceRequest): GenerateRequest {
  const body = readJsonBody(request);
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

/** Google's own, and OpenID Connect's, which gcloud asks for. */
function isScope(scope: unknown): boolean {
  return typeof scope === "string" && (scope.startsWith(SCOPE_PREFIX) || scope === "openid" || scope === "email");
}
