import { type HclBody, hclBlock, raw } from "../../setup/hcl.js";
import type { HclNamer } from "../../setup/hcl-name.js";
import type { ServiceAccount } from "./service-account.js";

export interface AccountPart {
  readonly account: ServiceAccount;
  /** `principal://…/subject/…`: who may be it. */
  readonly principal: string;
  /** Its name in the module. */
  readonly label: string;
  /** What the switch that makes it is called after. */
  readonly what: string;
  readonly name: HclNamer;
}

/** A service account, unless it is there already, and who may be it. */
export function accountBlocks({ account, principal, label, what, name }: AccountPart): string[] {
  const { email, accountId, projectId } = account;
  const after: HclBody =
    projectId === undefined ? [] : [["depends_on", [raw(`google_service_account.${name(label)}`)]]];
  const user = hclBlock(
    "resource",
    ["google_service_account_iam_member", name(label === "profile" ? "caller" : `${label}_caller`)],
    [
      ["service_account_id", `projects/${projectId ?? "-"}/serviceAccounts/${email}`],
      ["role", "roles/iam.workloadIdentityUser"],
      ["member", principal],
      ...after,
    ],
  );
  const caller = `# One subject of the pool, and no other, may be the service account.\n${user}`;
  if (projectId === undefined) return [caller];
  const made = hclBlock(
    "resource",
    ["google_service_account", name(label)],
    [
      ["count", raw(`var.${name(`create_${what}`)} ? 1 : 0`)],
      ["project", projectId],
      ["account_id", accountId],
    ],
  );
  return [switchOf(name(`create_${what}`), `false where the ${what.replace("_", " ")} is there already`), made, caller];
}

/** A variable that is true unless something is there already. */
export function switchOf(name: string, description: string): string {
  const body: HclBody = [
    ["description", description],
    ["type", raw("bool")],
    ["default", true],
  ];
  return hclBlock("variable", [name], body);
}
