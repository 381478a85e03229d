import * as fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { appendEvent } from "../../src/audit/index.js";
import { registerLease } from "../../src/cli/lease.js";
import type { AuditEvent } from "../../src/core/event.js";
import type { Ending } from "../../src/core/lease.js";
import { lockLease, openLease } from "../../src/lease/index.js";
import {
  DEADLINE,
  ID,
  makeGrant,
  makeLease,
  makeScratchLedger,
  NOBODY,
  type ScratchLedger,
} from "../lease/scratch-ledger.js";
import { thrownBy } from "../thrown.js";
import { runCommand } from "./run-command.js";

let ledger: ScratchLedger;
beforeEach(() => {
  ledger = makeScratchLedger();
});
afterEach(() => ledger.remove());

const NOW = Date.parse("2026-01-31T09:20:00Z");
const show = async (...argv: string[]) => {
  const { stdout, stderr } = await runCommand(
    registerLease,
    ["lease", "show", ...argv],
    ledger.runtime({ now: () => NOW, cwd: ledger.root }),
  );
  expect(stderr).toBe("");
  return stdout;
};
const lines = async (...argv: string[]) => (await show(...argv)).trimEnd().split("\n");

const record = (event: Partial<AuditEvent> & Pick<AuditEvent, "kind" | "time">) =>
  appendEvent({ lease: ID, profile: "deploy", ...event }, ledger.runtime());

const IDENTITY = { source: "env", issuer: "https://issuer.example", subject: "ada", claims: {}, tokenSha256: "0" };
const HELD = {
  cloud: "aws",
  channel: "endpoint",
  principal: "arn:r",
  usableUntil: "2026-01-31T09:15:00Z",
  expiresAt: "2026-01-31T09:16:00Z",
  facts: {},
};
const REVOKED: Ending = {
  cloud: "aws",
  word: "revoked",
  at: "2026-01-31T09:12:04Z",
  until: "2026-01-31T09:30:00Z",
  detail: "d",
  steps: [
    { at: "2026-01-31T09:12:00.100Z", text: "wrote a deny on role r" },
    { at: "2026-01-31T09:12:03.200Z", text: "STS refused the keys" },
  ],
};
const STEPS = ["2026-01-31T09:12:00Z  aws: wrote a deny on role r", "2026-01-31T09:12:03Z  aws: STS refused the keys"];
const START: AuditEvent = {
  kind: "lease.start",
  time: "2026-01-31T09:00:02.000Z",
  actor: { kind: "human", reason: "a terminal" },
  identity: IDENTITY,
  command: { argv0: "terraform" },
  grants: [HELD],
};

