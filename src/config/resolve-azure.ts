import type { AzureSettings } from "../core/profile.js";
import type { BlockContext } from "./block-context.js";
import { resolveAzureRights, resolveClients } from "./resolve-azure-rights.js";
import type { AzureBlock } from "./schema-azure.js";
import { listOf } from "./schema-values.js";

/** The audience that Microsoft's own guides set up a federated credential with. */
const DEFAULT_AUDIENCE = "api://AzureADTokenExchange";
const DEFAULT_SCOPES = ["https://management.azure.com/.default"];

/** Defaults put in. Answers undefined when something was reported. */
export function resolveAzure(block: AzureBlock, context: BlockContext): AzureSettings | undefined {
  const { tenant_id: tenantId, subscription_id: subscriptionId } = block;
  if (tenantId === undefined) context.report(["tenant_id"], "is missing: which tenant the application is in");
  const clients = resolveClients(block, context);
  const rights = resolveAzureRights(block, context);
  if (tenantId === undefined || clients === undefined) return undefined;
  return {
    tenantId,
    ...clients,
    ...(subscriptionId !== undefined && { subscriptionId }),
    ...rights,
    scopes: block.scopes ?? DEFAULT_SCOPES,
    audiences: listOf(block.audience ?? DEFAULT_AUDIENCE),
  };
}
