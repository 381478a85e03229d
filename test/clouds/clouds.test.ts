import { afterEach, describe, expect, it } from "vitest";
import { type Issuing, issueAllOrNothing } from "../../src/clouds/all-or-nothing.js";
import { endGrants, loadEndpoints, planGrants, renewGrant } from "../../src/clouds/index.js";
import { untilDeadline } from "../../src/clouds/until-deadline.js";
import { AgentctlError, type ErrorCode } from "../../src/core/errors.js";
import type { Grant, IssueContext } from "../../src/core/lease.js";
import type { Profile } from "../../src/core/profile.js";
import { fakeRuntime } from "../fake-runtime.js";
import { type FakeSts, grants, type Reply, refuses, startFakeSts } from "./aws/fake-sts.js";
import { idToken } from "./aws/issuing.js";
import { awsSettings, leaseTerms, ROLE } from "./aws/settings.js";
import { endContext, endOrder } from "./end-order.js";
import { gcpSettings } from "./gcp/fake-google.js";

const GRANT: Grant = {
  cloud: "aws",
  channel: "env",
  secrets: {},
  principal: "p",
  issuedAt: 0,
  usableUntil: 1_000,
  expiresAt: 2_000,
  variables: {},
  facts: {},
};

function context(signal = new AbortController().signal): IssueContext {
  return { mintToken: () => Promise.reject(new Error("not asked for")), signal };
}

const issues = (grant: Grant = GRANT): Issuing => ({ cloud: "aws", title: "AWS", issue: async () => grant });
const fails = (error: unknown): Issuing => ({ cloud: "aws", title: "AWS", issue: () => Promise.reject(error) });
const failsWith = (code: ErrorCode) => fails(new AgentctlError(code, `AWS said ${code}`));
/** Waits until it is stopped, then gives what `outcome` says. */
const waits = (outcome: () => Promise<Grant>): Issuing => ({
  cloud: "aws",
  title: "AWS",
  issue: ({ signal }) =>
    new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true })).then(outcome),
});

describe("issuing side by side", () => {
  it("gives all grants when all are issued", async () => {
    expect(await issueAllOrNothing([issues()], context(), () => {})).toEqual([GRANT]);
  });

  it("on a refusal stops the others, waits for them and tells of what was issued by then", async () => {
    const issued: Grant[] = [];
    const late = waits(async () => GRANT);
    const issuing = issueAllOrNothing([issues(), late, failsWith("CLOUD_DENIED")], context(), (grant) => {
      issued.push(grant);
    });
    await expect(issuing).rejects.toMatchObject({ code: "CLOUD_DENIED", facts: { cloud: "aws" } });
    expect(issued).toEqual([GRANT, GRANT]);
  });

  it("gives no grant for what only had to be right beside it, and fails with it", async () => {
    const checks: Issuing = { cloud: "aws", title: "AWS", issue: async () => undefined };
    expect(await issueAllOrNothing([issues(), checks], context(), () => {})).toEqual([GRANT]);
    const failing = issueAllOrNothing(
      [waits(async () => GRANT), failsWith("ESCALATION_POSSIBLE")],
      context(),
      () => {},
    );
    await expect(failing).rejects.toMatchObject({ code: "ESCALATION_POSSIBLE" });
  });

  it.each([
    {
      name: "a denial over all",
      codes: ["UNREACHABLE", "CONFIG_INVALID", "BAD_ANSWER", "CLOUD_DENIED"],
      want: "CLOUD_DENIED",
    },
    { name: "then configuration", codes: ["UNREACHABLE", "BAD_ANSWER", "POLICY_INVALID"], want: "POLICY_INVALID" },
    { name: "then nonsense", codes: ["THROTTLED", "BAD_ANSWER"], want: "BAD_ANSWER" },
    { name: "then what is out of reach", codes: ["INTERRUPTED", "THROTTLED"], want: "THROTTLED" },
  ] as { name: string; codes: ErrorCode[]; want: ErrorCode }[])("tells $name", async ({ codes, want }) => {
    const issuing = issueAllOrNothing(codes.map(failsWith), context(), () => {});
    await expect(issuing).rejects.toMatchObject({ code: want });
  });

  it.each([
    {
      name: "names the cloud",
      error: new AgentctlError("TOKEN_EXPIRED", "the token has expired"),
      want: "AWS: the token has expired",
    },
    { name: "once", error: new AgentctlError("UNREACHABLE", "cannot reach AWS STS"), want: "cannot reach AWS STS" },
    {
      name: "where only an audience has its name in it",
      error: new AgentctlError("CLOUD_DENIED", "Entra refused; it saw aud api://AWSTokens, sub AWS"),
      want: "AWS: Entra refused; it saw aud api://AWSTokens, sub AWS",
    },
    {
      name: "of a defect too",
      error: new TypeError("x is not a function"),
      want: "AWS: unexpected: x is not a function",
    },
  ])("$name", async ({ error, want }) => {
    await expect(issueAllOrNothing([fails(error)], context(), () => {})).rejects.toMatchObject({ message: want });
  });

  it("passes an interrupt on, with its exit code", async () => {
    const stop = new AbortController();
    const interruption = new AgentctlError("INTERRUPTED", "interrupted", { exitCode: 143 });
    const issuing = issueAllOrNothing([waits(() => Promise.reject(interruption))], context(stop.signal), () => {});
    stop.abort();
    await expect(issuing).rejects.toMatchObject({ code: "INTERRUPTED", exitCode: 143, message: "interrupted" });
  });
});

