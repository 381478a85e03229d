import { roleIdOf } from "./roles.js";

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
  /** A condition of version 2.0, such as which roles an administrator may assign. */
  readonly condition?: string;
}

export interface AzureApp {
  /** For a reader. */
  readonly name?: string;
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
  /** How long a change of the role assignments takes until it counts, in milliseconds; default 0. */
  readonly rolePropagationMs?: number;
  /** How long after its end an assignment stands in the way of the same one anew, in milliseconds; default 0. */
  readonly roleReleaseMs?: number;
  /** How long after its start Privileged Identity Management takes no assignment back, in milliseconds; default 300 000. */
  readonly roleMinimumAgeMs?: number;
  /** How long Privileged Identity Management takes to make an assignment, in milliseconds; default 0. */
  readonly roleProvisioningMs?: number;
  /** Whether the tenant has a licence for Privileged Identity Management; default true. */
  readonly hasPimLicence?: boolean;
  /** What Privileged Identity Management asks of an active assignment; by default what it asks in a new tenant. */
  readonly pimPolicy?: PimPolicy;
}

export interface PimPolicy {
  readonly requiresJustification: boolean;
  /** The longest that an assignment may last; absent: also for ever. */
  readonly maxAssignmentDays?: number;
}

export const DEFAULT_TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
export const DEMO_CLIENT = "00001111-aaaa-2222-bbbb-3333cccc4444";
/** May assign the demo's roles to others. */
export const GRANTER_CLIENT = "11112222-bbbb-3333-cccc-4444dddd5555";
/** Have no role: a pool to assign roles to. */
export const POOL_CLIENTS = ["22223333-cccc-4444-dddd-5555eeee6666", "33334444-dddd-5555-eeee-6666ffff7777"] as const;
export const DEFAULT_PIM_POLICY: PimPolicy = { requiresJustification: true, maxAssignmentDays: 180 };
export const DEFAULT_SUBSCRIPTION = "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e";
export const DEMO_ACCOUNT = "agentctldemo";
const AUDIENCE = "api://AzureADTokenExchange";

export function defaultAzure(): AzureWorld {
  const subscription = `/subscriptions/${DEFAULT_SUBSCRIPTION}`;
  const account = `${subscription}/resourceGroups/demo/providers/Microsoft.Storage/storageAccounts/${DEMO_ACCOUNT}`;
  const federatedCredentials = trustPlatforms();
  const [first, second] = POOL_CLIENTS;
  return {
    tenantId: DEFAULT_TENANT,
    domain: "acme.onmicrosoft.com",
    subscriptionId: DEFAULT_SUBSCRIPTION,
    resourceGroups: ["demo", "other"],
    apps: {
      [DEMO_CLIENT]: {
        name: "agentctl-demo",
        federatedCredentials,
        roles: [
          { role: "Reader", scope: subscription },
          { role: "Storage Blob Data Contributor", scope: `${account}/blobServices/default/containers/demo` },
        ],
      },
      [GRANTER_CLIENT]: {
        name: "agentctl-granter",
        federatedCredentials,
        roles: [
          {
            role: "Role Based Access Control Administrator",
            scope: subscription,
            condition: constrainRoles(["Reader", "Storage Blob Data Reader", "Storage Blob Data Contributor"]),
          },
        ],
      },
      [first]: { name: "jit-one", federatedCredentials, roles: [] },
      [second]: { name: "jit-two", federatedCredentials, roles: [] },
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

/** For what the sandbox's tokens are about by default, on whichever platform. */
function trustPlatforms(): readonly FederatedCredential[] {
  const trust = (issuer: string, subject: string): FederatedCredential => ({ issuer, subject, audience: AUDIENCE });
  return [
    trust("https://token.actions.githubusercontent.com", "repo:acme/site:ref:refs/heads/main"),
    trust("https://gitlab.com", "project_path:acme/site:ref_type:branch:ref:main"),
    trust("https://kubernetes.default.svc.cluster.local", "system:serviceaccount:acme:deploy"),
  ];
}

/** The condition under which an administrator may assign and take back no roles but these, as Azure's portal writes it. */
export function constrainRoles(names: readonly string[]): string {
  const ids = names.map(roleIdOf).join(", ");
  const rule = (action: string, source: string): string =>
    `((!(ActionMatches{'Microsoft.Authorization/roleAssignments/${action}'})) OR (${source}[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${ids}}))`;
  return `${rule("write", "@Request")} AND ${rule("delete", "@Resource")}`;
}
