import { AgentctlError } from "../../../core/errors.js";
import { fieldOf } from "../../exchange/wire.js";
import { type Arm, senseless } from "./arm.js";
import { azureCodeOf } from "./arm-service.js";
import { nameTarget } from "./names.js";
import { isAction, isOnData, type PermissionSet, readSet } from "./permission-sets.js";
import type { Readiness } from "./rights-settings.js";
import { definitionPath, resolveRole } from "./role-definitions.js";

const API = { "api-version": "2022-04-01" };
const UNKNOWN: readonly string[] = ["RoleDefinitionDoesNotExist", "RoleNotFound"];
const MANAGEMENT_GROUP = /^\/providers\/Microsoft\.Management\//i;
/** By which whoever has it for a while can have rights for good: by an assignment, or by widening a role. */
const LASTING = [
  ...["roleAssignments", "roleAssignmentScheduleRequests", "roleEligibilityScheduleRequests", "roleDefinitions"].map(
    (kind) => `Microsoft.Authorization/${kind}/write`,
  ),
  "Microsoft.Authorization/elevateAccess/action",
];

/** One of the assignments, with what its role's definition says. */
export interface GivenRole {
  /** As the profile has it. */
  readonly role: string;
  readonly scope: string;
  readonly definitionId: string;
  readonly sets: readonly PermissionSet[];
}

/**
 * The role that is to be assigned, read as the granter.
 * @throws {AgentctlError} CONFIG_INVALID where there is none, or it lets the command give itself what outlasts the lease;
 *   as `Arm` does
 */
export async function readGivenRole(
  arm: Arm,
  { role, scope }: { readonly role: string; readonly scope: string },
): Promise<GivenRole> {
  const definitionId = await resolveRole(arm, { role, scope });
  const definition = await readDefinition(arm, { role, scope, definitionId });
  const permissions = fieldOf(fieldOf(definition, "properties"), "permissions");
  // What a role grants that is not told must not be taken for nothing.
  const sets = Array.isArray(permissions) ? permissions.map(readSet) : senseless("a role's definition");
  const given = { role, scope, definitionId, sets };
  assertEnds(given);
  return given;
}

/**
 * Those of the permissions that the roles grant on data. By its name alone a permission is of either kind, and Reader's
 * pattern for reading anything is not one for what is in a blob.
 */
export function findOnData({ permissions }: Readiness, roles: readonly GivenRole[]): readonly string[] {
  return permissions.filter((permission) => roles.some(({ sets }) => sets.some((set) => isOnData(permission, set))));
}

/** Those of the permissions that no role grants where they are waited for, so that they can only come from elsewhere. */
export function findUngiven({ permissions, at }: Readiness, roles: readonly GivenRole[]): readonly string[] {
  const sets = roles.filter(({ scope }) => reaches(scope, at)).flatMap((role) => role.sets);
  return permissions.filter(
    (permission) => !sets.some((set) => isAction(permission, set) || isOnData(permission, set)),
  );
}

/**
 * Nobody waits for what nobody gives, such as a permission that is misspelt.
 * @throws {AgentctlError} CONFIG_INVALID where there is one among those that the application has not by other means
 */
export function assertGiven(
  ungiven: readonly string[],
  { at }: Pick<Readiness, "at">,
  roles: readonly GivenRole[],
  clientId: string,
): void {
  if (ungiven.length === 0) return;
  const what = ungiven.join(", ");
  const reaching = roles.filter(({ scope }) => reaches(scope, at)).map(nameTarget);
  const verb = reaching.length === 1 ? "does not contain" : "do not contain";
  const why =
    reaching.length === 0
      ? `nothing of azure.assignments is given at ${at}, where azure.ready waits for ${what}`
      : `${reaching.join(" and ")} ${verb} ${what}, which azure.ready waits for at ${at}`;
  const it = ungiven.length === 1 ? "it" : "them";
  throw new AgentctlError("CONFIG_INVALID", `${why}, and application ${clientId} does not have ${it} otherwise`, {
    hint: `check azure.ready: a permission may be misspelt; give a role that contains ${it}, or leave ${it} out`,
    facts: { permissions: ungiven, at, client: clientId },
  });
}

async function readDefinition(arm: Arm, { role, scope, definitionId }: Omit<GivenRole, "sets">): Promise<unknown> {
  try {
    return await arm.get(definitionPath(scope, definitionId), API, `read the role ${role} of ${scope}`);
  } catch (thrown) {
    if (!UNKNOWN.includes(azureCodeOf(thrown) ?? "")) throw thrown;
    throw new AgentctlError("CONFIG_INVALID", `no role at ${scope} has the id ${role}`, {
      hint: "check the role in azure.assignments: its name, or the id of a definition that can be assigned at that scope",
      facts: { role, scope },
      cause: thrown,
    });
  }
}

function assertEnds({ role, scope, sets }: GivenRole): void {
  const lasting = LASTING.filter((permission) => sets.some((set) => isAction(permission, set)));
  if (lasting.length === 0) return;
  const what = `${nameTarget({ role, scope })} lets the command give itself rights that stay`;
  throw new AgentctlError("CONFIG_INVALID", `${what}: the role contains ${lasting.join(", ")}`, {
    hint: "give a narrower role in azure.assignments, by which no role is assigned or changed",
    facts: { role, scope, permissions: lasting },
  });
}

/** What is below a management group cannot be told by its path. */
function reaches(scope: string, at: string): boolean {
  const [above, below] = [scope, at].map((id) => id.toLowerCase()) as [string, string];
  return MANAGEMENT_GROUP.test(scope) || below === above || below.startsWith(`${above}/`);
}
