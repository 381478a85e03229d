import { type HclBody, hclBlock, hclString, nested, raw } from "../../setup/hcl.js";
import type { HclNamer } from "../../setup/hcl-name.js";
import type { Application } from "./applications.js";
import { GIVING_ROLE, type GranterPlan, givingCondition } from "./granter-plan.js";
import type { AzureTrustPlan } from "./trust-plan.js";

/** What the granter may give, scope by scope; names of roles are looked up where they are given. */
export function granterBlocks(granter: GranterPlan, plan: AzureTrustPlan, name: HclNamer): string[] {
  const { application, scopes } = granter;
  const principals = plan.clients.map((client) => objectId(client, name));
  return [
    managerBlock(granter, plan, name),
    ...scopes.flatMap(({ scope, roles }, index) => {
      const named = roles.filter(({ id }) => id === undefined);
      const label = (role: string) => name(`given_${index + 1}_${named.findIndex((one) => one.name === role) + 1}`);
      const lookedUp = named.map((role) =>
        hclBlock(
          "data",
          ["azurerm_role_definition", label(role.name)],
          [
            ["provider", raw(managerOf(name))],
            ["name", role.name],
            ["scope", scope],
          ],
        ),
      );
      // By a name the provider answers the whole resource id, in each of its versions.
      const ids = roles.map((role) =>
        role.id === undefined ? `basename(data.azurerm_role_definition.${label(role.name)}.id)` : hclString(role.id),
      );
      return [...lookedUp, assignmentBlock({ index, scope, application }, conditionOf(ids, principals), name)];
    }),
  ];
}

/** One of its own, beside whatever else the directory has: hashicorp/azurerm cannot be planned with without any. */
function managerBlock({ scopes }: GranterPlan, { tenantId, isTenantId }: AzureTrustPlan, name: HclNamer): string {
  const subscription = scopes.map(({ scope }) => /^\/subscriptions\/([^/]+)/i.exec(scope)?.[1]).find(Boolean);
  const body: HclBody = [
    ["alias", name("azure")],
    ...(isTenantId ? ([["tenant_id", tenantId]] as const) : []),
    ...(subscription === undefined ? [] : ([["subscription_id", subscription]] as const)),
    ["resource_provider_registrations", "none"],
    ["features", nested([])],
  ];
  const which = subscription === undefined ? " It takes the subscription of ARM_SUBSCRIPTION_ID." : "";
  const block = hclBlock("provider", ["azurerm"], body).replace(/features \{\n+ *\}/, "features {}");
  return `# Signs in as az does, or as the ARM_ variables say.${which}\n${block}`;
}

function managerOf(name: HclNamer): string {
  return `azurerm.${name("azure")}`;
}

interface Giving {
  readonly index: number;
  readonly scope: string;
  readonly application: Application;
}

function assignmentBlock({ index, scope, application }: Giving, condition: string, name: HclNamer): string {
  return hclBlock(
    "resource",
    ["azurerm_role_assignment", name(`granter_${index + 1}`)],
    [
      ["provider", raw(managerOf(name))],
      ["scope", scope],
      ["role_definition_name", GIVING_ROLE.name],
      ["principal_id", raw(objectId(application, name))],
      // A principal that was only just made is not looked for.
      ["principal_type", "ServicePrincipal"],
      ["condition_version", "2.0"],
      ["condition", raw(condition)],
    ],
  );
}

function conditionOf(roleIds: readonly string[], principalIds: readonly string[]): string {
  const [roles, principals] = [roleIds, principalIds].map((ids) => `join(", ", [${ids.join(", ")}])`);
  return `format(${hclString(givingCondition("%[1]s", "%[2]s"))}, ${roles}, ${principals})`;
}

function objectId({ label, clientId }: Application, name: HclNamer): string {
  return `${clientId === undefined ? "" : "data."}azuread_service_principal.${name(label)}.object_id`;
}
