import { hclBlock, hclString, raw } from "../../setup/hcl.js";
import type { Application } from "./applications.js";
import { GIVING_ROLE, type GranterPlan, givingCondition } from "./granter-plan.js";

/** What the granter may give, scope by scope; names of roles are looked up where they are given. */
export function granterBlocks({ application, scopes }: GranterPlan, clients: readonly Application[]): string[] {
  const principals = clients.map(objectId);
  return scopes.flatMap(({ scope, roles }, index) => {
    const named = roles.filter(({ id }) => id === undefined);
    const label = (name: string) => `given_${index + 1}_${named.findIndex((role) => role.name === name) + 1}`;
    const lookedUp = named.map(({ name }) =>
      hclBlock(
        "data",
        ["azurerm_role_definition", label(name)],
        [
          ["name", name],
          ["scope", scope],
        ],
      ),
    );
    const ids = roles.map(({ name, id }) =>
      id === undefined ? `data.azurerm_role_definition.${label(name)}.role_definition_id` : hclString(id),
    );
    return [...lookedUp, assignmentBlock(index, scope, application, conditionOf(ids, principals))];
  });
}

function assignmentBlock(index: number, scope: string, application: Application, condition: string): string {
  return hclBlock(
    "resource",
    ["azurerm_role_assignment", `granter_${index + 1}`],
    [
      ["scope", scope],
      ["role_definition_name", GIVING_ROLE.name],
      ["principal_id", raw(objectId(application))],
      ["condition_version", "2.0"],
      ["condition", raw(condition)],
    ],
  );
}

function conditionOf(roleIds: readonly string[], principalIds: readonly string[]): string {
  const [roles, principals] = [roleIds, principalIds].map((ids) => `join(", ", [${ids.join(", ")}])`);
  return `format(${hclString(givingCondition("%[1]s", "%[2]s"))}, ${roles}, ${principals})`;
}

function objectId({ label, clientId }: Application): string {
  return `${clientId === undefined ? "" : "data."}azuread_service_principal.${label}.object_id`;
}
