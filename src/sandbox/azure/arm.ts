import { jsonAnswer } from "../json-answer.js";
import { type FailureWords, queryValue, type Service, type ServiceRequest } from "../service.js";
import { WireError } from "../wire-error.js";
import { assertPermitted, authenticateArmCaller, type Caller, judgeArmAccess } from "./arm-caller.js";
import { answerAuthorization } from "./authorization/answer.js";
import { nameAuthorizationOperation, readAuthorizationTarget } from "./authorization/target.js";
import type { AzureContext } from "./context.js";
import { assertScopeExists, assertSubscription } from "./scope.js";

const FAILURES: FailureWords = {
  throttle: new WireError(429, "TooManyRequests", "The request is being throttled. Please try again later."),
  error: new WireError(500, "InternalServerError", "Encountered internal server error. Please try again later."),
  deny: new WireError(403, "AuthorizationFailed", "The client does not have authorization to perform the action."),
};

const OPERATIONS: readonly (readonly [RegExp, string])[] = [
  [/^\/subscriptions\/?$/i, "Subscriptions_List"],
  [/^\/subscriptions\/[^/]+\/?$/i, "Subscriptions_Get"],
  [/^\/subscriptions\/[^/]+\/resourcegroups\/?$/i, "ResourceGroups_List"],
  [/^\/subscriptions\/[^/]+\/resourcegroups\/[^/]+\/?$/i, "ResourceGroups_Get"],
];

/**
 * As much of Azure Resource Manager as shows whose token works, and gives roles and takes them back: subscriptions and
 * resource groups, read only, and role assignments with those of Privileged Identity Management.
 */
export function createArmService(context: AzureContext): Service {
  return {
    name: "arm",
    failures: FAILURES,
    nameOperation: nameArmOperation,
    answer: async (request, operation, note) => {
      const caller = await authenticateArmCaller(request, context, note);
      if (queryValue(request, "api-version") === undefined) {
        const text = "The api-version query parameter (?api-version=) is required for all requests.";
        throw new WireError(400, "MissingApiVersionParameter", text);
      }
      if (operation === "unknown") throw new WireError(404, "NotFound", "No HTTP resource was found at this path.");
      const target = readAuthorizationTarget(request.path);
      if (target !== undefined) return answerAuthorization(request, target, caller, context, note);
      return jsonAnswer(answerFor(operation, request, caller, context));
    },
    refuse: ({ status, code, message }) => jsonAnswer({ error: { code, message } }, status),
  };
}

function nameArmOperation(request: ServiceRequest): string {
  const target = readAuthorizationTarget(request.path);
  if (target !== undefined) return nameAuthorizationOperation(request.method, target) ?? "unknown";
  const found = request.method === "GET" ? OPERATIONS.find(([pattern]) => pattern.test(request.path)) : undefined;
  return found?.[1] ?? "unknown";
}

function answerFor(operation: string, request: ServiceRequest, caller: Caller, context: AzureContext): unknown {
  const { world } = context;
  const scope = `/subscriptions/${world.subscriptionId}`;
  const subscription = { id: scope, subscriptionId: world.subscriptionId, displayName: "sandbox", state: "Enabled" };
  const reading = { action: "Microsoft.Resources/subscriptions/read", resource: scope };
  if (operation === "Subscriptions_List") {
    const isSeen = judgeArmAccess(caller, reading, context) === "allowed";
    return { value: isSeen ? [subscription] : [], count: { type: "Total", value: isSeen ? 1 : 0 } };
  }
  assertSubscription(decodeURIComponent(request.path.split("/")[2] ?? ""), world);
  if (operation === "Subscriptions_Get") {
    assertPermitted(caller, reading, context);
    return subscription;
  }
  const action = "Microsoft.Resources/subscriptions/resourceGroups/read";
  if (operation === "ResourceGroups_List") {
    assertPermitted(caller, { action, resource: scope }, context);
    return { value: world.resourceGroups.map((name) => presentGroup(name, scope)) };
  }
  const asked = decodeURIComponent(request.path.split("/")[4] ?? "");
  const group = `${scope}/resourceGroups/${asked}`;
  assertPermitted(caller, { action, resource: group }, context);
  assertScopeExists(group, world);
  return presentGroup(world.resourceGroups.find((name) => name.toLowerCase() === asked.toLowerCase()) ?? asked, scope);
}

function presentGroup(name: string, subscription: string): unknown {
  const id = `${subscription}/resourceGroups/${name}`;
  const properties = { provisioningState: "Succeeded" };
  return { id, name, type: "Microsoft.Resources/resourceGroups", location: "westeurope", properties };
}
