import { DEMO_CLIENT } from "./azure/world.js";
import { DEMO_SERVICE_ACCOUNT } from "./gcp/world.js";
import { PLATFORMS } from "./oidc/platforms.js";
import { azureRightsProfile, googleRightsProfile } from "./sample-rights.js";
import { revokerArn, type WorldDefinition } from "./world.js";

/** A first `agentctl.yaml` for the default world, with the clouds of which it holds the demo's part; undefined for none. */
export function sampleProfile(world: WorldDefinition): string | undefined {
  const roleArn = `arn:aws:iam::${world.accountId}:role/agentctl-demo`;
  if (world.roles[roleArn] === undefined) return undefined;
  const provider = findProvider(world);
  return `version: 1
profiles:
  demo:
    description: Read and write what is called demo in the sandbox's clouds
    ttl: 15m
    aws:
      role_arn: ${roleArn}
      region: us-east-1
${revokerLine(world)}${azureBlock(world)}${provider === undefined ? "" : gcpBlock(world, provider, "")}
  demo-readonly:
    description: Only list and read what is called demo, in the clouds that can narrow a credential
    ttl: 15m
    aws:
      role_arn: ${roleArn}
      region: us-east-1
      session_policy:
        Version: "2012-10-17"
        Statement:
          - { Effect: Allow, Action: "s3:ListAllMyBuckets", Resource: "*" }
          - Effect: Allow
            Action: ["s3:ListBucket", "s3:GetObject"]
            Resource: ["arn:aws:s3:::demo", "arn:aws:s3:::demo/*"]
${provider === undefined ? "" : gcpBlock(world, provider, READ_ONLY)}${googleRightsProfile(world, provider)}${azureRightsProfile(world)}`;
}

function revokerLine({ accountId, roles }: WorldDefinition): string {
  const roleArn = revokerArn(accountId);
  return roles[roleArn] === undefined ? "" : `      revoker: { role_arn: "${roleArn}" }\n`;
}

function azureBlock({ azure }: WorldDefinition): string {
  if (azure.apps[DEMO_CLIENT] === undefined) return "";
  return `    azure:
      tenant_id: ${azure.tenantId}
      client_id: ${DEMO_CLIENT}
      subscription_id: ${azure.subscriptionId}
      scopes: ["https://management.azure.com/.default", "https://storage.azure.com/.default"]
`;
}

const READ_ONLY = `      access_boundary:
        - available_resource: //storage.googleapis.com/projects/_/buckets/demo
          available_permissions: ["inRole:roles/storage.objectViewer"]
`;

function gcpBlock({ gcp }: WorldDefinition, provider: string, boundary: string): string {
  return `    gcp:
      workload_identity_provider: ${provider}
      service_account: ${DEMO_SERVICE_ACCOUNT}
      project_id: ${gcp.projectId}
${boundary}`;
}

/** The provider for the platform's tokens, where the demo's service account is there to go on to. */
function findProvider({ gcp, platform }: WorldDefinition): string | undefined {
  if (gcp.serviceAccounts[DEMO_SERVICE_ACCOUNT] === undefined) return undefined;
  const { standsFor } = PLATFORMS[platform];
  return Object.entries(gcp.providers).find(([, { issuer }]) => issuer === standsFor)?.[0];
}
