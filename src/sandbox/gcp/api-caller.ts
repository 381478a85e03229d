import type { ServiceName, ServiceRequest, TakeNotes } from "../service.js";
import { authenticate } from "./authenticate.js";
import type { GcpContext } from "./context.js";
import { GoogleApiError, unauthenticated } from "./google-error.js";
import { CLOUD_PLATFORM, type GoogleAccess } from "./token-store.js";

/** Scopes of IAM and of the services that are managed by it. */
export const MANAGING_SCOPES = [CLOUD_PLATFORM, "https://www.googleapis.com/auth/iam"];

/**
 * The bearer of a token that is good for one of Google's APIs other than Cloud Storage.
 * @param scopes those of which the token needs one
 */
export function readApiCaller(
  request: ServiceRequest,
  service: ServiceName,
  scopes: readonly string[],
  context: GcpContext,
  note: TakeNotes,
): GoogleAccess {
  const caller = authenticate(request, service, context, note);
  if (typeof caller === "string") {
    throw unauthenticated(caller === "no token" ? "CREDENTIALS_MISSING" : "ACCESS_TOKEN_EXPIRED");
  }
  // An access boundary is for Cloud Storage alone.
  if (caller.boundary !== undefined) throw unauthenticated("ACCESS_TOKEN_TYPE_UNSUPPORTED");
  if (caller.scopes.some((scope) => scopes.includes(scope))) return caller;
  const text = "Request had insufficient authentication scopes.";
  throw new GoogleApiError(403, "PERMISSION_DENIED", text, "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
}
