import { type HclBody, type HclValue, hclBlock, nested, raw } from "../../setup/hcl.js";
import type { HclNamer } from "../../setup/hcl-name.js";
import { accountBlocks } from "./account-terraform.js";
import type { GranterPlan, GranterRight, RightKind } from "./granter-plan.js";
import { serviceAccountAt } from "./service-account.js";

/** A new kind is one row: the resource that gives a role there, and what it calls the place. */
const MEMBERS: Readonly<Record<RightKind, { readonly type: string; readonly place: string }>> = {
  project: { type: "google_project_iam_member", place: "project" },
  folder: { type: "google_folder_iam_member", place: "folder" },
  organization: { type: "google_organization_iam_member", place: "org_id" },
  bucket: { type: "google_storage_bucket_iam_member", place: "bucket" },
  serviceAccount: { type: "google_service_account_iam_member", place: "service_account_id" },
};

/** What the right of a granter is written among. */
interface Among {
  /** By what the roles of all rights are one role. */
  readonly names: readonly string[];
  readonly plan: GranterPlan;
  readonly name: HclNamer;
}

/** The service account that gives, for the same caller, and one role of its own on each resource. */
export function granterBlocks(plan: GranterPlan | undefined, principal: string, name: HclNamer): string[] {
  if (plan === undefined) return [];
  const { account, rights } = plan;
  const organization = rights.some(({ role: { home } }) => home.id === undefined) ? [organizationVariable(name)] : [];
  const names = roleNames(rights);
  const roles = rights.flatMap((right, index) =>
    names.indexOf(names[index] ?? "") === index ? [roleBlock(right, index, name)] : [],
  );
  return [
    "# Gives what the profile names for the time of a lease, and takes it back.",
    ...accountBlocks({ account, principal, label: "granter", what: "granter", name }),
    ...organization,
    ...roles,
    ...rights.map((right, index) => memberBlock(right, index, { names, plan, name })),
  ];
}

/** By what a role is one role: rights of a kind share it where they have one home. */
function roleNames(rights: readonly GranterRight[]): readonly string[] {
  return rights.map(({ role: { id, home } }) => `${home.kind} ${home.id ?? ""} ${id}`);
}

function organizationVariable(name: HclNamer): string {
  return hclBlock(
    "variable",
    [name("organization_id")],
    [
      ["description", "the number of the organization that the folders are in"],
      ["type", raw("string")],
    ],
  );
}

function roleBlock({ role, permissions }: GranterRight, index: number, name: HclNamer): string {
  const { kind, id } = role.home;
  const organization: HclValue = id ?? raw(`var.${name("organization_id")}`);
  return hclBlock(
    "resource",
    [`google_${kind}_iam_custom_role`, name(`granter_${index + 1}`)],
    [
      kind === "project" ? ["project", id ?? ""] : ["org_id", organization],
      ["role_id", role.id],
      ["title", role.title],
      ["permissions", permissions],
    ],
  );
}

function memberBlock(
  { kind, id, role, condition }: GranterRight,
  index: number,
  { names, plan: { account }, name }: Among,
): string {
  const { type, place } = MEMBERS[kind];
  const roleLabel = name(`granter_${names.indexOf(names[index] ?? "") + 1}`);
  const after: HclBody =
    account.projectId === undefined ? [] : [["depends_on", [raw(`google_service_account.${name("granter")}`)]]];
  const limit: HclBody =
    condition === undefined
      ? []
      : [
          [
            "condition",
            nested([
              ["title", condition.title],
              ["expression", condition.expression],
            ]),
          ],
        ];
  return hclBlock(
    "resource",
    [type, name(`granter_${index + 1}`)],
    [
      [place, placeOf(kind, id)],
      ["role", raw(`google_${role.home.kind}_iam_custom_role.${roleLabel}.name`)],
      ["member", `serviceAccount:${account.email}`],
      ...after,
      ...limit,
    ],
  );
}

function placeOf(kind: RightKind, id: string): string {
  if (kind === "folder") return `folders/${id}`;
  if (kind !== "serviceAccount") return id;
  return `projects/${serviceAccountAt(id).projectId ?? "-"}/serviceAccounts/${id}`;
}
