import { AgentctlError } from "../../core/errors.js";
import type { EndpointOverride } from "../../core/lease.js";
import type { AwsSettings } from "../../core/profile.js";
import type { Environment, Runtime } from "../../core/runtime.js";
import { readOverride } from "../exchange/override.js";
import { firstRegionOf, stsRegionOf } from "./region.js";

/** Which STS, or which IAM, is asked. */
export interface ServiceEndpoint {
  readonly service: "STS" | "IAM";
  readonly region: string;
  /** Set when it is not AWS's own for the region. */
  readonly override?: EndpointOverride;
  readonly useFips: boolean;
  readonly useDualstack: boolean;
}

/**
 * Works out which STS to ask from the variables that AWS's own SDKs read, and from no file.
 * @throws {AgentctlError} ENDPOINT_INVALID, CONFIG_INVALID
 */
export function resolveStsEndpoint(settings: AwsSettings, runtime: Pick<Runtime, "env">): ServiceEndpoint {
  return resolveEndpoint("STS", stsRegionOf(settings, runtime), runtime);
}

/**
 * Likewise the IAM of a role: one for its whole partition, in the partition's first region.
 * @throws {AgentctlError} ENDPOINT_INVALID, CONFIG_INVALID
 */
export function resolveIamEndpoint(roleArn: string, runtime: Pick<Runtime, "env">): ServiceEndpoint {
  return resolveEndpoint("IAM", firstRegionOf(roleArn), runtime);
}

/** @throws {AgentctlError} ENDPOINT_INVALID */
export function resolveEndpoint(
  service: ServiceEndpoint["service"],
  region: string,
  { env }: Pick<Runtime, "env">,
): ServiceEndpoint {
  const override = endpointOverride(service, env);
  const useFips = isTrue(env["AWS_USE_FIPS_ENDPOINT"]);
  const useDualstack = isTrue(env["AWS_USE_DUALSTACK_ENDPOINT"]);
  if (override === undefined) return { service, region, useFips, useDualstack };
  if (useFips || useDualstack) {
    const variable = useFips ? "AWS_USE_FIPS_ENDPOINT" : "AWS_USE_DUALSTACK_ENDPOINT";
    throw new AgentctlError("ENDPOINT_INVALID", `${variable} cannot be combined with ${override.variable}`, {
      hint: `unset one of the two`,
    });
  }
  return { service, region, override, useFips, useDualstack };
}

/** By the region's first letters: @aws-sdk/core's partitions.js, `dnsSuffix`. */
const DNS_SUFFIXES: readonly (readonly [RegExp, string])[] = [
  [/^cn-/, "amazonaws.com.cn"],
  [/^eusc-/, "amazonaws.eu"],
  [/^us-iso-/, "c2s.ic.gov"],
  [/^us-isob-/, "sc2s.sgov.gov"],
  [/^eu-isoe-/, "cloud.adc-e.uk"],
  [/^us-isof-/, "csp.hci.ic.gov"],
];

/** Where that STS is, for a look at it: which address an exchange goes to is the SDK's own affair. */
export function stsUrlOf({ region, override, useFips }: ServiceEndpoint): string {
  if (override !== undefined) return override.url;
  const suffix = DNS_SUFFIXES.find(([pattern]) => pattern.test(region))?.[1] ?? "amazonaws.com";
  return `https://sts${useFips ? "-fips" : ""}.${region}.${suffix}`;
}

/** The overrides of several services, each once: one variable may be for all of them. */
export function overridesOf(endpoints: readonly ServiceEndpoint[]): EndpointOverride[] {
  const overrides = endpoints.flatMap(({ override }) => override ?? []);
  return [...new Map(overrides.map((override) => [override.variable, override])).values()];
}

function endpointOverride(service: ServiceEndpoint["service"], env: Environment): EndpointOverride | undefined {
  if (isTrue(env["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"])) return undefined;
  for (const variable of [`AWS_ENDPOINT_URL_${service}`, "AWS_ENDPOINT_URL"]) {
    const value = env[variable];
    if (value !== undefined && value !== "")
      return { variable, url: readOverride(variable, value).href.replace(/\/$/, "") };
  }
  return undefined;
}

/** The SDKs' own reading of a flag: `true` in any case. */
function isTrue(value: string | undefined): boolean {
  return value?.toLowerCase() === "true";
}
