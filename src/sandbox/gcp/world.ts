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
  /** A CEL expression over `request.time` and `resource`. */
  readonly condition?: string;
}

export interface GcpBucket {
  /** Name → content. */
  readonly objects: Readonly<Record<string, string>>;
  readonly bindings: readonly IamBinding[];
}

/** One project with its workload identity pools. */
export interface GcpWorld {
  readonly projectId: string;
  readonly projectNumber: string;
  /** By resource name, `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`. */
  readonly providers: Readonly<Record<string, GcpProvider>>;
  /** By e-mail address: who may do what with the service account. */
  readonly serviceAccounts: Readonly<Record<string, readonly IamBinding[]>>;
  /** The project's own, which hold for every bucket. */
  readonly bindings: readonly IamBinding[];
  /** By name. */
  readonly buckets: Readonly<Record<string, GcpBucket>>;
}

export const DEFAULT_PROJECT = "agentctl-demo";
export const DEFAULT_PROJECT_NUMBER = "123456789012";
export const DEMO_POOL = `projects/${DEFAULT_PROJECT_NUMBER}/locations/global/workloadIdentityPools/demo-pool`;
export const DEMO_SERVICE_ACCOUNT = `demo@${DEFAULT_PROJECT}.iam.gserviceaccount.com`;

export function defaultGcp(): GcpWorld {
  const subject = { "google.subject": "assertion.sub" };
  const principal = (name: string): string => `principal://iam.googleapis.com/${DEMO_POOL}/subject/${name}`;
  const attribute = (name: string): string => `principalSet://iam.googleapis.com/${DEMO_POOL}/attribute.${name}`;
  const demo = `serviceAccount:${DEMO_SERVICE_ACCOUNT}`;
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
      [DEMO_SERVICE_ACCOUNT]: [
        {
          role: "roles/iam.workloadIdentityUser",
          members: [
            attribute("repository/acme/site"),
            attribute("project_id/700000001"),
            principal("system:serviceaccount:acme:deploy"),
          ],
        },
      ],
    },
    bindings: [],
    buckets: {
      demo: {
        objects: { "hello.txt": "Hello from the agentctl sandbox.\n", "reports/2026/q3.csv": "region,total\neu,42\n" },
        bindings: [{ role: "roles/storage.objectUser", members: [demo, attribute("repository/acme/site")] }],
      },
      other: { objects: { "private.txt": "Not for the demo service account.\n" }, bindings: [] },
    },
  };
}
