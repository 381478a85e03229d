import { describe, expect, it } from "vitest";
import { awsCloud } from "../../src/clouds/aws/index.js";
import { azureCloud } from "../../src/clouds/azure/index.js";
import { gcpCloud } from "../../src/clouds/gcp/index.js";
import { channelOf, grantTermsOf } from "../../src/clouds/grant-terms.js";
import type { AzureSettings, Channel } from "../../src/core/profile.js";
import { awsSettings, leaseTerms } from "./aws/settings.js";
import { gcpSettings } from "./gcp/fake-google.js";

const OPENED_AT = Date.parse("2026-11-22T12:00:00Z");
const HOUR = 3_600;
const at = (seconds: number): number => OPENED_AT + seconds * 1_000;

interface Asked {
  readonly name: string;
  readonly channel?: Channel;
  readonly ttl: number;
  readonly credentialTtl: number;
  /** Seconds after the lease was opened. */
  readonly askedAt?: number;
  readonly mintableUntil?: number;
  /** Seconds after the lease was opened, and the seconds from the asking to it. */
  readonly want: { readonly endsAt: number; readonly lifetime: number };
}

const CASES: readonly Asked[] = [
  {
    name: "in the environment, the lease's end",
    channel: "env",
    ttl: 2 * HOUR,
    credentialTtl: 900,
    want: { endsAt: 2 * HOUR, lifetime: 2 * HOUR },
  },
  {
    name: "over the endpoint, credential_ttl on",
    ttl: 2 * HOUR,
    credentialTtl: 900,
    want: { endsAt: 900, lifetime: 900 },
  },
  {
    name: "at a renewal, credential_ttl from then",
    ttl: 2 * HOUR,
    credentialTtl: 900,
    askedAt: 600,
    want: { endsAt: 1_500, lifetime: 900 },
  },
  { name: "never beyond the lease", ttl: 600, credentialTtl: 900, askedAt: 60, want: { endsAt: 600, lifetime: 540 } },
  { name: "a second at least", ttl: 600, credentialTtl: 900, askedAt: 600, want: { endsAt: 600, lifetime: 1 } },
  {
    name: "as asked, where the identity can still be minted when the renewal is due",
    ttl: 2 * HOUR,
    credentialTtl: 900,
    mintableUntil: 601,
    want: { endsAt: 900, lifetime: 900 },
  },
  {
    name: "an hour, where it cannot",
    ttl: 2 * HOUR,
    credentialTtl: 900,
    mintableUntil: 600,
    want: { endsAt: HOUR, lifetime: HOUR },
  },
  {
    name: "the lease's end, where that comes first and it cannot",
    ttl: 1_800,
    credentialTtl: 900,
    mintableUntil: 300,
    want: { endsAt: 1_800, lifetime: 1_800 },
  },
  {
    name: "no less than asked, where it cannot",
    ttl: 8 * HOUR,
    credentialTtl: 2 * HOUR,
    mintableUntil: 300,
    want: { endsAt: 2 * HOUR, lifetime: 2 * HOUR },
  },
];

describe("a grant ends", () => {
  it.each(CASES)("$name", ({ channel = "endpoint", ttl, credentialTtl, askedAt = 0, mintableUntil, want }) => {
    const latestDeadlineAt = at(ttl + 300);
    const terms = grantTermsOf(
      { ...leaseTerms(ttl, OPENED_AT), latestDeadlineAt },
      { credentialTtlSeconds: credentialTtl, revoke: "required" },
      channel,
      at(askedAt),
      mintableUntil === undefined ? undefined : at(mintableUntil),
    );
    const { leaseId, profileName } = leaseTerms();
    const common = { leaseId, profileName, channel, revoke: "required", latestEndsAt: latestDeadlineAt };
    expect(terms).toEqual({ ...common, endsAt: at(want.endsAt), lifetimeSeconds: want.lifetime });
  });
});

describe("deliver: auto is", () => {
  it.each([
    {
      name: "AWS, for what any role gives",
      want: "env",
      of: () => awsCloud.autoChannel(awsSettings(), { ttlSeconds: HOUR }),
    },
    {
      name: "AWS, for longer",
      want: "endpoint",
      of: () => awsCloud.autoChannel(awsSettings(), { ttlSeconds: HOUR + 1 }),
    },
    { name: "Azure", want: "endpoint", of: () => azureCloud.autoChannel({} as AzureSettings, { ttlSeconds: 60 }) },
    { name: "Google", want: "endpoint", of: () => gcpCloud.autoChannel(gcpSettings(), { ttlSeconds: 60 }) },
  ])("$want for $name", ({ of, want }) => {
    expect(of()).toBe(want);
  });
});

describe("the channel", () => {
  it.each([
    { deliver: "env", want: "env" },
    { deliver: "endpoint", want: "endpoint" },
    { deliver: "auto", want: "endpoint" },
  ] as const)("of a lease delivered by $deliver is $want, where the cloud is best served by the endpoint", (given) => {
    const terms = { ...leaseTerms(60), deliver: given.deliver };
    expect(channelOf(gcpCloud, gcpSettings(), terms)).toBe(given.want);
  });
});
