import { readBearer } from "../../bearer.js";
import type { ServiceRequest } from "../../service.js";
import { WireError } from "../../wire-error.js";
import type { AccessTokenFault } from "../access-tokens.js";
import type { Caller } from "../arm-caller.js";
import type { AzureContext } from "../context.js";
import { AuthenticationError } from "./xml.js";

/** The first version that takes bearer tokens. */
const FIRST_VERSION = "2017-11-09";

const DETAILS: Readonly<Record<AccessTokenFault, string>> = {
  malformed: "Token is malformed.",
  "bad signature": "Signature validation failed. Signature verification failed.",
  "wrong issuer": "Issuer validation failed. Issuer did not match.",
  expired: "Lifetime validation failed. The token is expired.",
  early: "Lifetime validation failed. The token is not yet valid.",
  "wrong audience": "Audience validation failed. Audience did not match.",
};

/** The application whose token it is; Azure's own refusals where it is none for this account. */
export async function authenticateBlobCaller(
  request: ServiceRequest,
  account: string,
  context: AzureContext,
): Promise<Caller> {
  const token = readBearer(request);
  if (token === undefined) throw refuseWithoutToken(request);
  const version = request.headers["x-ms-version"] ?? "";
  if (!/^\d{4}-\d\d-\d\d$/.test(version) || version < FIRST_VERSION) {
    throw new AuthenticationError(
      403,
      "AuthenticationFailed",
      "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.",
      "Authentication scheme Bearer is not supported in this version.",
    );
  }
  const { tenantId } = context.world;
  const own = `https://${account}.blob.core.windows.net`;
  const audiences = ["https://storage.azure.com", "https://storage.azure.com/", own, `${own}/`];
  const checked = await context.tokens.verify(token, { tenantId, audiences }, context.now("blob"));
  if ("claims" in checked) {
    return { clientId: String(checked.claims["appid"]), objectId: String(checked.claims["oid"]) };
  }
  throw new AuthenticationError(
    401,
    "InvalidAuthenticationInfo",
    "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
    DETAILS[checked.fault],
    {
      "www-authenticate": `Bearer authorization_uri=https://login.microsoftonline.com/${tenantId}/oauth2/authorize resource_id=https://storage.azure.com`,
    },
  );
}

function refuseWithoutToken(request: ServiceRequest): WireError {
  const isAnonymous = (request.headers["authorization"] ?? "") === "";
  if (isAnonymous)
    return new WireError(409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.");
  return new WireError(
    403,
    "KeyBasedAuthenticationNotPermitted",
    "Key based authentication is not permitted on this storage account.",
  );
}
