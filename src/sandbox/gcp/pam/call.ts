import type { ServiceRequest } from "../../service.js";
import type { GcpContext } from "../context.js";
import { GoogleApiError } from "../google-error.js";
import { isAllowed } from "../iam.js";
import { permissionDenied } from "../permission-denied.js";
import { membersOf } from "../principal.js";
import type { GoogleAccess } from "../token-store.js";
import type { GcpEntitlement } from "../world.js";
import { holderNameOf, type PamGrant } from "./grant.js";
import type { PamGrants } from "./grants.js";
import type { PamTarget } from "./target.js";

/** One request to Privileged Access Manager, and what it is answered by. */
export interface PamCall {
  readonly context: GcpContext;
  readonly grants: PamGrants;
  readonly caller: GoogleAccess;
  readonly target: PamTarget;
  readonly request: ServiceRequest;
  /** Grants by the long running operations that end them. */
  readonly operations: Map<string, string>;
}

export function findEntitlement({ context, target }: PamCall): GcpEntitlement {
  const entitlement = context.world.entitlements[target.entitlement];
  if (entitlement === undefined) throw notFound(target.entitlement);
  return entitlement;
}

export function isEligible({ caller }: PamCall, { eligibleUsers }: GcpEntitlement): boolean {
  const members = membersOf(caller.principal);
  return eligibleUsers.some((member) => members.has(member));
}

export function assertPermission({ context, caller, target }: PamCall, name: string): void {
  const permission = `privilegedaccessmanager.${name}`;
  const resource = { name: target.entitlement, type: "", service: "privilegedaccessmanager.googleapis.com" };
  const asked = { principal: caller.principal, permission, holder: holderNameOf(target.location), resource };
  if (!isAllowed(context, { ...asked, service: "pam" })) throw permissionDenied(permission, target.entitlement);
}

export function mustBeThere(grant: PamGrant | undefined, name: string): PamGrant {
  if (grant === undefined) throw notFound(name);
  return grant;
}

export function notFound(name: string): GoogleApiError {
  return new GoogleApiError(404, "NOT_FOUND", `Resource '${name}' was not found`);
}

export function failedPrecondition(text: string): GoogleApiError {
  return new GoogleApiError(400, "FAILED_PRECONDITION", text);
}
