import { describe, expect, it } from "vitest";
import type { Ending, EndOrder } from "../../src/core/lease.js";
import type { LeaseEntry, LedgerGrant } from "../../src/lease/index.js";
import { ordersOf } from "../../src/lease/index.js";
import { entryQueuedUntil } from "../../src/lease/orders.js";

const DEADLINE = 1000;
const NOW = Date.parse("2026-01-31T09:12:00Z");
const ENDING: Ending = { cloud: "aws", word: "revoked", at: "2026-01-31T09:10:00Z", detail: "d" };
const PLANNED: LedgerGrant = { cloud: "aws", channel: "env", principal: "p", undo: { role: "r" } };
const ISSUED: LedgerGrant = { ...PLANNED, issuedAt: 1, usableUntil: 900, expiresAt: 950 };
const WANTED: EndOrder = {
  leaseId: "l-1",
  cloud: "aws",
  channel: "env",
  principal: "p",
  undo: { role: "r" },
  isIssued: true,
  usableUntil: 900,
  expiresAt: 950,
};

function entryOf(...grants: readonly LedgerGrant[]): LeaseEntry {
  return {
    version: 2,
    id: "l-1",
    profile: "deploy",
    state: "running",
    owner: { pid: 1, startedAt: "", bootId: "", machineId: "", pidNamespace: "" },
    openedAt: 0,
    deadlineAt: DEADLINE,
    actor: "human",
    identity: { source: "env", issuer: "i", subject: "s" },
    command: "true",
    graceSeconds: 30,
    privateDir: "/p",
    grants,
  };
}

describe("ordersOf", () => {
  const { expiresAt: _, ...unknown } = WANTED;
  const cases: readonly { name: string; grant: LedgerGrant; want: readonly EndOrder[] }[] = [
    { name: "issued, by env: its own times", grant: ISSUED, want: [WANTED] },
    {
      name: "by the endpoint: a renewal may not be in the ledger, so the deadline",
      grant: { ...ISSUED, channel: "endpoint" },
      want: [{ ...WANTED, channel: "endpoint", usableUntil: DEADLINE, expiresAt: DEADLINE }],
    },
    {
      name: "by the endpoint, for longer than the lease",
      grant: { ...ISSUED, channel: "endpoint", expiresAt: 4000 },
      want: [{ ...WANTED, channel: "endpoint", usableUntil: DEADLINE, expiresAt: 4000 }],
    },
    {
      name: "asked for: nobody knows, so the deadline",
      grant: PLANNED,
      want: [{ ...unknown, isIssued: false, usableUntil: DEADLINE }],
    },
    { name: "ended: nothing", grant: { ...ISSUED, ending: ENDING }, want: [] },
    { name: "failed: again", grant: { ...ISSUED, ending: { ...ENDING, word: "failed" } }, want: [WANTED] },
    {
      name: "unfinished: again",
      grant: { ...ISSUED, ending: { ...ENDING, word: "fenced", isUnfinished: true } },
      want: [WANTED],
    },
    {
      name: "unfinished, and its cloud would refuse it still: not yet",
      grant: { ...ISSUED, ending: { ...ENDING, word: "expires", isUnfinished: true, retryAt: "2026-01-31T09:12:01Z" } },
      want: [],
    },
    {
      name: "unfinished, and its cloud refuses it no longer: again",
      grant: { ...ISSUED, ending: { ...ENDING, word: "expires", isUnfinished: true, retryAt: "2026-01-31T09:12:00Z" } },
      want: [WANTED],
    },
    { name: "finished: nothing", grant: { ...ISSUED, ending: { ...ENDING, isUnfinished: false } }, want: [] },
  ];
  it.each(cases)("$name", ({ grant, want }) => expect(ordersOf(entryOf(grant), NOW)).toEqual(want));

  it("gives one for each grant that is open, in their order", () => {
    const orders = ordersOf(
      entryOf({ ...ISSUED, cloud: "gcp" }, { ...ISSUED, ending: ENDING }, { ...PLANNED, cloud: "azure" }),
      NOW,
    );
    expect(orders.map(({ cloud }) => cloud)).toEqual(["gcp", "azure"]);
  });
});

describe("entryQueuedUntil", () => {
  const SOON = "2026-01-31T09:15:00Z";
  const LATE = "2026-01-31T09:16:00Z";
  const ended: LedgerGrant = { ...ISSUED, ending: ENDING };
  const queued = (retryAt?: string): LedgerGrant => ({
    ...ISSUED,
    ending: { ...ENDING, word: "expires", isUnfinished: true, ...(retryAt !== undefined && { retryAt }) },
  });
  const cases: readonly { name: string; grants: readonly LedgerGrant[]; want: string | undefined }[] = [
    { name: "the time of what waits", grants: [queued(SOON)], want: SOON },
    { name: "the last of two", grants: [queued(LATE), queued(SOON)], want: LATE },
    { name: "the time of what waits beside what has ended", grants: [ended, queued(SOON)], want: SOON },
    { name: "none where something has not been tried", grants: [queued(SOON), ISSUED], want: undefined },
    { name: "none where something was only planned", grants: [PLANNED, queued(SOON)], want: undefined },
    { name: "none where something may be tried at once", grants: [queued(SOON), queued()], want: undefined },
    { name: "none where all has ended", grants: [ended], want: undefined },
    { name: "none where nothing was to be issued", grants: [], want: undefined },
  ];
  it.each(cases)("is $name", ({ grants, want }) => {
    expect(entryQueuedUntil({ grants })).toBe(want === undefined ? undefined : Date.parse(want));
  });
});
