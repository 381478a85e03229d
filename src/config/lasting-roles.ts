import type { AzureSettings, CloudName, CloudSettings, GcpSettings } from "../core/profile.js";
import type { BlockContext } from "./block-context.js";
import type { ConfigPath } from "./problems.js";

const BINDS = "lets the command change policies, and so give itself rights that stay";
const ACTS_AS = "lets the command be the granter, or another service account that may give rights that stay";

/** By which whoever has them for a while can have rights for good, wherever they are given. */
const GCP_ROLES: Readonly<Record<string, string>> = {
  "roles/resourcemanager.projectIamAdmin": BINDS,
  "roles/resourcemanager.folderAdmin": BINDS,
  "roles/resourcemanager.folderIamAdmin": BINDS,
  "roles/resourcemanager.organizationAdmin": BINDS,
  "roles/iam.securityAdmin": BINDS,
  "roles/storage.admin": "lets the command change the policies of buckets, and so give itself rights that stay",
  "roles/storage.legacyBucketOwner": "lets the command change the bucket's policy, and so give itself rights that stay",
  "roles/iam.serviceAccountAdmin": "lets the command change who may be a service account, and so stay one itself",
  "roles/iam.serviceAccountKeyAdmin": "lets the command make keys of a service account, which stay",
  "roles/iam.workloadIdentityPoolAdmin": "lets the command have identities of its own trusted, which stays",
  "roles/iam.roleAdmin": "lets the command widen custom roles, which stays",
  "roles/iam.organizationRoleAdmin": "lets the command widen custom roles, which stays",
  "roles/privilegedaccessmanager.admin": "lets the command make entitlements, and so give itself rights that stay",
};

/** By which one is somebody else: harmless on a service account that may give nothing, which the granter is not. */
const GCP_ACTING_ROLES: readonly string[] = [
  "roles/iam.serviceAccountTokenCreator",
  "roles/iam.serviceAccountOpenIdTokenCreator",
  "roles/iam.serviceAccountUser",
  "roles/iam.workloadIdentityUser",
];

/** By name in small letters, and by the definition's id. */
const AZURE_ROLES: readonly string[] = [
  "owner",
  "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
  "user access administrator",
  "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
  "role based access control administrator",
  "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
];

interface LastingRole {
  /** Inside the cloud's block. */
  readonly path: ConfigPath;
  readonly message: string;
}

/**
 * Reports the predefined roles given for a lease by which the command can give itself what outlasts it: no lease with
 * one is opened. Custom roles are not known here.
 */
export function reportLastingRoles(
  { azure, gcp }: CloudSettings,
  contextOf: (cloud: Extract<CloudName, "azure" | "gcp">) => BlockContext,
): void {
  if (azure !== undefined) report(findInAzure(azure), contextOf("azure"));
  if (gcp !== undefined) report(findInGcp(gcp), contextOf("gcp"));
}

function report(roles: readonly LastingRole[], context: BlockContext): void {
  const hint = "give a narrower role, by which no policy, role or identity changes";
  for (const { path, message } of roles) context.report(path, message, { hint });
}

function findInGcp({ bindings, granter }: GcpSettings): readonly LastingRole[] {
  return bindings.flatMap(({ role, resource }, index) => {
    const isActing = GCP_ACTING_ROLES.includes(role) && reaches(resource, granter?.serviceAccount);
    const message = GCP_ROLES[role] ?? (isActing ? ACTS_AS : undefined);
    return message === undefined ? [] : [{ path: ["bindings", index, "role"], message }];
  });
}

function findInAzure({ assignments }: AzureSettings): readonly LastingRole[] {
  return assignments.flatMap(({ role }, index) => {
    const id = role.toLowerCase().split("/").at(-1) ?? "";
    if (!AZURE_ROLES.includes(id)) return [];
    const message = "lets the command assign roles, and so give itself rights that stay";
    return [{ path: ["assignments", index, "role"], message }];
  });
}

/** On a project and above, a role is on every service account below. */
function reaches(resource: string, granter: string | undefined): boolean {
  if (resource.startsWith("//cloudresourcemanager.googleapis.com/")) return true;
  return granter !== undefined && resource.toLowerCase().endsWith(`/serviceaccounts/${granter.toLowerCase()}`);
}
