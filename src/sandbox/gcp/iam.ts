import { evaluateExpression } from "./cel.js";
import { type GooglePrincipal, membersOf } from "./principal.js";
import type { IamBinding } from "./world.js";

const OBJECTS = ["storage.objects.create", "storage.objects.delete", "storage.objects.get", "storage.objects.list"];
const BUCKETS = ["storage.buckets.get", "storage.buckets.list"];

/** Predefined roles, as far as this sandbox's services ask for what they grant. */
const ROLES: Readonly<Record<string, readonly string[]>> = {
  "roles/iam.workloadIdentityUser": ["iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken"],
  "roles/iam.serviceAccountTokenCreator": ["iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken"],
  "roles/storage.objectViewer": ["storage.objects.get", "storage.objects.list"],
  "roles/storage.objectCreator": ["storage.objects.create"],
  "roles/storage.objectUser": [...OBJECTS, "storage.objects.update"],
  "roles/storage.objectAdmin": [...OBJECTS, "storage.objects.update"],
  "roles/storage.bucketViewer": BUCKETS,
  "roles/storage.admin": [...BUCKETS, ...OBJECTS, "storage.objects.update"],
  "roles/storage.legacyBucketReader": ["storage.buckets.get", "storage.objects.list"],
  "roles/storage.legacyObjectReader": ["storage.objects.get"],
};

export function isRole(name: string): boolean {
  return Object.hasOwn(ROLES, name);
}

export function roleGrants(role: string, permission: string): boolean {
  return ROLES[role]?.includes(permission) === true;
}

/** What a condition may ask about the thing that is accessed. */
export interface GcpResource {
  readonly name: string;
  readonly type: string;
  readonly service: string;
}

/** Whether a binding gives the principal the permission, its condition being true at `now`. */
export function isGranted(
  bindings: readonly IamBinding[],
  principal: GooglePrincipal,
  permission: string,
  resource: GcpResource,
  now: number,
): boolean {
  const members = membersOf(principal);
  return bindings.some(
    ({ role, members: named, condition }) =>
      roleGrants(role, permission) &&
      named.some((member) => members.has(member)) &&
      (condition === undefined ||
        evaluateExpression(condition, { resource, request: { time: new Date(now) } }) === true),
  );
}
