/** The services whose policies are written. */
export type PolicyService = "cloudresourcemanager" | "storage" | "iam";

/** One request, its path below its service's address. */
export interface PolicyRequest {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body?: unknown;
}

/** Something with a policy of its own, and how it is asked for. */
export interface PolicyResource {
  /** The full resource name, such as `//storage.googleapis.com/projects/_/buckets/site`. */
  readonly name: string;
  readonly service: PolicyService;
  /** What reading and writing its policy takes, such as `storage.buckets`, to go before `.getIamPolicy`. */
  readonly permissions: string;
  get(): PolicyRequest;
  set(policy: unknown): PolicyRequest;
  test(permissions: readonly string[]): PolicyRequest;
}

type Requests = Pick<PolicyResource, "get" | "set" | "test">;

interface Kind {
  readonly pattern: RegExp;
  readonly service: PolicyService;
  readonly permissions: string;
  /** @param id what the pattern's first group matched */
  readonly requests: (id: string) => Requests;
}

const OPTIONS = { options: { requestedPolicyVersion: 3 } };

/** An id, that of a domain's project, or a number; a dash is for whatever project a service account is of. */
const PROJECT = "(?:-|[a-z0-9][a-z0-9.:-]{0,59})";

/** A new kind of resource is one row. */
const KINDS: readonly Kind[] = [
  inHierarchy("projects", PROJECT),
  inHierarchy("folders", "\\d{1,30}"),
  inHierarchy("organizations", "\\d{1,30}"),
  {
    pattern: /^\/\/storage\.googleapis\.com\/projects\/_\/buckets\/([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])$/,
    service: "storage",
    permissions: "storage.buckets",
    requests: ofBucket,
  },
  {
    pattern: new RegExp(`^//iam\\.googleapis\\.com/(projects/${PROJECT}/serviceAccounts/[a-z0-9-]+@[a-z0-9.-]+)$`),
    service: "iam",
    permissions: "iam.serviceAccounts",
    requests: ofServiceAccount,
  },
];

/** The kinds that are supported, for whoever named another. */
export const RESOURCE_EXAMPLES: readonly string[] = [
  "//cloudresourcemanager.googleapis.com/projects/ID",
  "…/folders/NUMBER",
  "…/organizations/NUMBER",
  "//storage.googleapis.com/projects/_/buckets/NAME",
  "//iam.googleapis.com/projects/ID/serviceAccounts/EMAIL",
];

/** Undefined for what is none of the supported kinds. */
export function readResource(name: string): PolicyResource | undefined {
  for (const { pattern, service, permissions, requests } of KINDS) {
    const id = pattern.exec(name)?.[1];
    if (id !== undefined) return { name, service, permissions, ...requests(id) };
  }
  return undefined;
}

function inHierarchy(collection: string, id: string): Kind {
  return {
    pattern: new RegExp(`^//cloudresourcemanager\\.googleapis\\.com/(${collection}/${id})$`),
    service: "cloudresourcemanager",
    permissions: `resourcemanager.${collection}`,
    requests: (name) => ({
      get: () => ({ method: "POST", path: `v3/${name}:getIamPolicy`, body: OPTIONS }),
      set: (policy) => ({ method: "POST", path: `v3/${name}:setIamPolicy`, body: { policy } }),
      test: (permissions) => ({ method: "POST", path: `v3/${name}:testIamPermissions`, body: { permissions } }),
    }),
  };
}

/** The JSON API, which takes the policy itself; a bucket's conditions need uniform bucket-level access. */
function ofBucket(bucket: string): Requests {
  const path = `b/${bucket}/iam`;
  return {
    get: () => ({ method: "GET", path: `${path}?optionsRequestedPolicyVersion=3` }),
    set: (policy) => ({ method: "PUT", path, body: policy }),
    test: (permissions) => {
      const asked = new URLSearchParams(
        permissions.map((permission) => ["permissions", permission] as [string, string]),
      );
      return { method: "GET", path: `${path}/testPermissions?${asked}` };
    },
  };
}

/** Reading takes the version in the query, and an empty body. */
function ofServiceAccount(name: string): Requests {
  const path = `v1/${name}`;
  return {
    get: () => ({ method: "POST", path: `${path}:getIamPolicy?options.requestedPolicyVersion=3` }),
    set: (policy) => ({ method: "POST", path: `${path}:setIamPolicy`, body: { policy } }),
    test: (permissions) => ({ method: "POST", path: `${path}:testIamPermissions`, body: { permissions } }),
  };
}
