/** The kinds of things that have a policy of their own. */
export type HolderKind = "project" | "folder" | "organization" | "bucket" | "serviceAccount";

interface Role {
  readonly permissions: readonly string[];
  /** In whose policy it may stand. */
  readonly on: readonly HolderKind[];
}

/** By name, `projects/PROJECT/roles/ROLE` or `organizations/NUMBER/roles/ROLE`: the permissions. */
export type CustomRoles = Readonly<Record<string, readonly string[]>>;

const HIERARCHY: readonly HolderKind[] = ["project", "folder", "organization"];
const ON_BUCKETS: readonly HolderKind[] = [...HIERARCHY, "bucket"];
const ON_ACCOUNTS: readonly HolderKind[] = [...HIERARCHY, "serviceAccount"];
const EVERYWHERE: readonly HolderKind[] = [...HIERARCHY, "bucket", "serviceAccount"];

const OBJECTS = ["storage.objects.create", "storage.objects.delete", "storage.objects.get", "storage.objects.list"];
const BUCKETS = ["storage.buckets.get", "storage.buckets.list"];
const TOKENS = ["iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken"];
const HELD = ["projects", "folders", "organizations"].map((kind) => `resourcemanager.${kind}`);
const WITH_POLICIES = [...HELD, "storage.buckets", "iam.serviceAccounts"];
const READ_POLICIES = WITH_POLICIES.map((kind) => `${kind}.getIamPolicy`);
const WRITE_POLICIES = WITH_POLICIES.map((kind) => `${kind}.setIamPolicy`);
const READ_GRANTS = ["entitlements.get", "entitlements.list", "grants.get", "grants.list", "operations.get"].map(
  (name) => `privilegedaccessmanager.${name}`,
);
const VIEW = ["resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy", "storage.buckets.list"];

/** Predefined roles, as far as this sandbox's services ask for what they grant. */
const ROLES: Readonly<Record<string, Role>> = {
  "roles/viewer": { permissions: VIEW, on: HIERARCHY },
  "roles/editor": { permissions: VIEW, on: HIERARCHY },
  "roles/owner": { permissions: [...VIEW, ...READ_POLICIES, ...WRITE_POLICIES], on: HIERARCHY },
  "roles/browser": { permissions: VIEW.slice(0, 2), on: HIERARCHY },
  "roles/iam.workloadIdentityUser": { permissions: TOKENS, on: ON_ACCOUNTS },
  "roles/iam.serviceAccountTokenCreator": { permissions: TOKENS, on: ON_ACCOUNTS },
  "roles/iam.serviceAccountUser": { permissions: ["iam.serviceAccounts.actAs"], on: ON_ACCOUNTS },
  "roles/iam.serviceAccountAdmin": {
    permissions: ["iam.serviceAccounts.getIamPolicy", "iam.serviceAccounts.setIamPolicy"],
    on: ON_ACCOUNTS,
  },
  "roles/iam.securityReviewer": { permissions: READ_POLICIES, on: EVERYWHERE },
  "roles/iam.securityAdmin": { permissions: [...READ_POLICIES, ...WRITE_POLICIES], on: HIERARCHY },
  "roles/resourcemanager.projectIamAdmin": { permissions: administer("projects"), on: HIERARCHY },
  "roles/resourcemanager.folderIamAdmin": { permissions: administer("folders"), on: ["folder", "organization"] },
  "roles/resourcemanager.organizationAdmin": {
    permissions: [...administer("projects"), ...administer("folders"), ...administer("organizations")],
    on: ["organization"],
  },
  "roles/privilegedaccessmanager.viewer": { permissions: READ_GRANTS, on: HIERARCHY },
  "roles/privilegedaccessmanager.admin": {
    permissions: [...READ_GRANTS, "privilegedaccessmanager.grants.revoke"],
    on: HIERARCHY,
  },
  "roles/storage.objectViewer": { permissions: ["storage.objects.get", "storage.objects.list"], on: ON_BUCKETS },
  "roles/storage.objectCreator": { permissions: ["storage.objects.create"], on: ON_BUCKETS },
  "roles/storage.objectUser": { permissions: [...OBJECTS, "storage.objects.update"], on: ON_BUCKETS },
  "roles/storage.objectAdmin": { permissions: [...OBJECTS, "storage.objects.update"], on: ON_BUCKETS },
  "roles/storage.bucketViewer": { permissions: BUCKETS, on: ON_BUCKETS },
  "roles/storage.admin": {
    permissions: [
      ...[...BUCKETS, ...OBJECTS, "storage.objects.update"],
      ...["storage.buckets.getIamPolicy", "storage.buckets.setIamPolicy"],
    ],
    on: ON_BUCKETS,
  },
  "roles/storage.legacyBucketReader": { permissions: ["storage.buckets.get", "storage.objects.list"], on: ["bucket"] },
  "roles/storage.legacyObjectReader": { permissions: ["storage.objects.get"], on: ["bucket"] },
  "roles/logging.viewer": { permissions: ["logging.logs.list"], on: HIERARCHY },
  "roles/logging.logWriter": { permissions: ["logging.logEntries.create"], on: HIERARCHY },
  "roles/monitoring.viewer": { permissions: ["monitoring.timeSeries.list"], on: HIERARCHY },
};

const BASIC = ["roles/owner", "roles/editor", "roles/viewer"];
const CUSTOM = /^(?:projects|organizations)\/[^/]+\/roles\/[\w.]{3,64}$/;

function administer(kind: string): readonly string[] {
  return [
    `resourcemanager.${kind}.get`,
    `resourcemanager.${kind}.getIamPolicy`,
    `resourcemanager.${kind}.setIamPolicy`,
  ];
}

/** Whether it is a predefined role that the sandbox knows. */
export function isRole(name: string): boolean {
  return Object.hasOwn(ROLES, name);
}

/** Those that may stand in the policy of a thing of that kind. */
export function predefinedRolesOn(kind: HolderKind): readonly string[] {
  return Object.entries(ROLES).flatMap(([name, { on }]) => (on.includes(kind) ? name : []));
}

export function isCustomRoleName(name: string): boolean {
  return CUSTOM.test(name);
}

/** The roles from before IAM, on which Google takes no conditions. */
export function isBasicRole(name: string): boolean {
  return BASIC.includes(name);
}

export function roleGrants(role: string, permission: string, custom: CustomRoles = {}): boolean {
  return (ROLES[role]?.permissions ?? custom[role] ?? []).includes(permission);
}

/**
 * Whether a role may stand in the policy of such a thing of the project: a project's own role nowhere above it.
 * @param projectId of the project that a bucket or a service account is in
 */
export function mayStandOn(role: string, kind: HolderKind, projectId: string, custom: CustomRoles): boolean {
  const predefined = ROLES[role];
  if (predefined !== undefined) return predefined.on.includes(kind);
  if (!Object.hasOwn(custom, role)) return false;
  const isAbove = kind === "folder" || kind === "organization";
  return role.startsWith("organizations/") || (!isAbove && role.startsWith(`projects/${projectId}/`));
}
