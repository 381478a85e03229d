import { AgentctlError } from "../../core/errors.js";
import type { AwsSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";

/** The region that AWS's own tools fall back to in each partition. */
const DEFAULT_REGIONS: Readonly<Record<string, string>> = {
  aws: "us-east-1",
  "aws-cn": "cn-north-1",
  "aws-us-gov": "us-gov-west-1",
  "aws-eusc": "eusc-de-east-1",
  "aws-iso": "us-iso-east-1",
  "aws-iso-b": "us-isob-east-1",
  "aws-iso-e": "eu-isoe-west-1",
  "aws-iso-f": "us-isof-south-1",
};

const PARTITION_PREFIXES: readonly (readonly [string, string])[] = [
  ["cn-", "aws-cn"],
  ["us-gov-", "aws-us-gov"],
  ["eusc-", "aws-eusc"],
  ["us-iso-", "aws-iso"],
  ["us-isob-", "aws-iso-b"],
  ["eu-isoe-", "aws-iso-e"],
  ["us-isof-", "aws-iso-f"],
];

/** A region becomes a part of a host name, so nothing else may pass. */
const REGION = /^[a-z]{2,6}(-[a-z]+)+-\d{1,2}$/;

/**
 * The region whose STS is asked: the profile's, else the caller's own `AWS_REGION` or
 * `AWS_DEFAULT_REGION` where it lies in the role's partition, else that partition's default.
 * Always a regional STS, never the global one, whose tokens opt-in regions refuse.
 * @throws {AgentctlError} CONFIG_INVALID
 */
export function stsRegionOf(settings: AwsSettings, runtime: Pick<Runtime, "env">): string {
  if (settings.region !== undefined) return checkRegion(settings.region);
  const partition = settings.roleArn.split(":")[1] ?? "";
  const ambient = runtime.env["AWS_REGION"] || runtime.env["AWS_DEFAULT_REGION"] || "";
  if (isRegion(ambient) && partitionOf(ambient) === partition) return ambient;
  return firstRegionOf(settings.roleArn);
}

/**
 * The region that AWS's own tools fall back to in a role's partition.
 * @throws {AgentctlError} CONFIG_INVALID
 */
export function firstRegionOf(roleArn: string): string {
  const region = DEFAULT_REGIONS[roleArn.split(":")[1] ?? ""];
  if (region !== undefined) return region;
  throw new AgentctlError("CONFIG_INVALID", `no default region is known for the partition of ${roleArn}`, {
    hint: "set aws.region in the profile",
  });
}

export function isRegion(text: string): boolean {
  return REGION.test(text);
}

function checkRegion(region: string): string {
  if (isRegion(region)) return region;
  throw new AgentctlError("CONFIG_INVALID", `aws.region is ${JSON.stringify(region)}, which is not a region's name`, {
    hint: "write it like eu-central-1",
  });
}

function partitionOf(region: string): string {
  return PARTITION_PREFIXES.find(([prefix]) => region.startsWith(prefix))?.[1] ?? "aws";
}
