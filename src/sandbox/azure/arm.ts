import { readBearer } from "../bearer.js";
import { jsonAnswer } from "../json-answer.js";
import { type FailureWords, queryValue, type Service, type ServiceRequest, type TakeNotes } from "../service.js";
import { WireError } from "../wire-error.js";
import type { AccessTokenFault } from "./access-tokens.js";
import { type AzureContext, findApp } from "./context.js";
import { isAllowed } from "./roles.js";

const AUDIENCES = [
  "https://management.core.windows.net/",
  "https://management.core.windows.net",
  "https://management.azure.com/",
  "https://management.azure.com",
] as const;

const FAILURES: FailureWords = {
  throttle: new WireError(429, "TooManyRequests", "The request is being throttled. Please try again later."),
  error: new WireError(500, "InternalServerError", "Encountered internal server error. Please try again later."),
  deny: new WireError(403, "AuthorizationFailed", "The client does not have authorization to perform the action."),
};

const OPERATIONS: readonly (readonly [RegExp, string])[] = [
  [/^\/subscriptions\/?$/i, "Subscriptions_List"],
  [/^\/subscriptions\/[^/]+\/?$/i, "Subscriptions_Get"],
  [/^\/subscriptions\/[^/]+\/resourcegroups\/?$/i, "ResourceGroups_List"],
];

/** As much of Azure Resource Manager as shows whose token works: subscriptions and resource groups, read only. */
export function createArmService(context: AzureContext): Service {
  return {
    name: "arm",
    failures: FAILURES,
    nameOperation: ({ method, path }) =>
      (method === "GET" && OPERATIONS.find(([pattern]) => pattern.test(path))?.[1]) || "unknown",
    answer: async (request, operation, note) => {
      const caller = await authenticate(request, context, note);
      if (queryValue(request, "api-version") === undefined) {
        const text = "The api-version query parameter (?api-version=) is required for all requests.";
        throw new WireError(400, "MissingApiVersionParameter", text);
      }
      if (operation === "unknown") throw new WireError(404, "NotFound", "No HTTP resource was found at this path.");
      return jsonAnswer(answerFor(operation, request, caller, context));
    },
    refuse: ({ status, code, message }) => jsonAnswer({ error: { code, message } }, status),
  };
}

interface Caller {
  readonly clientId: string;
  readonly objectId: string;
}

async function authenticate(request: ServiceRequest, context: AzureContext, note: TakeNotes): Promise<Caller> {
  const { tenantId } = context.world;
  const challenge = {
    "www-authenticate": `Bearer authorization_uri="https://login.windows.net/${tenantId}", error="invalid_token"`,
  };
  const token = readBearer(request);
  if (token === undefined) {
    const text = "Authentication failed. The 'Authorization' header is missing.";
    throw new WireError(401, "AuthenticationFailed", text, challenge);
  }
  const now = context.now("arm");
  const checked = await context.tokens.verify(token, { tenantId, audiences: AUDIENCES }, now);
  if ("fault" in checked) throw new WireError(401, ...explain(checked.fault, now), challenge);
  const caller = { clientId: String(checked.claims["appid"]), objectId: String(checked.claims["oid"]) };
  note({ principal: caller.clientId });
  return caller;
}

function explain(fault: AccessTokenFault, now: number): readonly [code: string, message: string] {
  switch (fault) {
    case "expired":
      return [
        "ExpiredAuthenticationToken",
        `The access token expiry UTC time is earlier than current UTC time '${new Date(now).toUTCString()}'.`,
      ];
    case "wrong audience":
      return [
        "InvalidAuthenticationTokenAudience",
        `The access token has been obtained for wrong audience or resource. It should exactly match with one of the allowed audiences ${AUDIENCES.map((one) => `'${one}'`).join(",")}.`,
      ];
    case "wrong issuer":
      return ["InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer."];
    default:
      return ["InvalidAuthenticationToken", "The access token is invalid."];
  }
}

function answerFor(operation: string, request: ServiceRequest, caller: Caller, context: AzureContext): unknown {
  const { world } = context;
  const scope = `/subscriptions/${world.subscriptionId}`;
  const subscription = { id: scope, subscriptionId: world.subscriptionId, displayName: "sandbox", state: "Enabled" };
  if (operation === "Subscriptions_List") {
    const isSeen = isPermitted(caller, "Microsoft.Resources/subscriptions/read", scope, context);
    return { value: isSeen ? [subscription] : [], count: { type: "Total", value: isSeen ? 1 : 0 } };
  }
  const asked = decodeURIComponent(request.path.split("/")[2] ?? "");
  if (asked.toLowerCase() !== world.subscriptionId.toLowerCase()) {
    throw new WireError(404, "SubscriptionNotFound", `The subscription '${asked}' could not be found.`);
  }
  if (operation === "Subscriptions_Get") {
    assertPermitted(caller, "Microsoft.Resources/subscriptions/read", scope, context);
    return subscription;
  }
  assertPermitted(caller, "Microsoft.Resources/subscriptions/resourceGroups/read", scope, context);
  const type = "Microsoft.Resources/resourceGroups";
  const properties = { provisioningState: "Succeeded" };
  const groups = world.resourceGroups.map((name) => ({ id: `${scope}/resourceGroups/${name}`, name, type }));
  return { value: groups.map((group) => ({ ...group, location: "westeurope", properties })) };
}

function isPermitted(caller: Caller, action: string, resource: string, { world }: AzureContext): boolean {
  return isAllowed(findApp(world, caller.clientId)?.app, { action, isDataAction: false, resource });
}

function assertPermitted(caller: Caller, action: string, scope: string, context: AzureContext): void {
  if (isPermitted(caller, action, scope, context)) return;
  const { clientId, objectId } = caller;
  throw new WireError(
    403,
    "AuthorizationFailed",
    `The client '${clientId}' with object id '${objectId}' does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  );
}
