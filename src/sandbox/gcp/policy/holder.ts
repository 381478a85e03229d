import type { HolderKind } from "../roles.js";
import type { GcpWorld } from "../world.js";

/** What a condition may ask about the thing that is accessed. */
export interface GcpResource {
  readonly name: string;
  readonly type: string;
  readonly service: string;
}

/** Something with a policy of its own. */
export interface PolicyHolder {
  readonly kind: HolderKind;
  /** `projects/ID`, `folders/NUMBER`, `organizations/NUMBER`, `projects/_/buckets/NAME`, `projects/-/serviceAccounts/EMAIL` */
  readonly name: string;
  readonly resource: GcpResource;
  /** What the permissions on it begin with, such as `storage.buckets`. */
  readonly permissions: string;
}

const KINDS: Readonly<Record<HolderKind, { prefix: string; permissions: string; service: string; type: string }>> = {
  project: describe("projects/", "resourcemanager.projects", "cloudresourcemanager", "Project"),
  folder: describe("folders/", "resourcemanager.folders", "cloudresourcemanager", "Folder"),
  organization: describe("organizations/", "resourcemanager.organizations", "cloudresourcemanager", "Organization"),
  bucket: describe("projects/_/buckets/", "storage.buckets", "storage", "Bucket"),
  serviceAccount: describe("projects/-/serviceAccounts/", "iam.serviceAccounts", "iam", "ServiceAccount"),
};

const IN_PROJECT = [KINDS.bucket.prefix, KINDS.serviceAccount.prefix];

function describe(prefix: string, permissions: string, api: string, type: string) {
  const service = `${api}.googleapis.com`;
  return { prefix, permissions, service, type: `${service}/${type}` };
}

/** @param id a project's id, a number, a bucket's name or an e-mail address */
export function holderOf(kind: HolderKind, id: string): PolicyHolder {
  const { prefix, permissions, service, type } = KINDS[kind];
  const name = `${prefix}${id}`;
  return { kind, name, permissions, resource: { name, type, service } };
}

/** The holder of `projects/…`, `folders/…` or `organizations/…`, a project being named by its id or its number. */
export function holderInHierarchy(collection: string, id: string, world: GcpWorld): PolicyHolder | undefined {
  if (collection === "projects") return holderOf("project", id === world.projectNumber ? world.projectId : id);
  if (collection === "folders") return holderOf("folder", id);
  return collection === "organizations" ? holderOf("organization", id) : undefined;
}

/** The thing itself and what is above it, whose policies hold for it too. */
export function chainOf(name: string, world: GcpWorld): readonly string[] {
  const project = `projects/${world.projectId}`;
  const above = Object.keys(world.ancestors);
  const isInside = IN_PROJECT.some((prefix) => name.startsWith(prefix));
  if (name === project || isInside) return [...new Set([name, project, ...above])];
  return above.includes(name) ? above.slice(above.indexOf(name)) : [name];
}
