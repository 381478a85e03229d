import type { GrantTerms, LeaseTerms } from "../../../src/core/lease.js";
import type { AwsSettings, Channel } from "../../../src/core/profile.js";

export const ROLE = "arn:aws:iam::111122223333:role/agentctl-deploy";
export const NEXT_ROLE = "arn:aws:iam::444455556666:role/target";
export const OTHER_ROLE = "arn:aws:iam::111122223333:role/other";
export const OPENED_AT = Date.parse("2026-11-22T12:00:00.700Z");
export const LEASE_ID = "l-0123456789abcdef";

export function awsSettings(overrides: Partial<AwsSettings> = {}): AwsSettings {
  return {
    roleArn: ROLE,
    policyArns: [],
    chain: [],
    allowDerivedSessions: false,
    fenceForwarded: false,
    audiences: ["sts.amazonaws.com"],
    acceptEscalation: false,
    ...overrides,
  };
}

export function grantTerms(lifetimeSeconds = 300, askedAt = OPENED_AT, channel: Channel = "env"): GrantTerms {
  return {
    leaseId: LEASE_ID,
    profileName: "deploy-web",
    channel,
    endsAt: askedAt + lifetimeSeconds * 1000,
    latestEndsAt: askedAt + lifetimeSeconds * 1000,
    lifetimeSeconds,
    revoke: "auto",
  };
}

export function leaseTerms(ttlSeconds = 300, openedAt = OPENED_AT): LeaseTerms {
  return {
    leaseId: LEASE_ID,
    profileName: "deploy-web",
    openedAt,
    deadlineAt: openedAt + ttlSeconds * 1000,
    latestDeadlineAt: openedAt + ttlSeconds * 1000,
    ttlSeconds,
    deliver: "auto",
  };
}

export const READ_ONE_BUCKET = {
  document: {
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::site/*" },
  },
  origin: "policies/read.json",
} as const;
