import { describe, expect, it } from "vitest";
import { createObserver } from "../../src/cli/run-lines.js";
import type { Ending, Grant, LeaseTerms } from "../../src/core/lease.js";
import type { CloudName } from "../../src/core/profile.js";
import type { Happening } from "../../src/core/run-request.js";
import { Secret } from "../../src/core/secret.js";
import { fakeRuntime } from "../fake-runtime.js";

const NOW = Date.parse("2026-01-31T12:00:00Z");
const SOON = "2026-01-31T12:10:00Z";
const PAST = "2026-01-31T11:59:00Z";
const LATER = "2026-01-31T12:15:00Z";

function linesOf(ending: Partial<Ending>, { isQuiet = false, isHandedOut = true } = {}): string {
  const runtime = fakeRuntime({ now: () => NOW });
  const whole: Ending = { cloud: "aws", word: "fenced", at: SOON, detail: "a long story", ...ending };
  createObserver(runtime, isQuiet)({ kind: "ended", ending: whole, isHandedOut });
  return runtime.stderr.text();
}

describe("the line of an ending", () => {
  it.each([
    { name: "a time to come", ending: {}, want: `aws: fenced at ${SOON}` },
    { name: "a time gone by", ending: { at: "2026-01-31T11:59:59Z" }, want: "aws: fenced since 2026-01-31T11:59:59Z" },
    {
      name: "what outlasts it",
      ending: { until: LATER },
      want: `aws: fenced at ${SOON}; GetCallerIdentity and the like work until ${LATER}`,
    },
    {
      name: "how long a token lives on",
      ending: { cloud: "gcp" as const, word: "expires" as const, until: LATER },
      want: `gcp: expires at ${SOON}; the token itself lives until ${LATER}`,
    },
    {
      name: "nothing of what is over as well",
      ending: { at: "2026-01-31T11:58:00Z", until: "2026-01-31T11:59:00Z" },
      want: "aws: fenced since 2026-01-31T11:58:00Z",
    },
    { name: "nothing that does", ending: { until: SOON }, want: `aws: fenced at ${SOON}` },
    {
      name: "nothing of a second's difference",
      ending: { until: "2026-01-31T12:10:01Z" },
      want: `aws: fenced at ${SOON}`,
    },
    {
      name: "two seconds",
      ending: { until: "2026-01-31T12:10:02Z" },
      want: `aws: fenced at ${SOON}; GetCallerIdentity and the like work until 2026-01-31T12:10:02Z`,
    },
    {
      name: "what was seen, in whole seconds",
      ending: { word: "revoked" as const, at: "2026-01-31T11:59:00.987Z" },
      want: `aws: revoked since ${PAST}`,
    },
    {
      name: "the latest, of what was not seen",
      ending: { word: "removed" as const, until: LATER },
      want: `aws: removed, usable until ${SOON} at the latest`,
    },
    {
      name: "that the latest is over",
      ending: { word: "removed" as const, at: PAST },
      want: `aws: removed, not usable since ${PAST}`,
    },
    {
      name: "until when the token of what was taken back lives",
      ending: { cloud: "gcp" as const, word: "removed" as const, until: LATER },
      want: `gcp: removed, usable until ${SOON} at the latest; the token itself lives until ${LATER}`,
    },
    {
      name: "until when the token of what was not taken back lives",
      ending: { cloud: "azure" as const, word: "failed" as const, until: LATER, shortfall: "Azure was away" },
      want: `azure: failed, usable until ${SOON}; the token itself lives until ${LATER} (not taken back: Azure was away)`,
    },
    {
      name: "why it failed",
      ending: { word: "failed" as const, shortfall: "IAM was away" },
      want: `aws: failed, usable until ${SOON} (not taken back: IAM was away)`,
    },
    {
      name: "why it failed, in whatever words there are",
      ending: { word: "failed" as const, at: PAST },
      want: `aws: failed, not usable since ${PAST} (a long story)`,
    },
    {
      name: "why a revoker was of no use",
      ending: { shortfall: "the role holds as many denies as fit", steps: [{ at: PAST, text: "asked" }] },
      want: `aws: fenced at ${SOON} (not taken back: the role holds as many denies as fit)`,
    },
    {
      name: "why a revoker was not asked",
      ending: { steps: [{ at: PAST, text: "put no deny on r: its fence is near" }] },
      want: `aws: fenced at ${SOON} (put no deny on r: its fence is near)`,
    },
    {
      name: "no step of what came about",
      ending: { word: "revoked" as const, steps: [{ at: PAST, text: "put a deny" }] },
      want: `aws: revoked since ${SOON}`,
    },
    {
      name: "why it was not seen",
      ending: { word: "removed" as const, reason: "lease l-2 still gives it", steps: [{ at: PAST, text: "took it" }] },
      want: `aws: removed, usable until ${SOON} at the latest (lease l-2 still gives it)`,
    },
    {
      name: "why nothing was taken back",
      ending: { cloud: "azure" as const, word: "expires" as const, reason: "revoke: none" },
      want: `azure: expires at ${SOON} (revoke: none)`,
    },
  ])("says $name, and leaves the story to the receipt", ({ ending, want }) => {
    expect(linesOf(ending)).toBe(`agentctl: ${want}\n`);
  });

  it.each([
    {
      ending: { reason: "not waited for" },
      word: "removed",
      want: `removed, gone by ${SOON} at the latest (not waited for; `,
    },
    { ending: { shortfall: "away" }, word: "failed", want: `failed, gone by ${SOON} (not taken back: away; ` },
    { ending: { shortfall: "too early" }, word: "expires", want: `expires at ${SOON} (not taken back: too early; ` },
    { ending: {}, word: "fenced", want: `fenced at ${SOON} (` },
  ] as const)("says that no command was given what is $word", ({ ending, word, want }) => {
    expect(linesOf({ ...ending, word }, { isHandedOut: false })).toBe(
      `agentctl: aws: ${want}no command was given it)\n`,
    );
    expect(linesOf({ ...ending, word })).not.toContain("no command");
  });

  it("leaves that out of what is gone for everybody", () => {
    expect(linesOf({ word: "revoked", at: PAST }, { isHandedOut: false })).toBe(
      `agentctl: aws: revoked since ${PAST}\n`,
    );
  });

  it("is left out when it is to be quiet", () => {
    expect(linesOf({}, { isQuiet: true })).toBe("");
  });
});

