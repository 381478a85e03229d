import { isSameSecret } from "../../core/constant-time.js";
import { formatInstant } from "../../core/durations.js";
import type { EndpointAnswer, EndpointQuestion, EndpointRefusal } from "../../core/endpoint.js";
import type { Grant } from "../../core/lease.js";
import type { AzureSettings } from "../../core/profile.js";
import { printable } from "../../core/scrub.js";
import { fieldOf } from "../exchange/wire.js";
import { findToken } from "./find-token.js";
import { type AzureProtocol, answerJson, refuseWith } from "./protocol.js";
import { tenantIdsOf } from "./tenant.js";

/** What AZD_AUTH_ENDPOINT is below the cloud's own address; azd asks `/token` of it. */
const PREFIX = "/azd";
const BEARER = /^bearer (.+)$/i;
const SHOWN_CHARACTERS = 100;

interface Asked {
  readonly scopes: readonly string[];
  readonly tenantId?: string;
}

/** azd's external authentication (2023-07-12-preview): cli/azd/docs/external-authentication.md of azure-dev. */
export function azd(settings: AzureSettings): AzureProtocol {
  return {
    variables: (place) => ({ AZD_AUTH_ENDPOINT: `${place.url}${PREFIX}`, AZD_AUTH_KEY: place.secret }),
    owns: (path) => path === `${PREFIX}/token`,
    authorize({ headers }, place) {
      return isSameSecret(BEARER.exec(headers["authorization"] ?? "")?.[1] ?? "", place.secret.reveal());
    },
    answer: (question, grant) => answerToken(question, grant, settings),
    refuse: refuseToken,
  };
}

function answerToken(
  question: EndpointQuestion,
  grant: Grant,
  settings: AzureSettings,
): EndpointAnswer | EndpointRefusal {
  if (question.method !== "POST") return refuseWith("bad-request", "a token is asked for with POST");
  const asked = readBody(question.body);
  if (asked === undefined) return refuseWith("bad-request", 'the body is not {"scopes": […], "tenantId": "…"}');
  const otherTenant = findOtherTenant(asked, grant, settings);
  if (otherTenant !== undefined) return otherTenant;
  // All of them are of one resource, in practice there is one; a token is for one.
  const tokens = asked.scopes.map((scope) => findToken(scope, grant));
  const token = tokens.find((found) => "reason" in found) ?? tokens[0];
  if (token === undefined) return refuseWith("bad-request", "no scope is asked for");
  if ("reason" in token) return token;
  if (tokens.some((other) => other !== token)) {
    return refuseWith("bad-request", "the scopes are of several resources, and a token is for one");
  }
  return answerJson(200, {
    status: "success",
    token: token.value.reveal(),
    expiresOn: formatInstant(token.usableUntil),
  });
}

function findOtherTenant({ tenantId }: Asked, grant: Grant, settings: AzureSettings): EndpointRefusal | undefined {
  if (tenantId === undefined || tenantId === "") return undefined;
  const served = tenantIdsOf(settings, grant);
  if (served.some((name) => name.toLowerCase() === tenantId.toLowerCase())) return undefined;
  const asked = printable(tenantId).slice(0, SHOWN_CHARACTERS);
  return refuseWith("scope", `no token for tenant ${asked}: the profile's is ${settings.tenantId}`);
}

function readBody(body: string): Asked | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return undefined;
  }
  const scopes = fieldOf(json, "scopes");
  const tenantId = fieldOf(json, "tenantId");
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === "string")) return undefined;
  if (tenantId !== undefined && typeof tenantId !== "string") return undefined;
  return { scopes, ...(tenantId !== undefined && { tenantId }) };
}

/** azd reads no more than the status of an answer other than 200, so that what its user is to see comes with one. */
function refuseToken({ reason, message }: EndpointRefusal): EndpointAnswer {
  const status = reason === "unauthorized" ? 401 : reason === "stranger" ? 403 : 200;
  return answerJson(status, { status: "error", code: "GetTokenError", message });
}
