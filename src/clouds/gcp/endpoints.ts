import type { EndpointOverride } from "../../core/lease.js";
import type { GcpSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import { readOverride } from "../exchange/override.js";

/** One of Google's services: where it is, and in what words that is told. */
export interface Endpoint {
  /** Ends in a slash. */
  readonly baseUrl: string;
  readonly override?: EndpointOverride;
}

export interface Endpoints {
  readonly sts: Endpoint;
  readonly iamCredentials: Endpoint;
}

/**
 * Works out which of Google's services to ask, from the variables that gcloud reads.
 * @throws {AgentctlError} ENDPOINT_INVALID
 */
export function resolveEndpoints(runtime: Pick<Runtime, "env">): Endpoints {
  return {
    sts: resolveEndpoint("CLOUDSDK_API_ENDPOINT_OVERRIDES_STS", "https://sts.googleapis.com/", runtime),
    iamCredentials: resolveEndpoint(
      "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS",
      "https://iamcredentials.googleapis.com/",
      runtime,
    ),
  };
}

/** @throws {AgentctlError} ENDPOINT_INVALID */
export function resolveEndpoint(variable: string, own: string, runtime: Pick<Runtime, "env">): Endpoint {
  const value = runtime.env[variable];
  if (value === undefined || value === "") return { baseUrl: own };
  const { href } = readOverride(variable, value);
  const baseUrl = href.endsWith("/") ? href : `${href}/`;
  return baseUrl === own ? { baseUrl } : { baseUrl, override: { variable, url: baseUrl } };
}

/** The overrides that a grant with these settings would meet. */
export function overridesOf(settings: GcpSettings, endpoints: Endpoints): readonly EndpointOverride[] {
  const impersonates = settings.serviceAccount !== undefined || settings.granter !== undefined;
  return overridesIn(impersonates ? [endpoints.sts, endpoints.iamCredentials] : [endpoints.sts]);
}

export function overridesIn(used: readonly Endpoint[]): readonly EndpointOverride[] {
  return used.flatMap(({ override }) => override ?? []);
}

export function tokenUrlOf({ sts }: Endpoints): string {
  return `${sts.baseUrl}v1/token`;
}

export function impersonationUrlOf({ iamCredentials }: Endpoints, serviceAccount: string): string {
  return `${iamCredentials.baseUrl}v1/projects/-/serviceAccounts/${serviceAccount}:generateAccessToken`;
}
