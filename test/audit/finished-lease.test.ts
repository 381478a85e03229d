import * as fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  appendFinishedLease,
  type FinishedLease,
  findRecordedEnd,
  writeFinishedReceipt,
} from "../../src/audit/finished-lease.js";
import { renderAuditLine } from "../../src/cli/audit-line.js";
import { thrownBy } from "../thrown.js";
import { makeScratchLog, type ScratchLog } from "./scratch-log.js";

let log: ScratchLog;
beforeEach(() => {
  log = makeScratchLog();
});
afterEach(() => log.remove());

const NOW = Date.parse("2026-01-31T09:00:00Z");
const runtime = () => log.runtime({ now: () => NOW });
const FINISHED: FinishedLease = {
  id: "l-0123456789ABCDEF",
  profile: "deploy",
  actor: "automation",
  identity: { source: "github-actions", issuer: "https://issuer.example", subject: "repo:acme/site" },
  command: "terraform",
  openedAt: NOW - 60_000,
  deadlineAt: NOW + 3_600_000,
  grants: [
    {
      cloud: "aws",
      channel: "env",
      principal: "arn:aws:sts::111122223333:assumed-role/deploy/agentctl",
      undo: { roleArn: "arn:aws:iam::111122223333:role/deploy" },
      issuedAt: NOW - 59_000,
      usableUntil: NOW + 3_600_000,
    },
  ],
  endings: [{ cloud: "aws", word: "removed", at: "2026-01-31T09:00:00Z", detail: "the deny is on the role" }],
  endedBy: { by: "watchdog", pid: 42, strays: { found: 2, killed: 1, left: 0 } },
};

describe("the record of a lease that another process ended", () => {
  it("is the lease's end, and says who ended it and what of the command was there", async () => {
    const head = await appendFinishedLease(FINISHED, [], runtime());
    const record = JSON.parse(log.read().toString("utf8")) as Parameters<typeof renderAuditLine>[0];
    expect(record).toMatchObject({
      kind: "lease.end",
      lease: FINISHED.id,
      profile: "deploy",
      actor: { kind: "automation" },
      command: { argv0: "terraform" },
      endings: FINISHED.endings,
      endedBy: { by: "watchdog", pid: 42, strays: { found: 2, killed: 1, left: 0 } },
    });
    expect(head.seq).toBe(1);
    expect(renderAuditLine(record)).toContain(
      "command terraform: ended by its watchdog, process 42; processes ended: 2, killed: 1; aws: removed, not usable since 2026-01-31T09:00:00Z",
    );
  });

  const lines = [
    { name: "a sweep", endedBy: { by: "sweep", pid: 7 }, want: "ended by agentctl lease sweep, process 7; aws" },
    { name: "a run of later", endedBy: { by: "run", pid: 7 }, want: "ended by a later agentctl run, process 7; aws" },
    { name: "a revocation", endedBy: { by: "revoke", pid: 7 }, want: "ended by agentctl lease revoke, process 7; aws" },
  ] as const;
  it.each(lines)("names $name", async ({ endedBy, want }) => {
    await appendFinishedLease({ ...FINISHED, endedBy }, [], runtime());
    const record = JSON.parse(log.read().toString("utf8")) as Parameters<typeof renderAuditLine>[0];
    expect(renderAuditLine(record)).toContain(want);
  });
});

it("is a try where something is left to take back", async () => {
  const endings = FINISHED.endings.map((ending) => ({ ...ending, isUnfinished: true }));
  await appendFinishedLease({ ...FINISHED, endings, endedBy: { by: "sweep", pid: 7 } }, [], runtime());
  const record = JSON.parse(log.read().toString("utf8")) as Parameters<typeof renderAuditLine>[0];
  expect(renderAuditLine(record)).toContain("command terraform: tried by agentctl lease sweep, process 7; aws");
});

it("is the lease's revocation where its agentctl lives on", async () => {
  await appendFinishedLease({ ...FINISHED, endedBy: { by: "revoke", pid: 7 } }, [], runtime(), "lease.revoked");
  const record = JSON.parse(log.read().toString("utf8")) as Parameters<typeof renderAuditLine>[0];
  expect(record).toMatchObject({
    kind: "lease.revoked",
    revokedBy: { pid: 7, at: "2026-01-31T09:00:00Z" },
    endings: FINISHED.endings,
  });
  expect(renderAuditLine(record)).toContain("command terraform: revoked by process 7; aws: removed, ");
});

const placeOf = (file: string) => ({
  file,
  temporary: path.join(path.dirname(file), ".receipt.json.0123456789ab.tmp"),
});

