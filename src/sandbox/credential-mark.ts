import { createHash } from "node:crypto";
import { readBearer } from "./bearer.js";
import type { ServiceRequest } from "./service.js";

/**
 * What the log knows a request's credential by: 16 hex digits of the SHA-256 of its access key id or bearer token, so
 * that two credentials of one principal can be told apart. Undefined where the request carries neither.
 */
export function markCredential(request: Pick<ServiceRequest, "headers">): string | undefined {
  const credential = readAccessKeyId(request) ?? readBearer(request);
  return credential && createHash("sha256").update(credential).digest("hex").slice(0, 16);
}

function readAccessKeyId({ headers }: Pick<ServiceRequest, "headers">): string | undefined {
  return /^AWS4-HMAC-SHA256 .*?Credential=([^/,\s]+)\//.exec(headers["authorization"] ?? "")?.[1];
}