const CANARY = "canary-of-the-credential";
const GRANT: Grant = {
  cloud: "aws",
  channel: "env",
  principal: "arn:aws:sts::111122223333:assumed-role/deploy/me",
  issuedAt: NOW,
  usableUntil: Date.parse(SOON),
  expiresAt: Date.parse(LATER),
  variables: { AWS_SESSION_TOKEN: new Secret(CANARY) },
  secrets: { sessionToken: { value: new Secret(CANARY), usableUntil: Date.parse(SOON) } },
  facts: {},
};

describe("the line of a grant", () => {
  it.each([
    { name: "by variables", channel: "env" as const, isRenewed: false, want: `, usable until ${SOON}` },
    {
      name: "by the endpoint, renewed",
      channel: "endpoint" as const,
      isRenewed: true,
      want: `, by the endpoint, usable until ${SOON} and renewed`,
    },
    {
      name: "by the endpoint, for as long as it lasts",
      channel: "endpoint" as const,
      isRenewed: false,
      want: `, by the endpoint, usable until ${SOON}`,
    },
  ])("says that it comes $name", ({ channel, isRenewed, want }) => {
    const runtime = fakeRuntime({ now: () => NOW });
    createObserver(runtime, false)({ kind: "granted", grant: { ...GRANT, channel }, isRenewed });
    expect(runtime.stderr.text()).toBe(`agentctl: aws: ${GRANT.principal}${want}\n`);
  });
});

const DEADLINE = NOW + 900_000;
const TERMS: LeaseTerms = {
  leaseId: "l-0123456789ABCDEF",
  profileName: "deploy",
  openedAt: NOW,
  deadlineAt: DEADLINE,
  latestDeadlineAt: DEADLINE,
  ttlSeconds: 900,
  deliver: "auto",
};

describe("the line of a lease that is opened", () => {
  const told = "lease l-0123456789ABCDEF on deploy for repo:acme/site (github-actions,";
  const timed = `until ${LATER} (15m)`;
  it.each([
    { name: "until when it lasts", terms: TERMS, actor: { kind: "automation" }, want: `automation) ${timed}` },
    {
      name: "whose agent it is",
      terms: TERMS,
      actor: { kind: "agent", name: "helper" },
      want: `agent helper) ${timed}`,
    },
    {
      name: "no time of its end, where rights have to be waited for first",
      terms: { ...TERMS, latestDeadlineAt: DEADLINE + 300_000 },
      actor: { kind: "automation" },
      want: "automation) for 15m, counted from when it has its roles",
    },
  ])("says $name", ({ terms, actor, want }) => {
    const opened = {
      kind: "opened",
      terms,
      profile: { name: "deploy" },
      identity: { subject: "repo:acme/site", source: "github-actions" },
      actor,
    } as unknown as Happening;
    const runtime = fakeRuntime({ now: () => NOW });
    createObserver(runtime, false)(opened);
    expect(runtime.stderr.text()).toBe(`agentctl: ${told} ${want}\n`);
  });
});

describe("the line of a lease whose time begins", () => {
  const begin = (isQuiet: boolean, ...clouds: readonly CloudName[]): string => {
    const runtime = fakeRuntime({ now: () => NOW });
    const terms = { ...TERMS, latestDeadlineAt: DEADLINE + 300_000 };
    createObserver(runtime, isQuiet)({ kind: "begun", terms, clouds });
    return runtime.stderr.text();
  };

  it.each([
    { name: "one cloud", clouds: ["gcp"] as const, want: "gcp" },
    { name: "two clouds", clouds: ["azure", "gcp"] as const, want: "azure and gcp" },
  ])("says what works in $name, and until when it lasts from there", ({ clouds, want }) => {
    expect(begin(false, ...clouds)).toBe(
      `agentctl: ${want}: the lease has its roles, and lasts until ${LATER} (15m)\n`,
    );
  });

  it("is left out when it is to be quiet", () => expect(begin(true, "gcp")).toBe(""));
});

describe("what the user must know", () => {
  it.each([
    { name: "a warning", kind: "warning" as const, isQuiet: true, want: "agentctl: warning: a stranger asked\n" },
    { name: "a notice", kind: "notice" as const, isQuiet: false, want: "agentctl: a stranger asked\n" },
    { name: "a notice, when it is to be quiet", kind: "notice" as const, isQuiet: true, want: "" },
  ])("is $name", ({ kind, isQuiet, want }) => {
    const runtime = fakeRuntime();
    createObserver(runtime, isQuiet)({ kind, text: "a stranger asked" });
    expect(runtime.stderr.text()).toBe(want);
  });

  it("cannot be made to look like another line by who is told of", () => {
    const runtime = fakeRuntime();
    createObserver(runtime, false)({ kind: "warning", text: "process 7 (x\nagentctl: all is well\u001b[2K)" });
    expect(runtime.stderr.text().trimEnd().split("\n")).toHaveLength(1);
    expect(runtime.stderr.text()).not.toContain("\u001b");
  });
});
