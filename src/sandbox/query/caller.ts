import type { Session, SessionStore } from "../iam/sessions.js";
import { isoBasic, type SignatureFault, type SigningScope, verifySignature } from "../iam/signature.js";
import type { ServiceRequest } from "../service.js";
import { WireError } from "../wire-error.js";

/**
 * Whose call it is.
 * @throws {WireError} in the words of the Query protocol's services
 */
export async function findCaller(
  request: ServiceRequest,
  scope: SigningScope,
  sessions: SessionStore,
  now: number,
): Promise<Session> {
  const result = await verifySignature(request, scope, sessions, now);
  if ("session" in result) return result.session;
  throw explainFault(result.fault, request, scope, now);
}

function explainFault(fault: SignatureFault, request: ServiceRequest, scope: SigningScope, now: number): WireError {
  const signed = request.headers["x-amz-date"] ?? "";
  switch (fault) {
    case "unsigned":
      return new WireError(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
    case "incomplete":
    case "unsupported":
      return new WireError(
        400,
        "IncompleteSignature",
        "Request must contain a signature that conforms to AWS standards",
      );
    case "unknown key":
    case "wrong token":
      return new WireError(403, "InvalidClientTokenId", "The security token included in the request is invalid.");
    case "expired token":
      return new WireError(403, "ExpiredToken", "The security token included in the request is expired");
    case "wrong scope":
      return mismatch(`Credential should be scoped to correct service: '${scope.service}'. `);
    case "wrong region":
      return mismatch("Credential should be scoped to a valid region. ");
    case "too late": {
      const limit = isoBasic(now - 15 * 60_000);
      return mismatch(`Signature expired: ${signed} is now earlier than ${limit} (${isoBasic(now)} - 15 min.)`);
    }
    case "too early": {
      const limit = isoBasic(now + 15 * 60_000);
      return mismatch(`Signature not yet current: ${signed} is still later than ${limit} (${isoBasic(now)} + 15 min.)`);
    }
    case "wrong payload hash":
    case "mismatch":
      return mismatch(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
      );
  }
}

function mismatch(message: string): WireError {
  return new WireError(403, "SignatureDoesNotMatch", message);
}
