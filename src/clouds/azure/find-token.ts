import type { EndpointRefusal } from "../../core/endpoint.js";
import type { Grant, IssuedSecret } from "../../core/lease.js";
import { printable } from "../../core/scrub.js";
import { refuseWith } from "./protocol.js";

const SUFFIX = "/.default";
const SHOWN_CHARACTERS = 200;

/**
 * Azure Resource Manager by its two names, in each national cloud: it takes a token for either, `az` asks for the
 * older, and the SDKs for the newer. So a profile that names one of them has the token of both; nothing is wider for
 * it, since the rights are the principal's and the API the same. No other API is known by a second name here.
 */
const RESOURCE_MANAGERS: readonly (readonly [string, string])[] = [
  ["https://management.core.windows.net", "https://management.azure.com"],
  ["https://management.core.usgovcloudapi.net", "https://management.usgovcloudapi.net"],
  ["https://management.core.chinacloudapi.cn", "https://management.chinacloudapi.cn"],
];

/**
 * The grant's token for a resource such as `https://storage.azure.com/`, or `scope` as the reason why there is none:
 * only what the profile's scopes name is served.
 */
export function findToken(resource: string, grant: Pick<Grant, "secrets">): IssuedSecret | EndpointRefusal {
  const scopes = Object.keys(grant.secrets);
  const names = namesOf(resource);
  const scope = names.map((name) => scopes.find((held) => toName(held) === name)).find((found) => found !== undefined);
  const token = scope === undefined ? undefined : grant.secrets[scope];
  if (token !== undefined) return token;
  const asked = printable(resource).slice(0, SHOWN_CHARACTERS);
  return refuseWith("scope", `no token for ${asked}: azure.scopes of this profile has ${scopes.join(", ")}`);
}

/** What the resource is called, as asked first. */
function namesOf(resource: string): readonly string[] {
  const name = toName(resource);
  return [name, ...RESOURCE_MANAGERS.filter((names) => names.includes(name)).flat()];
}

/** Of a scope or resource, that which two spellings of one have in common: tools differ in the slash at its end. */
function toName(text: string): string {
  const resource = text.endsWith(SUFFIX) ? text.slice(0, -SUFFIX.length) : text;
  return (resource.endsWith("/") ? resource.slice(0, -1) : resource).toLowerCase();
}
