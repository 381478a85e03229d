import { readBearer } from "../bearer.js";
import type { ServiceRequest, TakeNotes } from "../service.js";
import { WireError } from "../wire-error.js";
import type { AccessTokenFault } from "./access-tokens.js";
import { type AzureAccess, judgeAccess, type Verdict } from "./authorization/access.js";
import type { AzureContext } from "./context.js";

const AUDIENCES = [
  "https://management.core.windows.net/",
  "https://management.core.windows.net",
  "https://management.azure.com/",
  "https://management.azure.com",
] as const;

/** An application, by the ids that its token has. */
export interface Caller {
  readonly clientId: string;
  readonly objectId: string;
}

/** @throws {WireError} 401, with Resource Manager's challenge, where the token is none for it */
export async function authenticateArmCaller(
  request: ServiceRequest,
  context: AzureContext,
  note: TakeNotes,
): Promise<Caller> {
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

/** An action of Resource Manager's, that is one on no data. */
export type ArmAccess = Omit<AzureAccess, "isDataAction">;

export function judgeArmAccess(caller: Caller, access: ArmAccess, { assignments }: AzureContext): Verdict {
  return judgeAccess(assignments.seenBy("arm", caller.objectId), { ...access, isDataAction: false });
}

/** @throws {WireError} AuthorizationFailed, in the two ways in which Resource Manager words it */
export function assertPermitted(caller: Caller, access: ArmAccess, context: AzureContext): void {
  const verdict = judgeArmAccess(caller, access, context);
  if (verdict === "allowed") return;
  const { clientId, objectId } = caller;
  const lack =
    verdict === "denied"
      ? "does not have authorization"
      : "has an authorization with ABAC condition that is not fulfilled";
  throw new WireError(
    403,
    "AuthorizationFailed",
    `The client '${clientId}' with object id '${objectId}' ${lack} to perform action '${access.action}' over scope '${access.resource}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  );
}
