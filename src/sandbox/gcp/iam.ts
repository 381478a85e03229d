import { type ApiAttributes, evaluateExpression } from "./cel.js";
import type { GcpContext } from "./context.js";
import type { GcpResource } from "./policy/holder.js";
import type { GcpAuthorizingService } from "./policy/live-policies.js";
import { type GooglePrincipal, membersOf } from "./principal.js";
import { roleGrants } from "./roles.js";

export interface PermissionQuestion {
  readonly principal: GooglePrincipal;
  readonly permission: string;
  /** Whose policy, with those above it, says so. */
  readonly holder: string;
  /** What a condition is asked about: the holder itself, or something in it. */
  readonly resource: GcpResource;
  /** Who asks, which has its own time and learns of changes in its own time. */
  readonly service: GcpAuthorizingService;
  readonly api?: ApiAttributes;
}

/** Whether a binding that counts now gives the principal the permission, its condition being true. */
export function isAllowed(context: Pick<GcpContext, "world" | "policies" | "now">, asked: PermissionQuestion): boolean {
  const { principal, permission, holder, resource, service, api } = asked;
  const members = membersOf(principal);
  const values = { resource, request: { time: new Date(context.now(service)) } };
  return context.policies
    .countingFor(service, holder)
    .some(
      ({ role, members: named, condition }) =>
        roleGrants(role, permission, context.world.roles) &&
        named.some((member) => members.has(member)) &&
        (condition === undefined || evaluateExpression(condition.expression, values, api) === true),
    );
}
