import { formatInstant } from "../../core/durations.js";
import type { AwsSettings, Channel } from "../../core/profile.js";
import type { Secret } from "../../core/secret.js";
import type { SessionKeys } from "./assumed-session.js";

const KEY_VARIABLES = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_CREDENTIAL_EXPIRATION",
] as const;
const REGION_VARIABLES = ["AWS_REGION", "AWS_DEFAULT_REGION"] as const;

/** The names of the variables that carry an AWS grant to the child; by the endpoint, only where it is for. */
export function variableNames(settings: AwsSettings, channel: Channel): readonly string[] {
  const region = settings.region === undefined ? [] : REGION_VARIABLES;
  return channel === "env" ? [...KEY_VARIABLES, ...region] : region;
}

/** The variables themselves; tools are told that the keys expire at the fence, not at STS's expiry. */
export function grantVariables(
  settings: AwsSettings,
  keys: SessionKeys,
  usableUntil: number,
  channel: Channel,
): Readonly<Record<string, string | Secret>> {
  const region = settings.region;
  const where = region === undefined ? {} : { AWS_REGION: region, AWS_DEFAULT_REGION: region };
  if (channel === "endpoint") return where;
  const values: Record<(typeof KEY_VARIABLES)[number], string | Secret> = {
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_SESSION_TOKEN: keys.sessionToken,
    AWS_CREDENTIAL_EXPIRATION: formatInstant(usableUntil),
  };
  return { ...values, ...where };
}
