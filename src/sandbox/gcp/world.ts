import type { CustomRoles } from "./roles.js";

/** An OIDC provider of a workload identity pool. */
export interface GcpProvider {
  /** May be GitHub's, GitLab's or a cluster's own; the sandbox's issuer stands in for it. */
  readonly issuer: string;
  /** Absent: the provider's own resource name, with `https:` before it or without. */
  readonly allowedAudiences?: readonly string[];
  /** From the token's claims, each a CEL expression over `assertion`; `google.subject` has to be there. */
  readonly attributeMapping: Readonly<Record<string, string>>;
  /** A CEL expression over `assertion`, `google` and `attribute`. */
  readonly attributeCondition?: string;
}

export interface IamBinding {
  /** Such as `roles/iam.workloadIdentityUser`. */
  readonly role: string;
  /** Such as `serviceAccount:EMAIL` or `principalSet://iam.googleapis.com/…/attribute.repository/acme/site`. */
  readonly members: readonly string[];
  /** A CEL expression over `request.time`, `resource` and `api`, with its title or alone. */
  readonly condition?: string | IamCondition;
}

export interface IamCondition {
  readonly title: string;
  readonly description?: string;
  readonly expression: string;
}

export interface GcpBucket {
  /** Name → content. */
  readonly objects: Readonly<Record<string, string>>;
  readonly bindings: readonly IamBinding[];
  /** Default true; without it the bucket's policy takes no conditions. */
  readonly hasUniformAccess?: boolean;
}

/** What Privileged Access Manager gives for a while, on the project, folder or organization of its name. */
export interface GcpEntitlement {
  /** 1 800 to 604 800. */
  readonly maxRequestSeconds: number;
  /** Members as bindings name them: who may request it, and then has it. */
  readonly eligibleUsers: readonly string[];
  readonly roles: readonly { readonly role: string; readonly condition?: string }[];
  /** Default `none`. */
  readonly approval?: "none" | "manual";
  /** Default `optional`. */
  readonly justification?: "optional" | "required";
}

/** One project with its workload identity pools. */
export interface GcpWorld {
  readonly projectId: string;
  readonly projectNumber: string;
  /** By resource name, `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`. */
  readonly providers: Readonly<Record<string, GcpProvider>>;
  /** By e-mail address: who may do what with the service account. */
  readonly serviceAccounts: Readonly<Record<string, readonly IamBinding[]>>;
  /** The project's own, which hold for all that is in it. */
  readonly bindings: readonly IamBinding[];
  /** What the project is in, nearest first, `folders/NUMBER` and `organizations/NUMBER`: who may do what there and below. */
  readonly ancestors: Readonly<Record<string, readonly IamBinding[]>>;
  /** Custom roles, by name. */
  readonly roles: CustomRoles;
  /** By resource name, such as `projects/ID/locations/global/entitlements/NAME`. */
  readonly entitlements: Readonly<Record<string, GcpEntitlement>>;
  /** How long a change of a policy takes until it counts, in milliseconds; default 0. */
  readonly policyPropagationMs?: number;
  /** By name. */
  readonly buckets: Readonly<Record<string, GcpBucket>>;
}

export const DEFAULT_PROJECT = "agentctl-demo";
export const DEFAULT_PROJECT_NUMBER = "123456789012";
export const DEMO_POOL = `projects/${DEFAULT_PROJECT_NUMBER}/locations/global/workloadIdentityPools/demo-pool`;
export const DEMO_SERVICE_ACCOUNT = accountOf("demo");
/** Writes the bindings of others, and may do nothing else. */
export const GRANTER_SERVICE_ACCOUNT = accountOf("agentctl-granter");
/** May do nothing of its own. */
export const JIT_SERVICE_ACCOUNT = accountOf("jit");
export const DEMO_ENTITLEMENT = `projects/${DEFAULT_PROJECT}/locations/global/entitlements/demo-entitlement`;
const GRANTER_ROLE = `projects/${DEFAULT_PROJECT}/roles/agentctlGranter`;
const GRANTING = [
  ...["resourcemanager.projects.getIamPolicy", "resourcemanager.projects.setIamPolicy"],
  ...["storage.buckets.getIamPolicy", "storage.buckets.setIamPolicy"],
  ...["privilegedaccessmanager.grants.get", "privilegedaccessmanager.grants.list"],
  "privilegedaccessmanager.grants.revoke",
];

export function defaultGcp(): GcpWorld {
  const subject = { "google.subject": "assertion.sub" };
  const principal = (name: string): string => `principal://iam.googleapis.com/${DEMO_POOL}/subject/${name}`;
  const attribute = (name: string): string => `principalSet://iam.googleapis.com/${DEMO_POOL}/attribute.${name}`;
  const [demo, granter, jit] = [DEMO_SERVICE_ACCOUNT, GRANTER_SERVICE_ACCOUNT, JIT_SERVICE_ACCOUNT].map(
    (email) => `serviceAccount:${email}`,
  ) as [string, string, string];
  const trust = {
    role: "roles/iam.workloadIdentityUser",
    members: [
      attribute("repository/acme/site"),
      attribute("project_id/700000001"),
      principal("system:serviceaccount:acme:deploy"),
    ],
  };
  return {
    projectId: DEFAULT_PROJECT,
    projectNumber: DEFAULT_PROJECT_NUMBER,
    providers: {
      [`${DEMO_POOL}/providers/github`]: {
        issuer: "https://token.actions.githubusercontent.com",
        attributeMapping: { ...subject, "attribute.repository": "assertion.repository" },
        attributeCondition: 'assertion.repository_owner_id == "600000001" && assertion.ref == "refs/heads/main"',
      },
      [`${DEMO_POOL}/providers/gitlab`]: {
        issuer: "https://gitlab.com",
        attributeMapping: { ...subject, "attribute.project_id": "assertion.project_id" },
        attributeCondition: 'assertion.namespace_id == "600000001" && assertion.ref_protected == "true"',
      },
      [`${DEMO_POOL}/providers/kubernetes`]: {
        issuer: "https://kubernetes.default.svc.cluster.local",
        attributeMapping: { ...subject, "attribute.namespace": "assertion['kubernetes.io']['namespace']" },
      },
    },
    serviceAccounts: {
      [DEMO_SERVICE_ACCOUNT]: [trust, { role: "roles/iam.serviceAccountAdmin", members: [granter] }],
      [GRANTER_SERVICE_ACCOUNT]: [trust],
      [JIT_SERVICE_ACCOUNT]: [trust],
    },
    bindings: [{ role: GRANTER_ROLE, members: [granter] }],
    ancestors: { "folders/222222222222": [], "organizations/333333333333": [] },
    roles: { [GRANTER_ROLE]: GRANTING },
    entitlements: {
      [DEMO_ENTITLEMENT]: {
        maxRequestSeconds: 14_400,
        eligibleUsers: [granter, jit],
        roles: [{ role: "roles/storage.objectViewer" }],
      },
    },
    buckets: {
      demo: {
        objects: { "hello.txt": "Hello from the agentctl sandbox.\n", "reports/2026/q3.csv": "region,total\neu,42\n" },
        bindings: [{ role: "roles/storage.objectUser", members: [demo, attribute("repository/acme/site")] }],
      },
      other: { objects: { "private.txt": "Not for the demo service account.\n" }, bindings: [] },
    },
  };
}

function accountOf(name: string): string {
  return `${name}@${DEFAULT_PROJECT}.iam.gserviceaccount.com`;
}
