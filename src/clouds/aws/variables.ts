import { formatInstant } from "../../core/durations.js";
import type { AwsSettings } from "../../core/profile.js";
import type { Secret } from "../../core/secret.js";
import type { SessionKeys } from "./assumed-session.js";

const KEY_VARIABLES = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_CREDENTIAL_EXPIRATION",
] as const;
const REGION_VARIABLES = ["AWS_REGION", "AWS_DEFAULT_REGION"] as const;

/** The names of the variables that carry an AWS grant to the child. */
export function variableNames(settings: AwsSettings): readonly string[] {
  return settings.region === undefined ? KEY_VARIABLES : [...KEY_VARIABLES, ...REGION_VARIABLES];
}

/** The variables themselves; tools are told that the keys expire at the fence, not at STS's expiry. */
export function grantVariables(
  settings: AwsSettings,
  keys: SessionKeys,
  usableUntil: number,
): Readonly<Record<string, string | Secret>> {
  const values: Record<(typeof KEY_VARIABLES)[number], string | Secret> = {
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_SESSION_TOKEN: keys.sessionToken,
    AWS_CREDENTIAL_EXPIRATION: formatInstant(usableUntil),
  };
  if (settings.region === undefined) return values;
  return { ...values, AWS_REGION: settings.region, AWS_DEFAULT_REGION: settings.region };
}
