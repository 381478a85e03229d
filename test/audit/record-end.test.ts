import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Account } from "../../src/audit/account.js";
import type { Receipt } from "../../src/audit/receipt.js";
import { concludeRun, recordEnd } from "../../src/audit/record-lease.js";
import type { Ending } from "../../src/core/lease.js";
import type { Profile, RevokeMode } from "../../src/core/profile.js";
import { thrownBy } from "../thrown.js";
import { makeScratchLog, type ScratchLog } from "./scratch-log.js";

let log: ScratchLog;
beforeEach(() => {
  log = makeScratchLog();
});
afterEach(() => log.remove());

const NOW = Date.parse("2026-01-31T09:00:00Z");
const AT = "2026-01-31T10:00:00Z";
const REVOKED: Ending = { cloud: "aws", word: "revoked", at: "2026-01-31T09:00:00Z", detail: "refused" };
const FULL: Ending = { cloud: "aws", word: "fenced", at: AT, detail: "", shortfall: "the role is full" };
const AWAY: Ending = { cloud: "aws", word: "failed", at: AT, detail: "", shortfall: "IAM is away", isUnfinished: true };

function accountOf(revoke: RevokeMode, endings: readonly Ending[]): Account {
  const profile = { name: "deploy", revoke, auditArgv: "first", auditSinks: [] } as unknown as Profile;
  const request = { argv: ["true"], profileName: "deploy", passEnv: [] } as const;
  const terms = { leaseId: "l-0123456789ABCDEF", profileName: "deploy", openedAt: NOW, deadlineAt: NOW, ttlSeconds: 1 };
  return { request, profile, terms: { ...terms, latestDeadlineAt: NOW, deliver: "auto" }, endings };
}

const rows: readonly {
  name: string;
  revoke: RevokeMode;
  ending: Ending;
  exitCode?: number;
  want: object | undefined;
}[] = [
  { name: "what is required was taken back", revoke: "required", ending: REVOKED, want: undefined },
  { name: "auto takes what comes", revoke: "auto", ending: AWAY, want: undefined },
  {
    name: "required, and no room for a deny",
    revoke: "required",
    ending: FULL,
    want: {
      code: "NOT_TAKEN_BACK",
      exitCode: 79,
      message: expect.stringMatching(
        /^what \S+ requires to be taken back was not: aws: the role is full; usable until \S+Z$/,
      ),
      hint: expect.stringContaining("receipt"),
    },
  },
  {
    name: "required, and a further try could do it",
    revoke: "required",
    ending: AWAY,
    want: { code: "NOT_TAKEN_BACK", exitCode: 79, hint: "finish it with: agentctl lease sweep l-0123456789ABCDEF" },
  },
  {
    name: "required, and its cloud takes it back only later",
    revoke: "required",
    ending: { ...AWAY, word: "expires", retryAt: "2026-01-31T12:04:50Z" },
    want: {
      code: "NOT_TAKEN_BACK",
      exitCode: 79,
      hint: "nothing to do: its watchdog takes it back at 2026-01-31T12:04:50Z, if this machine still runs; agentctl lease show l-0123456789ABCDEF tells whether it has",
    },
  },
  { name: "the child's own failure wins", revoke: "required", ending: AWAY, exitCode: 3, want: undefined },
];

describe("the end of a lease whose grants were to be taken back", () => {
  it.each(rows)("$name", async ({ revoke, ending, exitCode = 0, want }) => {
    const written: unknown[] = [];
    const receipt: Receipt = { hold: () => {}, write: (account) => written.push(account.endings), release: () => {} };
    const child = { exitCode, startedAt: NOW, endedAt: NOW, stoppedAtExpiry: false };
    const runtime = log.runtime({ now: () => NOW });
    const told: unknown[] = [];
    const account = accountOf(revoke, [ending]);
    const ends = async () => {
      const unrecorded = await recordEnd(account, receipt, runtime);
      concludeRun(account, child, unrecorded, (each) => told.push(each));
    };
    if (want === undefined) await ends();
    else expect(await thrownBy(ends)).toMatchObject(want);
    expect(written, "the receipt is written whatever came of it").toEqual([[ending]]);
    expect(told).toHaveLength(exitCode === 0 ? 0 : 1);
  });
});
