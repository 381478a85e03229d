import { shellCommand, shellQuote } from "../../setup/shell.js";
import { accountCommands, JUST_MADE } from "./account-commands.js";
import type { GranterPlan, GranterRight, RightKind, RoleHome } from "./granter-plan.js";

/** What a condition's parts are separated by: none of them has it. */
const DELIMITER = "|";
/** A new kind is one row: the words that come before the place. */
const PLACES: Readonly<Record<RightKind, readonly string[]>> = {
  project: ["gcloud", "projects"],
  folder: ["gcloud", "resource-manager", "folders"],
  organization: ["gcloud", "organizations"],
  bucket: ["gcloud", "storage", "buckets"],
  serviceAccount: ["gcloud", "iam", "service-accounts"],
};

/** The service account that gives, for the same caller, and one role of its own on each resource. */
export function granterCommands(plan: GranterPlan | undefined, principal: string): string[] {
  if (plan === undefined) return [];
  const { account, rights } = plan;
  const organization = rights.some(({ role: { home } }) => home.id === undefined) ? [ORGANIZATION] : [];
  const roles = new Set(rights.map(roleCommands));
  return [
    "# Gives what the profile names for the time of a lease, and takes it back.",
    accountCommands(account, principal),
    ...organization,
    ...roles,
    rights.map((right) => bindCommand(right, account.email)).join("\n"),
  ];
}

const ORGANIZATION = `: "\${ORGANIZATION_ID:?set it to the number of the organization that the folders are in}"`;

/** A role that is there already and is another is left as it is: others may use it. */
function roleCommands({ role, permissions }: GranterRight): string {
  const roles = ["gcloud", "iam", "roles"];
  const where = `--${role.home.kind}=${homeText(role.home)}`;
  const describe = [...roles, "describe", role.id, where].join(" ");
  const create = shellCommand(
    [...roles, "create", role.id, where],
    [[`--title=${shellQuote(role.title)}`], [`--permissions=${permissions.join(",")}`], ["--stage=GA"]],
  );
  return `if ${describe} >/dev/null 2>&1; then
  there=$(${describe} '--format=value[delimiter=","](includedPermissions)')
  if [ "$there" != ${shellQuote(permissions.join(","))} ]; then
    echo "the role ${role.id} is there already, and not as it has to be; it is left as it is: $there" >&2
    exit 1
  fi
else
${create.replace(/^/gm, "  ")} >/dev/null
  ${JUST_MADE}
fi`;
}

function bindCommand({ kind, id, role, condition }: GranterRight, email: string): string {
  const place = shellQuote(kind === "bucket" ? `gs://${id}` : id);
  const { title, expression } = condition ?? {};
  const limit = condition === undefined ? "None" : `^${DELIMITER}^title=${title}${DELIMITER}expression=${expression}`;
  const options = [
    [`--role=${role.home.kind}s/${homeText(role.home)}/roles/${role.id}`],
    [`--member=${shellQuote(`serviceAccount:${email}`)}`],
    [`--condition=${shellQuote(limit)}`],
  ];
  return shellCommand(["bind", ...PLACES[kind], "add-iam-policy-binding", place], options);
}

function homeText({ id }: RoleHome): string {
  return id === undefined ? '"$ORGANIZATION_ID"' : shellQuote(id);
}
