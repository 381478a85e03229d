import { AgentctlError } from "../../core/errors.js";
import type { EndpointOverride } from "../../core/lease.js";
import type { Environment, Runtime } from "../../core/runtime.js";
import { readOverride } from "../exchange/override.js";

const VARIABLE = "AZURE_AUTHORITY_HOST";
const PUBLIC_HOST = "login.microsoftonline.com";

/**
 * Microsoft Entra's own hosts: the public cloud, Azure Government, Azure in China (two names), and the
 * sovereign clouds that @azure/msal-common's AuthorityMetadata knows.
 */
const ENTRA_HOSTS: readonly string[] = [
  PUBLIC_HOST,
  "login.microsoftonline.us",
  "login.partner.microsoftonline.cn",
  "login.chinacloudapi.cn",
  "login.sovcloud-identity.fr",
  "login.sovcloud-identity.de",
  "login.sovcloud-identity.sg",
];

/** With these MSAL would send the assertion to a regional service that only Microsoft's own applications may use. */
const REGION_VARIABLES = ["AZURE_REGIONAL_AUTHORITY_NAME", "MSAL_FORCE_REGION"] as const;

/** Which Microsoft Entra is asked. */
export interface Authority {
  /** Such as `https://login.microsoftonline.com`. */
  readonly url: string;
  /** Where requests may go: the aliases of one cloud answer for one another. */
  readonly origins: readonly string[];
  /** Set when it is none of Microsoft's; instance discovery is then off. */
  readonly override?: EndpointOverride;
}

/**
 * Works out which Microsoft Entra to ask from AZURE_AUTHORITY_HOST, the variable of Azure's own SDKs.
 * @throws {AgentctlError} ENDPOINT_INVALID
 */
export function resolveAuthority(runtime: Pick<Runtime, "env">): Authority {
  refuseRegions(runtime.env);
  const value = runtime.env[VARIABLE];
  const url = value === undefined || value === "" ? new URL(`https://${PUBLIC_HOST}`) : readHost(value);
  if (ENTRA_HOSTS.includes(url.host)) {
    return { url: url.origin, origins: ENTRA_HOSTS.map((host) => `https://${host}`) };
  }
  return { url: url.origin, origins: [url.origin], override: { variable: VARIABLE, url: url.origin } };
}

function readHost(value: string): URL {
  const url = readOverride(VARIABLE, value);
  if (url.protocol !== "https:") {
    throw new AgentctlError("ENDPOINT_INVALID", `${VARIABLE} is not an https URL`, {
      hint: "Azure's library takes no other, not even for this machine's own loopback address",
    });
  }
  if (url.pathname !== "/") {
    throw new AgentctlError("ENDPOINT_INVALID", `${VARIABLE} holds a path`, {
      hint: "give only the scheme, the host and the port; the tenant is azure.tenant_id's",
    });
  }
  return url;
}

function refuseRegions(env: Environment): void {
  const variable = REGION_VARIABLES.find((name) => env[name] !== undefined && env[name] !== "");
  if (variable === undefined) return;
  throw new AgentctlError("ENDPOINT_INVALID", `${variable} would send the token to a regional Microsoft Entra`, {
    hint: `unset ${variable}`,
  });
}
