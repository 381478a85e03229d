import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { registerLease } from "../../src/cli/lease.js";
import { lockLease, openLease } from "../../src/lease/index.js";
import {
  DEADLINE,
  ID,
  makeGrant,
  makeLease,
  makeScratchLedger,
  NOBODY,
  OPENED,
  type ScratchLedger,
} from "../lease/scratch-ledger.js";
import { runCommand } from "./run-command.js";

let ledger: ScratchLedger;
beforeEach(() => {
  ledger = makeScratchLedger();
});
afterEach(() => ledger.remove());

const OTHER = "l-0000000000000002";
const list = (now: number, ...argv: string[]) =>
  runCommand(registerLease, ["lease", "list", ...argv], ledger.runtime({ now: () => now }));

describe("lease list", () => {
  it("says on stderr that there are none, and keeps stdout to itself", async () => {
    expect(await list(OPENED)).toEqual({ stdout: "", stderr: "agentctl: no open leases\n" });
    expect(JSON.parse((await list(OPENED, "--json")).stdout)).toEqual([]);
  });

  it("shows what is open, and how long", async () => {
    openLease(makeLease(), ledger.runtime()).update({ state: "running", grants: [makeGrant()] });
    const { stdout } = await list(OPENED + 90_000);
    expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["ID", "PROFILE", "STATE", "AGE", "ENDS IN", "GRANTS", "PID"],
      [ID, "deploy", "running", "1m30s", "28m30s", "aws: r/s", String(process.pid)],
      [""],
    ]);
  });

  it.each([
    {
      principal: "arn:aws:sts::111122223333:assumed-role/agentctl-deploy/agentctl-l-0",
      want: "agentctl-deploy/agentctl-l-0",
    },
    { principal: "arn:aws:iam::111122223333:role/ci/agentctl-deploy", want: "agentctl-deploy" },
    { principal: "deploy@acme.iam.gserviceaccount.com", want: "deploy@acme.iam.gserviceaccount.com" },
  ])("keeps a line short, and leaves the whole to --json: $want", async ({ principal, want }) => {
    openLease(makeLease(), ledger.deadRuntime()).update({ grants: [makeGrant({ principal })] });
    const cells = (await list(DEADLINE)).stdout.split("\n")[1]?.split(/ {2,}/);
    expect(cells?.slice(2, 6)).toEqual(["orphaned", "30m", "ended", `aws: ${want}`]);
    expect(JSON.parse((await list(DEADLINE, "--json")).stdout)[0].grants[0].principal).toBe(principal);
  });

  it("shows what waits for its cloud's time as queued, chooses it by that, and has its help say what that is", async () => {
    const retryAt = "2026-01-31T09:05:00Z";
    const ending = { cloud: "aws", word: "expires", at: retryAt, detail: "d", isUnfinished: true, retryAt } as const;
    openLease(makeLease(), ledger.deadRuntime()).update({ state: "ending", endings: [ending] });
    openLease(makeLease(OTHER, {}, OPENED + 1), ledger.deadRuntime());
    const alone = await list(OPENED, "--state", "queued");
    expect(alone.stdout).not.toContain(String(NOBODY));
    const queue = await lockLease(ID, ledger.runtime(), "queue");
    const { stdout } = await list(OPENED, "--state", "queued");
    await queue?.release();
    const rows = stdout.split("\n").map((line) => line.split(/ {2,}/));
    expect(rows.map((cells) => [...cells.slice(0, 3), ...cells.slice(6)])).toEqual([
      ["ID", "PROFILE", "STATE", "PID"],
      [ID, "deploy", "queued", String(process.pid)],
      [""],
    ]);
    const [queued] = JSON.parse((await list(OPENED, "--state", "queued", "--json")).stdout);
    expect(queued).toMatchObject({ id: ID, state: "queued", grants: [{ ending: { retryAt } }] });
    const runtime = ledger.runtime();
    await runCommand(registerLease, ["lease", "list", "--help"], runtime).catch(() => {});
    expect(runtime.stdout.text()).toMatch(/^ {2}queued +its cloud takes the rest back only later, and .*watchdog/m);
  });

  it("has --json say what rights a principal is given for the lease", async () => {
    const plan = { channel: "endpoint", principal: "p", undo: {} } as const;
    const plans = [{ ...plan, cloud: "azure", facts: { assignments: ["Reader on /subscriptions/s"] } }] as const;
    openLease(makeLease(ID, { plans }), ledger.runtime());
    expect((await list(OPENED + 90_000)).stdout).toMatch(/ issuing +1m30s +30m, not begun +azure: p /);
    const [lease] = JSON.parse((await list(OPENED, "--json")).stdout);
    expect(lease.waitsFor).toBe("its roles are being given");
    expect(lease.grants).toEqual([
      { cloud: "azure", channel: "endpoint", principal: "p", rights: ["Reader on /subscriptions/s"] },
    ]);
  });

  it("prints JSON with times in RFC 3339", async () => {
    const ending = { cloud: "aws", word: "removed", at: "2026-01-31T09:10:00Z", detail: "d" } as const;
    const child = { pid: 7, startedAt: "99", leadsGroup: true };
    openLease(makeLease(), ledger.runtime()).update({
      state: "running",
      grants: [makeGrant()],
      child,
      endings: [ending],
    });
    openLease(makeLease(OTHER, { plans: [] }, OPENED + 1), ledger.runtime());
    fs.writeFileSync(ledger.file("l-X"), "garbage");
    const common = {
      profile: "deploy",
      deadlineAt: "2026-01-31T09:30:00Z",
      actor: "automation",
      identity: { source: "github-actions", issuer: "https://issuer.example", subject: "repo:acme/site" },
      command: "terraform",
      pid: process.pid,
    };
    expect(JSON.parse((await list(OPENED, "--json")).stdout)).toEqual([
      {
        ...common,
        id: ID,
        state: "running",
        openedAt: "2026-01-31T09:00:00Z",
        usableUntil: "2026-01-31T09:10:00Z",
        childPid: 7,
        grants: [
          {
            cloud: "aws",
            channel: "env",
            principal: makeGrant().principal,
            issuedAt: "2026-01-31T09:00:01Z",
            usableUntil: "2026-01-31T09:29:59Z",
            expiresAt: "2026-01-31T09:30:01Z",
            ending,
          },
        ],
      },
      {
        ...common,
        id: OTHER,
        state: "issuing",
        openedAt: "2026-01-31T09:00:00Z",
        usableUntil: "2026-01-31T09:30:00Z",
        grants: [],
      },
      { id: "l-X", state: "unreadable", problem: "it is not a ledger entry" },
    ]);
  });

  const cases: readonly { name: string; argv: readonly string[]; want: readonly string[] }[] = [
    { name: "of a profile", argv: ["-p", "deploy"], want: [ID] },
    { name: "in a state", argv: ["--state", "orphaned"], want: [OTHER] },
    { name: "in one of several", argv: ["--state", "orphaned", "--state", "issuing"], want: [ID, OTHER] },
    { name: "of an age", argv: ["--older-than", "1h"], want: [ID] },
    { name: "that there are none of", argv: ["-p", "deploy", "--state", "orphaned"], want: [] },
  ];
  it.each(cases)("lists those $name", async ({ argv, want }) => {
    openLease(makeLease(), ledger.runtime());
    openLease(makeLease(OTHER, {}, OPENED + 3_000_000), ledger.deadRuntime());
    ledger.edit(OTHER, (entry) => Object.assign(entry, { profile: "read-logs" }));
    const { stdout } = await list(OPENED + 3_600_000, ...argv, "--json");
    expect(JSON.parse(stdout).map(({ id }: { id: string }) => id)).toEqual(want);
    if (want.length === 0) expect((await list(OPENED, ...argv)).stderr).toBe("agentctl: no such leases\n");
  });

  it.each([
    { name: "a state that is none", argv: ["--state", "asleep"] },
    { name: "an age that is none", argv: ["--older-than", "old"] },
  ])("is wrong usage with $name", async ({ argv }) => {
    await expect(list(OPENED, ...argv)).rejects.toMatchObject({ code: "commander.invalidArgument" });
  });
});