describe("the end of a lease as it is on record", () => {
  it("is the last one, with its place in the chain, whoever wrote it", async () => {
    expect(await findRecordedEnd(FINISHED.id, runtime())).toBeUndefined();
    await appendFinishedLease({ ...FINISHED, id: "l-FEDCBA9876543210" }, [], runtime());
    await appendFinishedLease({ ...FINISHED, endings: [] }, [], runtime());
    expect(await findRecordedEnd(FINISHED.id, runtime())).toMatchObject({ endings: [], head: { seq: 2 } });
    const head = await appendFinishedLease(FINISHED, [], runtime());
    expect(await findRecordedEnd(FINISHED.id, runtime())).toEqual({ endings: FINISHED.endings, head });
  });

  it("is no revocation of a lease whose agentctl lives on", async () => {
    await appendFinishedLease(FINISHED, [], runtime(), "lease.revoked");
    expect(await findRecordedEnd(FINISHED.id, runtime())).toBeUndefined();
  });
});

describe("the receipt of a lease that another process ended", () => {
  const step = (text: string) => ({ at: "2026-01-31T08:59:30.000Z", text });
  const files = [
    {
      name: "keeps what its own agentctl had told, with the steps of the earlier try first",
      there: {
        lease: FINISHED.id,
        closedAt: "2026-01-31T08:59:30Z",
        child: { exitCode: 3 },
        endings: [{ cloud: "aws", word: "failed", steps: [step("asked once")] }],
      },
      want: {
        lease: FINISHED.id,
        closedAt: "2026-01-31T09:00:00Z",
        child: { exitCode: 3 },
        endings: [{ cloud: "aws", word: "removed", steps: [step("asked once"), step("put the deny")] }],
        endedBy: { by: "watchdog" },
      },
    },
    {
      name: "tells a step once that an earlier try has told",
      there: { lease: FINISHED.id, endings: [{ cloud: "aws", word: "removed", steps: [step("put the deny")] }] },
      want: { endings: [{ cloud: "aws", word: "removed", steps: [step("put the deny")] }] },
    },
    {
      name: "is not put in the place of a later lease's",
      there: { lease: "l-FEDCBA9876543210", openedAt: "2026-01-31T08:59:30Z", endings: [] },
      want: { lease: "l-FEDCBA9876543210", endings: [] },
    },
    {
      name: "takes the place of an earlier lease's, as any receipt does, and nothing of it",
      there: { lease: "l-FEDCBA9876543210", openedAt: "2026-01-30T08:59:30Z", child: { exitCode: 3 }, endings: [] },
      want: { lease: FINISHED.id, command: { argv0: "terraform" }, endings: [{ word: "removed" }] },
    },
    { name: "is put in the place of what is no receipt", there: ["notes"], want: { lease: FINISHED.id } },
  ];
  it.each(files)("$name", async ({ there, want }) => {
    const file = path.join(path.dirname(log.stateDir), "receipt.json");
    fs.writeFileSync(file, JSON.stringify(there));
    const endings = FINISHED.endings.map((ending) => ({ ...ending, steps: [step("put the deny")] }));
    const finished = { ...FINISHED, endings };
    writeFinishedReceipt(placeOf(file), finished, await appendFinishedLease(finished, [], runtime()), runtime());
    const receipt = JSON.parse(fs.readFileSync(file, "utf8")) as Record<string, unknown>;
    expect(receipt).toMatchObject(want);
    expect("child" in receipt).toBe("child" in want);
  });

  it("is left as it is where its own agentctl wrote it with the end that is on record, and died after that", async () => {
    const file = path.join(path.dirname(log.stateDir), "receipt.json");
    const head = await appendFinishedLease(FINISHED, [], runtime());
    const own = JSON.stringify({ lease: FINISHED.id, child: { exitCode: 0 }, endings: [], audit: head });
    fs.writeFileSync(file, own);
    writeFinishedReceipt(placeOf(file), FINISHED, head, runtime());
    expect(fs.readFileSync(file, "utf8")).toBe(own);
  });

  it("holds what the ledger knew, the endings and the head of the log, for this user alone", async () => {
    const file = path.join(path.dirname(log.stateDir), "receipt.json");
    const head = await appendFinishedLease(FINISHED, [], runtime());
    writeFinishedReceipt(placeOf(file), FINISHED, head, runtime());
    expect(JSON.parse(fs.readFileSync(file, "utf8"))).toMatchObject({
      version: 1,
      lease: FINISHED.id,
      openedAt: "2026-01-31T08:59:00Z",
      closedAt: "2026-01-31T09:00:00Z",
      identity: FINISHED.identity,
      grants: [{ cloud: "aws", issuedAt: "2026-01-31T08:59:01Z", usableUntil: "2026-01-31T10:00:00Z" }],
      endings: FINISHED.endings,
      endedBy: { by: "watchdog" },
      audit: head,
    });
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(fs.readdirSync(path.dirname(file)).sort()).toEqual(["receipt.json", "state"]);
  });

  it("is refused where something else than a file is in its place", async () => {
    const file = path.join(path.dirname(log.stateDir), "receipt.json");
    fs.symlinkSync("/nonexistent", file);
    const head = await appendFinishedLease(FINISHED, [], runtime());
    const error = await thrownBy(() => writeFinishedReceipt(placeOf(file), FINISHED, head, runtime()));
    expect(error).toMatchObject({ code: "RECEIPT_UNWRITABLE" });
    expect(fs.readlinkSync(file)).toBe("/nonexistent");
  });
});
