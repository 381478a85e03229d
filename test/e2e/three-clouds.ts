import { DEFAULT_SUBSCRIPTION, DEFAULT_TENANT, DEMO_CLIENT } from "../../src/sandbox/azure/world.js";
import { DEFAULT_PROJECT, DEMO_POOL, DEMO_SERVICE_ACCOUNT } from "../../src/sandbox/gcp/world.js";

/** A cloud's block of a profile, as it is written. */
export type Block = Readonly<Record<string, unknown>>;

export const AWS: Block = { role_arn: "arn:aws:iam::111122223333:role/agentctl-demo", region: "us-east-1" };

export const AZURE: Block = {
  tenant_id: DEFAULT_TENANT,
  client_id: DEMO_CLIENT,
  subscription_id: DEFAULT_SUBSCRIPTION,
  scopes: ["https://management.azure.com/.default", "https://storage.azure.com/.default"],
};

export const GCP: Block = {
  workload_identity_provider: `${DEMO_POOL}/providers/github`,
  service_account: DEMO_SERVICE_ACCOUNT,
  project_id: DEFAULT_PROJECT,
};

/** May read the bucket demo below reports/, and nothing else. */
export const REPORTS_ONLY: Block = {
  available_resource: "//storage.googleapis.com/projects/_/buckets/demo",
  available_permissions: ["inRole:roles/storage.objectViewer"],
  availability_condition: { expression: "resource.name.startsWith('projects/_/buckets/demo/objects/reports/')" },
};

/** A configuration with these profiles; JSON is YAML as well. */
export function configOf(profiles: Readonly<Record<string, Block>>): string {
  return `${JSON.stringify({ version: 1, profiles }, undefined, 2)}\n`;
}