describe("lease show, of an open lease", () => {
  it("tells what the ledger holds, oldest first", async () => {
    const lease = openLease(makeLease(), ledger.runtime());
    lease.update({ state: "running", grants: [makeGrant()], child: { pid: 7, startedAt: "99", leadsGroup: true } });
    lease.update({ grants: [makeGrant({ issuedAt: DEADLINE - 1_500_000 })] });
    lease.update({ state: "ended", endings: [REVOKED] });
    expect(await lines(ID)).toEqual([
      `${ID} on deploy: ended, its agentctl is process ${process.pid}, its command process 7`,
      "2026-01-31T09:00:00Z  opened for repo:acme/site (github-actions, automation) until 2026-01-31T09:30:00Z, to run terraform",
      "2026-01-31T09:00:00Z  aws: asked for credentials of arn:aws:sts::1:assumed-role/r/s",
      "2026-01-31T09:05:00Z  aws: renewed, once so far, usable until 2026-01-31T09:29:59Z, expires 2026-01-31T09:30:01Z",
      ...STEPS,
      "2026-01-31T09:12:04Z  aws: revoked since 2026-01-31T09:12:04Z; GetCallerIdentity and the like work until 2026-01-31T09:30:00Z",
    ]);
  });

  it("says what is not finished, and what fell short", async () => {
    const failed: Ending = {
      cloud: "aws",
      word: "failed",
      at: "2026-01-31T09:29:59Z",
      detail: "AWS was away, and a long story",
      shortfall: "AWS was away",
      isUnfinished: true,
    };
    const plans = [{ cloud: "aws", channel: "endpoint", principal: "p", undo: {}, facts: {} }] as const;
    openLease(makeLease(ID, { plans }), ledger.deadRuntime()).update({ endings: [failed] });
    expect((await lines("l-0")).slice(2)).toEqual([
      "2026-01-31T09:00:00Z  aws: asked for credentials of p, by the endpoint",
      "2026-01-31T09:29:59Z  aws: failed, usable until 2026-01-31T09:29:59Z (not taken back: AWS was away); a further try may still take it back",
    ]);
  });

  const RETRY_AT = "2026-01-31T09:25:00Z";
  it.each([
    {
      name: "what waits for its cloud's time, while somebody waits for it",
      retryAt: RETRY_AT,
      isWaitedFor: true,
      state: "queued",
      more: `, and its watchdog, process ${process.pid}, takes back what is left at ${RETRY_AT}`,
    },
    {
      name: "what waits for its cloud's time, while nobody waits for it",
      retryAt: RETRY_AT,
      isWaitedFor: false,
      state: "queued",
      more: `, and nobody waits to take back what is left at ${RETRY_AT}: agentctl lease sweep ${ID} has somebody wait`,
    },
    { name: "what nobody has ended", retryAt: undefined, isWaitedFor: false, state: "orphaned", more: "" },
  ])(
    "says of a dead process that it was the lease's agentctl: $name",
    async ({ retryAt, isWaitedFor, state, more }) => {
      const ending: Ending = {
        cloud: "aws",
        word: "expires",
        at: "2026-01-31T09:30:00Z",
        detail: "d",
        isUnfinished: true,
        ...(retryAt !== undefined && { retryAt }),
      };
      openLease(makeLease(), ledger.deadRuntime()).update({ state: "ending", endings: [ending] });
      const queue = isWaitedFor ? await lockLease(ID, ledger.runtime(), "queue") : undefined;
      const [headline] = await lines(ID);
      await queue?.release();
      expect(headline).toBe(`${ID} on deploy: ${state}, its agentctl was process ${NOBODY}${more}`);
    },
  );

  it("says what the principal is given first, while that is waited for", async () => {
    const plan = { cloud: "gcp", channel: "endpoint", principal: "p", undo: {} } as const;
    const plans = [{ ...plan, facts: { bindings: ["Viewer on r", "Editor on s"], entitlement: "e" } }];
    const lease = openLease(makeLease(ID, { plans }), ledger.runtime());
    const headline = `${ID} on deploy: issuing, its agentctl is process ${process.pid}`;
    expect((await lines(ID))[0]).toBe(`${headline}: its roles are being given`);
    lease.update({ waitsFor: "waiting for lease l-A to give e back" });
    expect(await lines(ID)).toEqual([
      `${headline}: waiting for lease l-A to give e back`,
      "2026-01-31T09:00:00Z  opened for repo:acme/site (github-actions, automation) for 30m, counted from when it has its roles, to run terraform",
      "2026-01-31T09:00:00Z  gcp: asked to have Viewer on r, Editor on s, e given to p for this lease, and for credentials of p, by the endpoint",
    ]);
    lease.update({ deadlineAt: DEADLINE + 1_000, waitsFor: null });
    expect((await lines(ID)).slice(0, 2)).toEqual([headline, expect.stringContaining("until 2026-01-31T09:30:01Z")]);
  });

  it("tells from the audit log only what the ledger does not", async () => {
    const lease = openLease(makeLease(), ledger.runtime());
    lease.update({ state: "running", grants: [makeGrant()], endings: [REVOKED] });
    await record(START);
    await record({ kind: "grant.renewed", time: "2026-01-31T09:10:00.000Z", grants: [HELD] });
    await record({
      kind: "lease.revoked",
      time: "2026-01-31T09:12:04.000Z",
      endings: [REVOKED],
      revokedBy: { pid: 9, user: "ada", at: "2026-01-31T09:11:59Z" },
    });
    expect((await lines(ID)).slice(3)).toEqual([
      "2026-01-31T09:00:01Z  aws: issued, usable until 2026-01-31T09:29:59Z, expires 2026-01-31T09:30:01Z",
      "2026-01-31T09:00:02Z  started terraform for ada (env, human)",
      "2026-01-31T09:10:00Z  aws: renewed, usable until 2026-01-31T09:15:00Z, expires 2026-01-31T09:16:00Z",
      "2026-01-31T09:11:59Z  its end was asked for by ada, process 9",
      ...STEPS,
      "2026-01-31T09:12:04Z  aws: revoked since 2026-01-31T09:12:04Z; GetCallerIdentity and the like work until 2026-01-31T09:30:00Z",
    ]);
  });

  it("says what is wrong with an entry that can't be read", async () => {
    openLease(makeLease(), ledger.runtime());
    fs.writeFileSync(ledger.file(), "garbage");
    expect(await lines(ID)).toEqual([`${ID}: its entry in the ledger cannot be read: it is not a ledger entry`]);
  });
});

