import type { Claims } from "./identity.js";
import type { CloudName, CloudSettings } from "./profile.js";

/** The languages in which each cloud's side of the trust can be written; the first is the default. */
export const TRUST_FORMATS = {
  aws: ["terraform", "cloudformation", "cli"],
  azure: ["terraform", "bicep", "cli"],
  gcp: ["terraform", "cli"],
} as const satisfies Readonly<Record<CloudName, readonly string[]>>;
export type TrustFormat<Name extends CloudName = CloudName> = (typeof TRUST_FORMATS)[Name][number];

/** Whom a cloud is to trust: the caller at hand, or one that was described. */
export interface TrustCaller {
  readonly issuer: string;
  readonly subject: string;
  /** What the caller's token for this cloud is for. */
  readonly audience: string;
  readonly claims: Claims;
  /** Where this is known from, in a few words, such as `github-actions` or `as described`. */
  readonly origin: string;
}

/** A claim that a token must have with exactly this value. */
export interface ClaimTest {
  readonly claim: string;
  readonly value: string;
  /** Why it is tested, in half a sentence. */
  readonly why: string;
}

/** Values that a claim must not have: tested where a cloud can. */
export interface ClaimBan {
  readonly claim: string;
  readonly values: readonly string[];
  readonly why: string;
}

/** What a trust is narrowed to. The subject, compared exactly, and the audience are tested always. */
export interface TrustScope extends Pick<TrustCaller, "issuer" | "subject" | "audience" | "origin"> {
  /** Why the subject is narrow, or what it lacks. */
  readonly subjectWhy: string;
  /** Tested besides by the clouds that can. */
  readonly tests: readonly ClaimTest[];
  readonly bans: readonly ClaimBan[];
  /** Those of the tests without which the trust would be too wide: a cloud that cannot test them must refuse. */
  readonly needs: readonly string[];
  /** One line each, for whoever reads the output. */
  readonly notes: readonly string[];
}

/** What one cloud's side of the trust is written for. */
export interface TrustRequest<Name extends CloudName> {
  readonly profileName: string;
  readonly ttlSeconds: number;
  readonly settings: NonNullable<CloudSettings[Name]>;
  readonly scope: TrustScope;
  readonly format: TrustFormat<Name>;
}

export interface TrustDocument {
  /** With a line break at its end. */
  readonly text: string;
  /** What to know before it is applied, a line each. */
  readonly notes: readonly string[];
}

/** How a cloud's room writes its side of the trust; pure. */
export interface TrustWriter<Name extends CloudName> {
  audiencesOf(settings: NonNullable<CloudSettings[Name]>): readonly string[];
  /** @throws {AgentctlError} TRUST_TOO_WIDE, CONFIG_INVALID */
  write(request: TrustRequest<Name>): TrustDocument;
}
