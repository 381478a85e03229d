import { shellCommand, shellQuote } from "../../setup/shell.js";
import type { Application } from "./applications.js";
import { GIVING_ROLE, type GivenRole, type GranterPlan, givingCondition } from "./granter-plan.js";

/** What the granter may give, scope by scope; names of roles are looked up where they are given. */
export function granterCommands({ application, scopes }: GranterPlan, clients: readonly Application[]): string[] {
  // Each by itself: of several in one word the shell would see the last one fail alone.
  const lookedUp = clients.map(({ label }, index) => `principal_${index + 1}=$(${objectId(label)})`);
  return [
    `# The granter may give these roles to the profile's own applications, and to nobody else.
granter=$(${objectId(application.label)})
${lookedUp.join("\n")}
principals="${clients.map((_client, index) => `$principal_${index + 1}`).join(", ")}"`,
    ...scopes.map(({ scope, roles }) => [...lookUps(roles, scope), rolesLine(roles), assign(scope)].join("\n")),
  ];
}

function objectId(label: string): string {
  return `az ad sp show --id "$${variableOf(label)}" --query id --output tsv`;
}

/** The shell's variable that has an application's client id. */
export function variableOf(label: string): string {
  return label === "profile" ? "client_id" : `${label}_id`;
}

/** An id that was not found must not leave the condition without it. */
function lookUps(roles: readonly GivenRole[], scope: string): string[] {
  return roles.flatMap(({ name, id }, index) => {
    if (id !== undefined) return [];
    const words = ["az", "role", "definition", "list", "--name", shellQuote(name), "--scope", shellQuote(scope)];
    const found = [...words, "--query", shellQuote("[0].name"), "--output", "tsv"].join(" ");
    const variable = `role_${index + 1}`;
    return [
      `${variable}=$(${found})`,
      `if [ -z "$${variable}" ]; then`,
      `  echo ${shellQuote(`there is no role ${name} at ${scope}`)} >&2`,
      "  exit 1",
      "fi",
    ];
  });
}

function rolesLine(roles: readonly GivenRole[]): string {
  return `roles="${roles.map(({ id }, index) => id ?? `$role_${index + 1}`).join(", ")}"`;
}

/** az takes an assignment that is there already for the one that it was to make, whatever its condition. */
function assign(scope: string): string {
  const command = shellCommand(
    ["az", "role", "assignment", "create"],
    [
      ["--role", GIVING_ROLE.id],
      ["--assignee-object-id", '"$granter"'],
      ["--assignee-principal-type", "ServicePrincipal"],
      ["--scope", shellQuote(scope)],
      ["--condition-version", "2.0"],
      ["--condition", '"$condition"'],
      ["--query", "condition", "--output", "tsv"],
    ],
  );
  const problem = `the granter has ${GIVING_ROLE.name} on ${scope} already, under another condition or under none, which is left as it is: delete that assignment, then run this again`;
  return `condition="${givingCondition("$roles", "$principals")}"
there=$(${command})
if [ "$there" != "$condition" ]; then
  echo ${shellQuote(problem)} >&2
  exit 1
fi`;
}