describe("lease show, of a lease that has ended", () => {
  it("tells what is on record, each ending once", async () => {
    await record(START);
    await record({
      kind: "grant.renewal_failed",
      time: "2026-01-31T09:10:00.000Z",
      grants: [HELD],
      error: { code: "UNREACHABLE", message: "away" },
    });
    await record({
      kind: "endpoint.refused",
      time: "2026-01-31T09:11:00.000Z",
      request: { reason: "stranger", message: "process 3 is not of the command" },
    });
    await record({
      kind: "lease.revoked",
      time: "2026-01-31T09:12:04.000Z",
      endings: [REVOKED],
      revokedBy: { pid: 9, at: "2026-01-31T09:11:59Z" },
    });
    await record({
      kind: "lease.end",
      time: "2026-01-31T09:13:00.000Z",
      command: { argv0: "terraform" },
      child: { exitCode: 143, signal: "SIGTERM", endedAt: "2026-01-31T09:12:30.000Z" },
      endings: [REVOKED],
    });
    expect(await lines("l-00000")).toEqual([
      `${ID} on deploy: closed`,
      "2026-01-31T09:00:02Z  started terraform for ada (env, human)",
      "2026-01-31T09:00:02Z  aws: issued as arn:r, usable until 2026-01-31T09:15:00Z, expires 2026-01-31T09:16:00Z",
      "2026-01-31T09:10:00Z  aws: not renewed: UNREACHABLE: away; usable until 2026-01-31T09:15:00Z, expires 2026-01-31T09:16:00Z",
      "2026-01-31T09:11:00Z  the endpoint refused a request: process 3 is not of the command",
      "2026-01-31T09:11:59Z  its end was asked for by process 9",
      ...STEPS,
      "2026-01-31T09:12:04Z  aws: revoked since 2026-01-31T09:12:04Z; GetCallerIdentity and the like work until 2026-01-31T09:30:00Z",
      "2026-01-31T09:12:30Z  the command (terraform) ended with exit 143 (SIGTERM)",
    ]);
  });

  it("tells each step by which rights were given before the command started, and in each cloud", async () => {
    const rights = [
      {
        cloud: "azure",
        steps: [
          { at: "2026-01-31T08:59:10.000Z", text: "assigned Reader" },
          { at: "2026-01-31T09:00:01.000Z", text: "it works" },
        ],
      },
      { cloud: "gcp", steps: [{ at: "2026-01-31T08:59:30.000Z", text: "bound Viewer" }] },
    ];
    await record({ ...START, rights });
    await record({ kind: "lease.end", time: "2026-01-31T09:13:00.000Z", rights });
    expect((await lines(ID)).slice(1, 5)).toEqual([
      "2026-01-31T08:59:10Z  azure: assigned Reader",
      "2026-01-31T08:59:30Z  gcp: bound Viewer",
      "2026-01-31T09:00:01Z  azure: it works",
      "2026-01-31T09:00:02Z  started terraform for ada (env, human)",
    ]);
    expect(
      (await lines(ID)).filter((line) => line.includes("bound Viewer")),
      "each once",
    ).toHaveLength(1);
  });

  it("tells them too of a lease whose command never started", async () => {
    const rights = [{ cloud: "gcp", steps: [{ at: "2026-01-31T08:59:30.000Z", text: "bound Viewer" }] }];
    const error = { code: "CLOUD_DENIED", message: "no" };
    await record({ kind: "lease.refused", time: "2026-01-31T09:00:00.000Z", rights, error });
    const told = await lines(ID);
    expect(told).toContain("2026-01-31T08:59:30Z  gcp: bound Viewer");
    expect(told).toContain("2026-01-31T09:00:00Z  refused: CLOUD_DENIED: no");
  });

  it("tells in the order of time what was put on record at once, and nothing twice", async () => {
    await record({
      kind: "lease.revoked",
      time: "2026-01-31T09:12:03.900Z",
      endings: [REVOKED],
      revokedBy: { pid: 9, user: "ada", at: "2026-01-31T09:11:59Z" },
    });
    await record({
      kind: "lease.end",
      time: "2026-01-31T09:12:05.000Z",
      command: { argv0: "aws" },
      child: { exitCode: 0, endedAt: "2026-01-31T09:11:58.500Z" },
      endings: [{ ...REVOKED, detail: "another" }],
      revokedBy: { pid: 9, at: "2026-01-31T09:12:01Z" },
    });
    expect((await lines(ID)).slice(1)).toEqual([
      "2026-01-31T09:11:58Z  the command (aws) ended with exit 0",
      "2026-01-31T09:11:59Z  its end was asked for by ada, process 9",
      ...STEPS,
      "2026-01-31T09:12:04Z  aws: revoked since 2026-01-31T09:12:04Z; GetCallerIdentity and the like work until 2026-01-31T09:30:00Z",
    ]);
  });

  it("tells who finished it, and why it failed", async () => {
    await record({
      kind: "lease.failed",
      time: "2026-01-31T09:00:00.000Z",
      error: { code: "CLOUD_DENIED", message: "no" },
    });
    await record({
      kind: "lease.end",
      time: "2026-01-31T09:13:00.000Z",
      endedBy: { by: "watchdog", pid: 8, strays: { found: 3, killed: 1, left: 1 } },
    });
    const open = { ...REVOKED, word: "failed", steps: [], shortfall: "AWS was away", isUnfinished: true } as const;
    await record({
      kind: "lease.end",
      time: "2026-01-31T09:14:00.000Z",
      endings: [open],
      endedBy: { by: "sweep", pid: 9 },
    });
    await record({
      kind: "lease.end",
      time: "2026-01-31T09:15:00.000Z",
      endedBy: { by: "run", pid: 10, strays: { found: 0, killed: 0, left: 0 } },
    });
    expect((await lines(ID)).slice(1)).toEqual([
      "2026-01-31T09:00:00Z  failed: CLOUD_DENIED: no",
      "2026-01-31T09:13:00Z  its agentctl was gone; finished by its watchdog, process 8; 2 processes of its command were ended, 1 by SIGKILL, and 1 could not be",
      "2026-01-31T09:14:00Z  aws: failed, not usable since 2026-01-31T09:12:04Z (not taken back: AWS was away); a further try may still take it back",
      "2026-01-31T09:14:00Z  tried by agentctl lease sweep, process 9, and not finished",
      "2026-01-31T09:15:00Z  finished by a later agentctl run, process 10; nothing of its command ran any more",
    ]);
  });

  it("does not tell of a death where the agentctl had left the rest to its watchdog", async () => {
    const queued: Ending = { ...REVOKED, word: "expires", isUnfinished: true, retryAt: "2026-01-31T09:17:00Z" };
    await record({ kind: "lease.end", time: "2026-01-31T09:13:00.000Z", endings: [queued] });
    await record({ kind: "lease.end", time: "2026-01-31T09:17:01.000Z", endedBy: { by: "watchdog", pid: 8 } });
    expect((await lines(ID)).at(-1)).toBe(
      "2026-01-31T09:17:01Z  what its agentctl had left to be taken back later was seen to by its watchdog, process 8",
    );
  });

  it("says which record makes no sense, and goes on", async () => {
    await record({ kind: "lease.end", time: "2026-01-31T09:00:00.000Z", endings: [null] as never });
    await record({ kind: "lease.start", time: "2026-01-31T09:01:00.000Z", grants: 7 as never });
    await record({
      kind: "lease.refused",
      time: "2026-01-31T09:02:00.000Z",
      error: { code: "X", message: "a\n\u001b[2Jb" },
    });
    expect((await lines(ID)).slice(1)).toEqual([
      "2026-01-31T09:00:00Z  record 1 of the audit log makes no sense: agentctl audit verify",
      "2026-01-31T09:01:00Z  record 2 of the audit log makes no sense: agentctl audit verify",
      "2026-01-31T09:02:00Z  refused: X: a\\u000a\\u001b[2Jb",
    ]);
  });

  it("prints JSON with the story and the records", async () => {
    await record({
      kind: "lease.failed",
      time: "2026-01-31T09:00:00.000Z",
      error: { code: "CLOUD_DENIED", message: "no" },
    });
    expect(JSON.parse(await show(ID, "--json"))).toEqual({
      id: ID,
      state: "closed",
      profile: "deploy",
      story: [{ at: "2026-01-31T09:00:00Z", text: "failed: CLOUD_DENIED: no" }],
      records: [expect.objectContaining({ seq: 1, kind: "lease.failed" })],
    });
    openLease(makeLease(), ledger.runtime());
    expect(JSON.parse(await show(ID, "--json"))).toMatchObject({
      id: ID,
      state: "issuing",
      grants: [{ cloud: "aws" }],
    });
  });

  it("is wrong usage for an id that nothing has, and for one that two have", async () => {
    await record(START);
    openLease(makeLease("l-0000000000000002"), ledger.runtime());
    expect((await thrownBy(() => show("l-X"))).message).toBe('no lease has the id "l-X"');
    expect(await thrownBy(() => show("l-0"))).toMatchObject({
      code: "USAGE",
      facts: { candidates: ["l-0000000000000002", ID] },
    });
  });

  it("reads a log that is not there as an empty one", async () => {
    openLease(makeLease(), ledger.runtime());
    await lines(ID);
    expect(fs.existsSync(path.join(ledger.stateDir, "audit"))).toBe(false);
  });
});
