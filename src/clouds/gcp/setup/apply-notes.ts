import type { GcpSettings } from "../../../core/profile.js";
import type { TrustFormat } from "../../../core/trust.js";
import { hclNamer } from "../../setup/hcl-name.js";
import { TERRAFORM_AWAY } from "../../setup/header.js";
import type { GranterRight, RightKind } from "./granter-plan.js";
import type { PlannedParts } from "./planned-parts.js";

/** A new kind is one row: who may write its policy, by the least of Google's own roles, and what it is called. */
const WRITERS: Readonly<Record<RightKind, readonly [role: string, word: string]>> = {
  project: ["roles/resourcemanager.projectIamAdmin", "project"],
  folder: ["roles/resourcemanager.folderIamAdmin", "folder"],
  organization: ["roles/resourcemanager.organizationAdmin", "organization"],
  bucket: ["roles/storage.admin", "bucket"],
  serviceAccount: ["roles/iam.serviceAccountAdmin", "service account"],
};

/** What has to be there before, who may apply it, and who else may use what is made. */
export function applyNotes(plan: PlannedParts, settings: GcpSettings, format: TrustFormat<"gcp">): readonly string[] {
  const projects = [`the project of the pool (${plan.projectNumber})`, ...accountProjects(plan)];
  return [
    ...sharingNotes(plan, format),
    `these APIs have to be enabled, in ${projects.join(" and in ")}: gcloud services enable ${apisOf(settings).join(" ")} --project=PROJECT`,
    `whoever applies it needs ${rolesToApply(plan).join("; ")}`,
    "it may be applied again, and makes nothing twice: where Google says that what was just made is not there, wait a minute",
  ];
}

/** How what was made is taken away again, as it was written. */
export function awayNotes(plan: PlannedParts, format: TrustFormat<"gcp">): readonly string[] {
  const keeps = `Google keeps the names of pools and providers for 30 days, in which undelete gives them back${plan.granter === undefined ? "" : ", and those of roles for 37"}`;
  if (format === "terraform") {
    return [
      TERRAFORM_AWAY,
      `the pool and the provider go with it where this made them, for whoever shares them too; ${keeps}`,
    ];
  }
  const accounts = [plan.serviceAccount, plan.granter?.account].flatMap((account) => account?.email ?? []);
  const roles = new Set(plan.granter?.rights.map(({ role }) => role.id));
  return [
    accounts.length === 0
      ? `take every role from ${plan.principal}`
      : `delete ${accounts.join(" and ")}, or take roles/iam.workloadIdentityUser on ${accounts.length === 1 ? "it" : "them"} from the subject`,
    ...(roles.size === 0 ? [] : [`delete the custom roles ${[...roles].join(", ")}`]),
    `delete the provider ${plan.providerId}, and the pool ${plan.poolId}, where no other profile uses them; ${keeps}`,
  ];
}

/** The provider is whoever's it is that it lets in. */
function sharingNotes({ profileName, providerId }: PlannedParts, format: TrustFormat<"gcp">): readonly string[] {
  const name = hclNamer(profileName);
  const how =
    format === "terraform"
      ? `in the files of all but one, ${name("create_pool")} and ${name("create_provider")} are set to false`
      : "a provider that is the same already is taken";
  const keep = format === "terraform" ? "" : ", and AGENTCTL_SETUP_KEEP=yes goes on with it";
  return [
    `profiles for one identity share ${providerId}: ${how}`,
    `for another identity ${providerId} needs a condition that lets both in, as (this one) || (that one): what is bound is one subject alone${keep}. Or it takes a provider of its own, in a pool of its own, since a principal is named by its pool`,
  ];
}

/** Those that a run asks, by whoever it is then. */
function apisOf({ serviceAccount, granter, bindings, entitlement, accessBoundary }: GcpSettings): readonly string[] {
  const isAsked: Readonly<Record<string, boolean>> = {
    iam: true,
    sts: true,
    iamcredentials: serviceAccount !== undefined || granter !== undefined,
    cloudresourcemanager: bindings.some(({ resource }) => resource.startsWith("//cloudresourcemanager.")),
    storage: accessBoundary.length > 0 || bindings.some(({ resource }) => resource.startsWith("//storage.")),
    privilegedaccessmanager: entitlement !== undefined,
  };
  return Object.keys(isAsked).flatMap((name) => (isAsked[name] ? [`${name}.googleapis.com`] : []));
}

function accountProjects({ serviceAccount, granter }: PlannedParts): readonly string[] {
  return [...new Set([serviceAccount, granter?.account].flatMap((account) => account?.projectId ?? []))];
}

/** Each role once, with all the places that it is needed in. */
function rolesToApply(plan: PlannedParts): readonly string[] {
  const rights = plan.granter?.rights ?? [];
  const needs: readonly (readonly [role: string, place: string])[] = [
    ["roles/iam.workloadIdentityPoolAdmin", `the project ${plan.projectNumber}`],
    ...accountProjects(plan).map((id) => [WRITERS.serviceAccount[0], `the project ${id}`] as const),
    ...plan.buckets.map(({ bucket }) => [WRITERS.bucket[0], `the bucket ${bucket}`] as const),
    ...rights.flatMap((right) => [makerOf(right), writerOf(right)]),
  ];
  const places = new Map<string, Set<string>>();
  for (const [role, place] of needs) places.set(role, (places.get(role) ?? new Set()).add(place));
  return [...places].map(([role, where]) => `${role} on ${[...where].join(" and ")}`);
}

function makerOf({ role: { home } }: GranterRight): readonly [role: string, place: string] {
  if (home.kind === "project") return ["roles/iam.roleAdmin", `the project ${home.id}`];
  return [
    "roles/iam.organizationRoleAdmin",
    home.id === undefined ? "the organization" : `the organization ${home.id}`,
  ];
}

function writerOf({ kind, id }: GranterRight): readonly [role: string, place: string] {
  const [role, word] = WRITERS[kind];
  return [role, `the ${word} ${id}`];
}
