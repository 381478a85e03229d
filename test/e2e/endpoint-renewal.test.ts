import fs from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, test, vi } from "vitest";
import { defaultAzure } from "../../src/sandbox/azure/world.js";
import type { SandboxHost, SandboxOptions } from "../../src/sandbox/index.js";
import { defaultWorld } from "../../src/sandbox/world.js";
import { eventually, openStage, type Stage } from "./agentctl.js";
import { type Answer, askUntil, endLeases, openLease } from "./endpoint/open-lease.js";
import { holdLatency } from "./faults/held-latency.js";
import { countRequests, expectNothingLeft } from "./refusal.js";
import { AWS, AZURE, configOf, GCP } from "./three-clouds.js";

// Most of it is waiting for grants to come to their ends, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 60_000 });

const CLOUDS = ["aws", "azure", "gcp"] as const;

const stages: Stage[] = [];
afterAll(async () => {
  await endLeases();
  await Promise.all(stages.map((stage) => stage.close()));
});

/** A stage on which grants last for `seconds`: Azure's too, whose length is Entra's to choose. */
async function openShortStage(
  seconds: number,
  options: SandboxOptions = {},
  host: Partial<SandboxHost> = {},
): Promise<Stage> {
  const stage = await openStage({ azure: { ...defaultAzure(), tokenLifeSeconds: seconds }, ...options }, host);
  stages.push(stage);
  const short = { ttl: "10m", deliver: "endpoint", credential_ttl: `${seconds}s` };
  stage.writeConfig(
    configOf({
      all: { ...short, aws: AWS, azure: AZURE, gcp: GCP },
      aws: { ...short, aws: AWS },
      gcp: { ...short, gcp: GCP },
    }),
  );
  return stage;
}

/** How often each cloud was asked for what a grant of it takes. */
const countIssued = (stage: Stage): readonly number[] => [
  countRequests(stage, "sts", "AssumeRoleWithWebIdentity"),
  countRequests(stage, "entra", "token") / (AZURE["scopes"] as readonly string[]).length,
  countRequests(stage, "gcp-sts", "ExchangeToken"),
];

const untilOther = (before: Answer) => (answer: Answer) => answer.token !== before.token;

describe.concurrent("three clouds across two renewals", () => {
  test("each question is answered, however many ask, at the cost of one exchange for each renewal", async () => {
    const stage = await openShortStage(5);
    const lease = await openLease(stage, "all");
    const first = lease.entry().grants.map(({ usableUntil }) => usableUntil);
    const seen = new Map(CLOUDS.map((cloud) => [cloud, new Set<string>()]));
    const answers: Answer[] = [];
    while ([...seen.values()].some((tokens) => tokens.size < 3)) {
      for (const [cloud, tokens] of seen) {
        const some = await lease.ask<Answer[]>("many", 10, cloud);
        for (const { token = "" } of some) tokens.add(token);
        answers.push(...some);
      }
      await pause(100);
    }
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    // The file is no more than a moment behind.
    const earlier = [...(seen.get("gcp") ?? [])].slice(0, 2);
    await askUntil(lease, "gcloud", ({ token = "" }) => token !== "" && !earlier.includes(token));
    expect([await lease.ask("use", "gcp"), await lease.ask("use", "azure")]).toEqual([200, 200]);
    const later = lease.entry().grants.map(({ usableUntil }) => usableUntil);
    for (const [index, until] of first.entries()) expect(later[index]).toBeGreaterThan(until);
    const outcome = await lease.end();
    expect(outcome).toMatchObject({ code: 0, stderr: expect.not.stringMatching(/warning|cannot be renewed/) });
    const { renewals = [] } = outcome.receipt;
    for (const [index, { renewed, failed }] of renewals.entries()) {
      expect(renewed).toBeGreaterThanOrEqual(2);
      expect(failed).toBe(0);
      // And perhaps one that was under way at the end.
      expect([renewed + 1, renewed + 2]).toContain(countIssued(stage)[index]);
    }
    const [start, ...between] = lease.records();
    expect([start, between.pop()]).toMatchObject([{ kind: "lease.start" }, { kind: "lease.end", renewals }]);
    expect(new Set(between.map(({ kind }) => kind))).toEqual(new Set(["grant.renewed"]));
    for (const { grants, identity } of between) {
      expect(grants).toMatchObject([{ channel: "endpoint" }]);
      expect(identity).toMatchObject({ subject: "repo:acme/site:ref:refs/heads/main" });
    }
  });

  test("who asks while a renewal is under way waits for that one, when nothing else is left", async () => {
    const latency = holdLatency();
    const stage = await openShortStage(5, {}, latency.host);
    const lease = await openLease(stage, "aws");
    const first = await lease.ask("aws");
    stage.sandbox.faults.add({ service: "sts", kind: "latency", times: 1 });
    await eventually(() => latency.held > 0 && Date.now() > (first.endsAt ?? 0));
    const waiting = lease.ask<Answer[]>("many", 40, "aws");
    // So that they are there by then; one that comes later costs no exchange either.
    await pause(500);
    latency.release();
    const answers = await waiting;
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ token }) => token)).size).toBe(1);
    expect(answers[0]?.token).not.toBe(first.token);
    expect(countIssued(stage)[0]).toBe(2);
    expect(await lease.end()).toMatchObject({ code: 0 });
  });
});

