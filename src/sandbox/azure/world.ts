/** What a token has to say, exactly, to be taken for the application. */
export interface FederatedCredential {
  /** May be GitHub's, GitLab's or a cluster's own; the sandbox's issuer stands in for it. */
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
}

export interface RoleAssignment {
  /** A built-in role by its name, such as `Storage Blob Data Reader`. */
  readonly role: string;
  /** A resource id, such as `/subscriptions/…/resourceGroups/demo`. */
  readonly scope: string;
}

export interface AzureApp {
  /** The object id of its service principal; made from the client id by default. */
  readonly objectId?: string;
  readonly federatedCredentials: readonly FederatedCredential[];
  readonly roles: readonly RoleAssignment[];
}

export interface StorageAccount {
  readonly resourceGroup: string;
  /** Container → blob → content. */
  readonly containers: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** One tenant with one subscription. */
export interface AzureWorld {
  readonly tenantId: string;
  /** By which the tenant may be named as well. */
  readonly domain: string;
  readonly subscriptionId: string;
  readonly resourceGroups: readonly string[];
  /** By client id. */
  readonly apps: Readonly<Record<string, AzureApp>>;
  /** By account name. */
  readonly storageAccounts: Readonly<Record<string, StorageAccount>>;
  /** How long a token lasts; Entra's own choice is 3 600 to 5 400. */
  readonly tokenLifeSeconds: number;
}

export const DEFAULT_TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
export const DEMO_CLIENT = "00001111-aaaa-2222-bbbb-3333cccc4444";
export const DEFAULT_SUBSCRIPTION = "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e";
export const DEMO_ACCOUNT = "agentctldemo";
const AUDIENCE = "api://AzureADTokenExchange";

export function defaultAzure(): AzureWorld {
  const subscription = `/subscriptions/${DEFAULT_SUBSCRIPTION}`;
  const account = `${subscription}/resourceGroups/demo/providers/Microsoft.Storage/storageAccounts/${DEMO_ACCOUNT}`;
  const trust = (issuer: string, subject: string): FederatedCredential => ({ issuer, subject, audience: AUDIENCE });
  return {
    tenantId: DEFAULT_TENANT,
    domain: "acme.onmicrosoft.com",
    subscriptionId: DEFAULT_SUBSCRIPTION,
    resourceGroups: ["demo", "other"],
    apps: {
      [DEMO_CLIENT]: {
        federatedCredentials: [
          trust("https://token.actions.githubusercontent.com", "repo:acme/site:ref:refs/heads/main"),
          trust("https://gitlab.com", "project_path:acme/site:ref_type:branch:ref:main"),
          trust("https://kubernetes.default.svc.cluster.local", "system:serviceaccount:acme:deploy"),
        ],
        roles: [
          { role: "Reader", scope: subscription },
          { role: "Storage Blob Data Contributor", scope: `${account}/blobServices/default/containers/demo` },
        ],
      },
    },
    storageAccounts: {
      [DEMO_ACCOUNT]: {
        resourceGroup: "demo",
        containers: {
          demo: { "hello.txt": "Hello from the agentctl sandbox.\n", "reports/2026/q3.csv": "region,total\neu,42\n" },
          other: { "private.txt": "Not for the demo application.\n" },
        },
      },
    },
    tokenLifeSeconds: 3599,
  };
}
