import type { Service, ServiceRequest } from "../service.js";
import { createAccessTokens } from "./access-tokens.js";
import { createArmService } from "./arm.js";
import { createBlobService } from "./blob/service.js";
import { createBlobStore } from "./blob/store.js";
import type { AzureContext } from "./context.js";
import { createEntraService } from "./entra.js";

/** Which of Azure's services a request on their common port is for, by its path. */
export function routeAzure(
  given: Omit<AzureContext, "tokens" | "scheduleRequests" | "locks">,
): (request: ServiceRequest) => Service {
  const context: AzureContext = { ...given, tokens: createAccessTokens(), scheduleRequests: [], locks: [] };
  const entra = createEntraService(context);
  const arm = createArmService(context);
  const blob = createBlobService(context, createBlobStore(context.world, context.now("blob")));
  return ({ path }) => {
    const [, first = ""] = path.split("/");
    if (["subscriptions", "providers"].includes(first.toLowerCase())) return arm;
    return Object.hasOwn(context.world.storageAccounts, first) ? blob : entra;
  };
}
