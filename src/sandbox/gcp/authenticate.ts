import { readBearer } from "../bearer.js";
import type { ServiceName, ServiceRequest, TakeNotes } from "../service.js";
import type { GcpContext } from "./context.js";
import { nameOf } from "./principal.js";
import type { GoogleAccess } from "./token-store.js";

export type TokenProblem = "no token" | "unknown token" | "expired token";

/** What the bearer of the request's token may do, or why it is nobody's. */
export function authenticate(
  request: ServiceRequest,
  service: ServiceName,
  context: GcpContext,
  note: TakeNotes,
): GoogleAccess | TokenProblem {
  const token = readBearer(request);
  if (token === undefined) return "no token";
  const access = context.tokens.find(token);
  if (access === undefined) return "unknown token";
  note({ principal: nameOf(access.principal) });
  return access.expiresAt > context.now(service) ? access : "expired token";
}
