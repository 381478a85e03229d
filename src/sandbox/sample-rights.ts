import { GRANTER_CLIENT, POOL_CLIENTS } from "./azure/world.js";
import { GRANTER_SERVICE_ACCOUNT, JIT_SERVICE_ACCOUNT } from "./gcp/world.js";
import type { WorldDefinition } from "./world.js";

const BUCKET = "demo";

/** A profile that is given its rights in Google Cloud for a lease alone; empty where the world does not hold what it takes. */
export function googleRightsProfile({ gcp }: WorldDefinition, provider: string | undefined): string {
  const isThere =
    [GRANTER_SERVICE_ACCOUNT, JIT_SERVICE_ACCOUNT].every((email) => Object.hasOwn(gcp.serviceAccounts, email)) &&
    Object.hasOwn(gcp.buckets, BUCKET);
  if (provider === undefined || !isThere) return "";
  return `  demo-jit:
    description: Read bucket ${BUCKET} of Google Cloud, by a role that is given for the lease and taken back at its end
    ttl: 15m
    gcp:
      workload_identity_provider: ${provider}
      service_account: ${JIT_SERVICE_ACCOUNT}
      project_id: ${gcp.projectId}
      granter: { service_account: ${GRANTER_SERVICE_ACCOUNT} }
      bindings:
        - { role: roles/storage.objectViewer, resource: buckets/${BUCKET} }
      ready: { permissions: [storage.objects.get, storage.objects.list] }
`;
}

/** The same in Azure, whose assignments can be taken back only when they are five minutes old: one profile waits for that. */
export function azureRightsProfile({ azure }: WorldDefinition): string {
  const isThere = [GRANTER_CLIENT, ...POOL_CLIENTS].every((clientId) => Object.hasOwn(azure.apps, clientId));
  if (!isThere) return "";
  return `  demo-jit-azure:
    description: List the resource groups of Azure, by a role that is given for the lease and ends by itself
    ttl: 5m
    # Azure takes nothing back that was given less than 5 minutes ago, and the sandbox may be closed by then.
    revoke: none
    azure:
      tenant_id: ${azure.tenantId}
      client_ids: [${POOL_CLIENTS.join(", ")}]
      subscription_id: ${azure.subscriptionId}
      granter: { client_id: ${GRANTER_CLIENT} }
      assignments:
        - { role: Reader, scope: /subscriptions/${azure.subscriptionId} }
      ready: { permissions: [Microsoft.Resources/subscriptions/resourceGroups/read] }
  demo-jit-azure-required:
    extends: demo-jit-azure
    description: The same, taken back as soon as Azure allows it, which a short command waits for
    revoke: required
`;
}
