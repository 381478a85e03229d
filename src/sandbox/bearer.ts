import type { ServiceRequest } from "./service.js";

/** The token of an `Authorization: Bearer` header; undefined when there is none. */
export function readBearer(request: Pick<ServiceRequest, "headers">): string | undefined {
  return /^Bearer +(\S+)$/i.exec(request.headers["authorization"] ?? "")?.[1];
}
