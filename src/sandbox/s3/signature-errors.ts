import type { SignatureFault } from "../iam/signature.js";
import { WireError } from "../wire-error.js";

/** S3's own words for what is wrong with a signature. */
export function explainS3Signature(fault: SignatureFault): WireError {
  switch (fault) {
    case "unsigned":
      return new WireError(403, "AccessDenied", "Access Denied");
    case "unsupported":
      return new WireError(
        400,
        "InvalidRequest",
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256 in a header.",
      );
    case "incomplete":
    case "wrong scope":
    case "wrong region":
      return new WireError(
        400,
        "AuthorizationHeaderMalformed",
        "The authorization header that you provided is not valid.",
      );
    case "unknown key":
      return new WireError(
        403,
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
      );
    case "wrong token":
      return new WireError(400, "InvalidToken", "The provided token is malformed or otherwise invalid.");
    case "expired token":
      return new WireError(400, "ExpiredToken", "The provided token has expired.");
    case "too early":
    case "too late":
      return new WireError(
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
      );
    case "wrong payload hash":
      return new WireError(
        400,
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    case "mismatch":
      return new WireError(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      );
  }
}