describe("the lease's deadline", () => {
  const whenStopped = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
  const never = new AbortController().signal;

  it("is as long as anybody is waited for", async () => {
    const terms = { deadlineAt: Date.UTC(2026, 0, 1) };
    const runtime = { now: () => terms.deadlineAt - 5 };
    await expect(untilDeadline(terms, never, runtime, whenStopped)).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringContaining("2026-01-01T00:00:00Z"),
    });
  });

  it("does not hide an interrupt, even one that came before", async () => {
    const terms = { deadlineAt: Date.now() + 3_600_000 };
    const stop = new AbortController();
    const early = untilDeadline(terms, stop.signal, Date, whenStopped);
    stop.abort(new AgentctlError("INTERRUPTED", "interrupted"));
    await expect(early).rejects.toMatchObject({ code: "INTERRUPTED" });
    const late = untilDeadline(terms, stop.signal, Date, async (signal) => signal.aborted);
    expect(await late).toBe(true);
  });

  it("changes nothing of what comes in time", async () => {
    const terms = { deadlineAt: Date.now() + 43_200_000 };
    expect(await untilDeadline(terms, never, Date, async (signal) => signal.aborted)).toBe(false);
  });
});

describe("the clouds of a profile", () => {
  const profile = (clouds: Profile["clouds"]) => ({ clouds, credentialTtlSeconds: 900, revoke: "auto" }) as Profile;

  it("are planned by their own rooms", async () => {
    const plans = await planGrants(profile({ aws: awsSettings() }), leaseTerms(), fakeRuntime());
    expect(plans).toMatchObject([{ cloud: "aws", principal: ROLE }]);
  });

  it("say for the endpoint that they are renewed, and by which variables it is found", async () => {
    const gcp = gcpSettings({ metadata: true });
    const terms = { ...leaseTerms(7_200), deliver: "endpoint" } as const;
    const plans = await planGrants(profile({ aws: awsSettings(), gcp }), terms, fakeRuntime());
    expect(plans.map(({ channel }) => channel)).toEqual(["endpoint", "endpoint"]);
    expect(plans[0]).toMatchObject({
      steps: [expect.stringContaining("for 15m"), expect.stringContaining("renew the command's credential")],
      variables: ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"],
    });
    expect(plans[1]?.variables).toEqual(
      expect.arrayContaining([
        "GOOGLE_APPLICATION_CREDENTIALS",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
        "GCE_METADATA_HOST",
      ]),
    );
  });

  it("are each delivered as suits them, where nobody says how", async () => {
    const clouds = { aws: awsSettings(), gcp: gcpSettings() };
    const plans = await planGrants(profile(clouds), leaseTerms(600), fakeRuntime());
    expect(plans.map(({ cloud, channel }) => `${cloud} by ${channel}`)).toEqual(["aws by env", "gcp by endpoint"]);
  });

  it("are served by the endpoint as planned, and not where the environment holds them", async () => {
    const both = profile({ aws: awsSettings(), gcp: gcpSettings() });
    const plans = [
      { cloud: "aws", channel: "env" },
      { cloud: "gcp", channel: "endpoint" },
    ] as const;
    const endpoints = await loadEndpoints(both, plans, fakeRuntime());
    expect(endpoints.map(({ cloud }) => cloud)).toEqual(["gcp"]);
  });

  it("may be none", async () => {
    expect(await planGrants(profile({}), leaseTerms(), fakeRuntime())).toEqual([]);
  });

  it("end their own grants", async () => {
    expect(await endGrants([endOrder(GRANT)], endContext(), fakeRuntime())).toMatchObject([
      { cloud: "aws", word: "fenced" },
    ]);
  });
});

describe("a renewal", () => {
  const NOW = Date.parse("2026-11-22T12:30:00Z");
  const opened: FakeSts[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((sts) => sts.close()));
  });

  async function renew(reply: Reply, { mintableUntil, ttl = 7_200 }: { mintableUntil?: number; ttl?: number } = {}) {
    const sts = await startFakeSts([reply]);
    opened.push(sts);
    const runtime = fakeRuntime({ now: () => NOW, env: { AWS_ENDPOINT_URL_STS: sts.url } });
    const profile = { clouds: { aws: awsSettings() }, credentialTtlSeconds: 900, revoke: "auto" } as Profile;
    const asking = { ...context(), mintToken: async () => idToken(), ...(mintableUntil && { mintableUntil }) };
    return renewGrant("aws", profile, leaseTerms(ttl, NOW - 1_800_000), asking, runtime);
  }

  it.each([
    { name: "for credential_ttl from now", input: {}, want: 900_000 },
    { name: "never beyond the lease", input: { ttl: 2_000 }, want: 200_000 },
    { name: "for an hour, where it is the last one", input: { mintableUntil: NOW + 1 }, want: 3_600_000 },
  ])("gives a grant for the endpoint $name", async ({ input, want }) => {
    const grant = await renew(
      grants(() => NOW),
      input,
    );
    expect(grant).toMatchObject({ cloud: "aws", channel: "endpoint", issuedAt: NOW, usableUntil: NOW + want });
    expect(Object.keys(grant.secrets)).toHaveLength(3);
  });

  it("that is refused names the cloud", async () => {
    const refused = renew(refuses(403, "AccessDenied", "Not authorized."));
    await expect(refused).rejects.toMatchObject({ code: "CLOUD_DENIED", facts: { cloud: "aws" } });
  });
});
