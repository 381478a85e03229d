import { findPrincipal } from "../principals.js";
import { findRole } from "../roles.js";
import type { AzureWorld } from "../world.js";
import type { AssignmentKey } from "./assignments.js";
import { roleIdAt } from "./role-definitions.js";

/** What Privileged Identity Management says of each id, for a reader. */
export function expandKey({ scope, roleId, principalId }: AssignmentKey, world: AzureWorld): unknown {
  return {
    scope: { id: scope, displayName: scope.split("/").at(-1) ?? "", type: typeOf(scope) },
    roleDefinition: { id: roleIdAt(scope, roleId), displayName: findRole(roleId)?.name ?? "", type: "BuiltInRole" },
    principal: {
      id: principalId,
      displayName: findPrincipal(world, principalId)?.app.name ?? "",
      type: "ServicePrincipal",
    },
  };
}

function typeOf(scope: string): string {
  const [, kind, , group, , , provider, type] = scope.split("/");
  if (kind?.toLowerCase() !== "subscriptions") return "managementgroup";
  if (provider !== undefined) return `${provider}/${type ?? ""}`;
  return group === undefined ? "subscription" : "resourcegroup";
}
