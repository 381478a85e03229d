import { AgentctlError } from "../../../core/errors.js";
import type { EndpointOverride } from "../../../core/lease.js";
import type { Runtime } from "../../../core/runtime.js";
import { readOverride } from "../../exchange/override.js";
import { resolveAuthority } from "../authority.js";

/** Read by Azure Service Operator and Cluster API's Azure provider; Azure's SDKs and `az` have no variable for it. */
const VARIABLE = "AZURE_RESOURCE_MANAGER_ENDPOINT";
const PUBLIC_HOST = "management.azure.com";

/** Each cloud's Resource Manager, by its Microsoft Entra: KNOWN_CLOUDS in azure/cli/core/cloud.py, and Az.Accounts. */
const HOSTS: Readonly<Record<string, string>> = {
  "login.microsoftonline.com": PUBLIC_HOST,
  "login.microsoftonline.us": "management.usgovcloudapi.net",
  "login.partner.microsoftonline.cn": "management.chinacloudapi.cn",
  "login.chinacloudapi.cn": "management.chinacloudapi.cn",
  "login.sovcloud-identity.fr": "management.sovcloud-api.fr",
  "login.sovcloud-identity.de": "management.sovcloud-api.de",
};

/** Which Azure Resource Manager is asked, and what a token for it is asked for as. */
export interface ResourceManager {
  /** Without a slash at its end. */
  readonly url: string;
  /** Such as `https://management.azure.com/.default`. */
  readonly scope: string;
  /** Set when it is none of Microsoft's. */
  readonly override?: EndpointOverride;
}

/**
 * Works out which Azure Resource Manager to ask: that of the Microsoft Entra in use, unless
 * AZURE_RESOURCE_MANAGER_ENDPOINT names another.
 * @throws {AgentctlError} ENDPOINT_INVALID
 */
export function resolveResourceManager(runtime: Pick<Runtime, "env">): ResourceManager {
  const authority = resolveAuthority(runtime);
  const value = runtime.env[VARIABLE];
  // A Microsoft Entra that is none of Microsoft's stands for the public cloud's.
  const own = authority.override === undefined ? HOSTS[new URL(authority.url).host] : PUBLIC_HOST;
  if (value === undefined || value === "") return ofHost(own ?? unknown(authority.url));
  const url = readOverride(VARIABLE, value);
  if (url.protocol === "https:" && Object.values(HOSTS).includes(url.host)) return ofHost(url.host);
  const base = `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
  return { url: base, scope: ofHost(own ?? PUBLIC_HOST).scope, override: { variable: VARIABLE, url: base } };
}

function ofHost(host: string): ResourceManager {
  return { url: `https://${host}`, scope: `https://${host}/.default` };
}

function unknown(authority: string): never {
  throw new AgentctlError("ENDPOINT_INVALID", `agentctl does not know the Azure Resource Manager of ${authority}`, {
    hint: `name it in ${VARIABLE}`,
  });
}