describe.concurrent("a renewal that fails", () => {
  test("keeps what is held, is told once and put on record, and recovers", async () => {
    const stage = await openShortStage(15);
    const lease = await openLease(stage, "all");
    const held = new Map<string, Answer>();
    for (const cloud of CLOUDS) held.set(cloud, await lease.ask(cloud));
    stage.sandbox.faults.add({ service: "sts", kind: "throttle", retryAfterSeconds: 0 });
    stage.sandbox.faults.add({ service: "entra", kind: "deny" });
    stage.sandbox.faults.add({ service: "gcp-sts", kind: "cut" });
    const codes = { aws: "THROTTLED", azure: "CLOUD_DENIED", gcp: "UNREACHABLE" };
    for (const cloud of CLOUDS) {
      const warning = `^agentctl: warning: ${cloud}: cannot be renewed \\(${codes[cloud]}: .*\\); usable until .*, trying again$`;
      await lease.said(new RegExp(warning, "m"));
      expect((await lease.ask(cloud)).token).toBe(held.get(cloud)?.token);
    }
    stage.sandbox.faults.clear();
    for (const cloud of CLOUDS) {
      await lease.said(new RegExp(`^agentctl: ${cloud}: renewed after all, usable until `, "m"));
      const answer = await lease.ask(cloud);
      expect(answer.status).toBe(200);
      expect(answer.token).not.toBe(held.get(cloud)?.token);
    }
    const { receipt, stderr, code } = await lease.end();
    expect(code).toBe(0);
    expect(stderr.match(/cannot be renewed/g)).toHaveLength(CLOUDS.length);
    const failures = lease.records("grant.renewal_failed");
    expect(failures).toHaveLength(CLOUDS.length);
    for (const cloud of CLOUDS) {
      expect(failures).toContainEqual(
        expect.objectContaining({
          error: expect.objectContaining({ code: codes[cloud] }),
          grants: [expect.objectContaining({ cloud })],
        }),
      );
    }
    for (const { renewed, failed } of receipt.renewals ?? []) {
      expect([renewed, failed].every((times) => times >= 1)).toBe(true);
    }
  });

  test("because the cloud trusts the caller no longer: is refused once the grant is over, and says why", async () => {
    const roles = { ...defaultWorld().roles };
    const stage = await openShortStage(6, { roles });
    const lease = await openLease(stage, "aws");
    const first = await lease.ask("aws");
    const [[arn, role] = ["", undefined]] = Object.entries(roles).filter(([name]) => name === AWS["role_arn"]);
    if (role === undefined) throw new Error("the role of the tests is not there");
    roles[arn] = { ...role, trust: { Version: "2012-10-17", Statement: [] } };
    await lease.said(/^agentctl: warning: aws: cannot be renewed \(CLOUD_DENIED: AWS STS refused /m);
    const over = await askUntil(lease, "aws", ({ status }) => status !== 200);
    expect(Date.now()).toBeGreaterThanOrEqual(first.endsAt ?? 0);
    expect(over).toEqual({ status: 503, body: expect.stringMatching(/agentctl: AWS STS refused .*AccessDenied/) });
    expect(over.body).not.toMatch(/eyJ/);
    roles[arn] = role;
    const again = await askUntil(lease, "aws", ({ status }) => status === 200);
    expect(again.token).not.toBe(first.token);
    const { receipt, stderr } = await lease.end();
    expect(stderr.match(/cannot be renewed/g)).toHaveLength(1);
    expect(receipt).toMatchObject({ renewals: [{ renewed: 1 }], refusals: expect.any(Number) });
    expect(lease.records("endpoint.refused")).toMatchObject([{ request: { cloud: "aws", reason: "unavailable" } }]);
  });

  test("because the token in the file is another caller's by now: asks no cloud for anything", async () => {
    const stage = await openShortStage(5);
    const file = path.join(stage.dir, "token");
    fs.writeFileSync(file, await stage.sandbox.mintToken(), { mode: 0o600 });
    const env = { AGENTCTL_TOKEN_FILE: file, ACTIONS_ID_TOKEN_REQUEST_URL: undefined };
    const lease = await openLease(stage, "aws", [], { env });
    const first = await lease.ask("aws");
    const stranger = await stage.sandbox.mintToken({ claims: { sub: "repo:acme/site:ref:refs/heads/other" } });
    fs.writeFileSync(file, stranger);
    const says =
      /IDENTITY_DENIED: the identity is no longer the one of the lease: its `sub` was "repo:acme\/site:ref:refs\/heads\/main" and is now "repo:acme\/site:ref:refs\/heads\/other"/;
    expect(await lease.said(/^agentctl: warning: aws: cannot be renewed .*$/m)).toMatch(says);
    const over = await askUntil(lease, "aws", untilOther(first));
    expect(over).toMatchObject({ status: 503, body: expect.stringContaining("no longer the one of the lease") });
    expect(countIssued(stage)[0]).toBe(1);
    fs.writeFileSync(file, await stage.sandbox.mintToken());
    expect(await askUntil(lease, "aws", ({ status }) => status === 200)).not.toEqual(first);
    await lease.end();
    expect(lease.records("grant.renewal_failed")).toMatchObject([{ error: { code: "IDENTITY_DENIED" } }]);
  });

  test("to be written down is told, and the endpoint answers with it all the same", async () => {
    const stage = await openShortStage(5);
    const lease = await openLease(stage, "gcp");
    const first = await lease.ask("gcp");
    await lease.ask("block");
    const says =
      /^agentctl: warning: a change of the lease could not be written down \(STATE_UNWRITABLE: .* is not a directory\)$/m;
    await lease.said(says);
    await lease.ask("unblock");
    expect(await lease.ask("gcloud")).toMatchObject({ token: first.token });
    expect((await lease.ask("gcp")).token).not.toBe(first.token);
    // With the next renewal the file is right again.
    await askUntil(lease, "gcloud", untilOther(first));
    const outcome = await lease.end();
    expect(outcome.stderr.match(/written down/g)).toHaveLength(1);
    expect(outcome).toMatchObject({ code: 0, receipt: { renewals: [{ cloud: "gcp", failed: 0 }] } });
    expectNothingLeft(stage);
  });
});

describe.concurrent("a signal while a renewal is under way", () => {
  test.each([
    { signal: "SIGTERM", code: 143 },
    { signal: "SIGINT", code: 130 },
  ] as const)("$signal ends the command and the lease, and waits for no cloud", async ({ signal, code }) => {
    const latency = holdLatency();
    const stage = await openShortStage(5, {}, latency.host);
    const lease = await openLease(stage, "all", [], { detached: true });
    for (const service of ["sts", "entra", "iamcredentials"] as const) {
      stage.sandbox.faults.add({ service, kind: "latency" });
    }
    // One of AWS's, two of Azure's, one of Google's.
    await eventually(() => latency.held >= 4);
    lease.agentctl.kill(signal);
    const outcome = await lease.ended;
    expect(outcome).toMatchObject({ code, signal: null });
    const { child, closedAt, renewals, endings } = outcome.receipt;
    expect(child).toMatchObject({ exitCode: code, signal });
    // The exchanges' own time limit is ten seconds.
    expect(Date.parse(closedAt) - Date.parse(String(child["endedAt"]))).toBeLessThanOrEqual(5_000);
    expect(renewals).toMatchObject(CLOUDS.map((cloud) => ({ cloud, failed: 0 })));
    expect(endings.map(({ word }) => word)).toEqual(["fenced", "expires", "expires"]);
    expect(outcome.stderr).not.toContain("cannot be renewed");
    latency.release();
    expectNothingLeft(stage);
  });
});
