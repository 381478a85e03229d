import { type Block, GCP, REPORTS_ONLY } from "../three-clouds.js";

/** Settings that nobody has to be asked about. */
export interface MalformedRow {
  readonly name: string;
  /** Laid over the cloud's block. */
  readonly change: Block;
  readonly says: readonly RegExp[];
}

const ROLE = "arn:aws:iam::111122223333:role/agentctl-demo";

export const MALFORMED_AWS: readonly MalformedRow[] = [
  { name: "a role that is no ARN", change: { role_arn: "deploy" }, says: [/role_arn/, /not an ARN/] },
  { name: "a role of no account", change: { role_arn: ROLE.replace(/\d+/, "1111") }, says: [/12 digits/] },
  { name: "a user's ARN", change: { role_arn: ROLE.replace("role/", "user/") }, says: [/role_arn/, /role/] },
  { name: "a region that is none", change: { region: "Frankfurt" }, says: [/region/, /eu-central-1/] },
  { name: "a policy that is no ARN", change: { policy_arns: ["ReadOnly"] }, says: [/policy_arns/, /not an ARN/] },
  { name: "a hop that is no ARN", change: { chain: [{ role_arn: "next" }] }, says: [/chain/, /not an ARN/] },
];

export const MALFORMED_AZURE: readonly MalformedRow[] = [
  { name: "a tenant that is none", change: { tenant_id: "contoso" }, says: [/tenant_id/, /onmicrosoft/] },
  { name: "a tenant of everybody's", change: { tenant_id: "common" }, says: [/tenant_id/, /no tenant/] },
  { name: "a client that is no id", change: { client_id: "my-app" }, says: [/client_id/, /32 hexadecimal digits/] },
  {
    name: "a subscription that is no id",
    change: { subscription_id: "dev" },
    says: [/subscription_id/, /hexadecimal/],
  },
  { name: "a scope without /.default", change: { scopes: ["https://vault.azure.net"] }, says: [/scopes/, /\.default/] },
  { name: "a scope of no resource", change: { scopes: ["vault/.default"] }, says: [/scopes/, /names no resource/] },
  {
    name: "two scopes in one",
    change: { scopes: ["https://vault.azure.net/.default https://graph.microsoft.com/.default"] },
    says: [/scopes/, /space/, /entry of its own/],
  },
  {
    name: "a scope twice",
    change: { scopes: ["https://vault.azure.net/.default", "https://vault.azure.net/.default"] },
    says: [/scopes/, /tell them apart/],
  },
];

const PROVIDER = String(GCP["workload_identity_provider"]);

export const MALFORMED_GCP: readonly MalformedRow[] = [
  {
    name: "a provider by its project's id",
    change: { workload_identity_provider: PROVIDER.replace(/\d+/, "my-project") },
    says: [/workload_identity_provider/, /number/],
  },
  {
    name: "a provider that begins elsewhere",
    change: { workload_identity_provider: `//iam.googleapis.com/${PROVIDER}` },
    says: [/must begin with projects\//],
  },
  {
    name: "a pool of people",
    change: { workload_identity_provider: "locations/global/workforcePools/all/providers/okta" },
    says: [/workforce pool/],
  },
  {
    name: "a service account that is none",
    change: { service_account: "deploy" },
    says: [/service_account/, /e-mail/],
  },
  { name: "a project that is none", change: { project_id: "My Project" }, says: [/project_id/] },
  { name: "a scope that is none", change: { scopes: ["cloud-platform"] }, says: [/scopes/, /googleapis\.com\/auth/] },
  {
    name: "a boundary around something else than a bucket",
    change: { access_boundary: [{ ...REPORTS_ONLY, available_resource: "//bigquery.googleapis.com/projects/p" }] },
    says: [/access_boundary/, /not a bucket/],
  },
];
