import { describe, expect, it } from "vitest";
import { readUndoing } from "../../../../src/clouds/azure/rights/undo.js";
import { failureOf } from "../../exchange/identity.js";
import { type FakeAzure, startFakeAzure } from "./fake-azure.js";
import { isRequesting, MINUTE_MS, openLease, START } from "./opening.js";

const HALF_HOUR_MS = 30 * MINUTE_MS;

/** When what was assigned really ends, by this machine's clock. */
function endOf(azure: FakeAzure): number {
  const ends = azure.assignments.map(({ endsAt = Number.POSITIVE_INFINITY }) => endsAt);
  return Math.max(...ends) - azure.skewMs;
}

function timeIn(text: string | undefined, pattern: RegExp): number {
  return Date.parse(pattern.exec(text ?? "")?.[1] ?? "");
}

describe("the end that is told of what is assigned for a time", () => {
  const rows = [
    { name: "whole minutes", moreMs: 0, skewMs: 0, lateMs: 0 },
    { name: "a second beyond a minute", moreMs: 1_000, skewMs: 0, lateMs: 0 },
    { name: "a part of a second", moreMs: 500, skewMs: 0, lateMs: 0 },
    { name: "Azure's clock being ahead by a part of a second", moreMs: 1, skewMs: 999, lateMs: 0 },
    { name: "Azure's clock being behind by a part of a second", moreMs: 1, skewMs: -999, lateMs: 0 },
    { name: "Azure's clock being behind by minutes", moreMs: 400, skewMs: -150_400, lateMs: 0 },
    { name: "Azure counting from when it has heard of it", moreMs: 0, skewMs: -300, lateMs: 40_000 },
    { name: "Azure's clock having just begun a second", atMs: 999, moreMs: 0, skewMs: 1, lateMs: 0 },
    { name: "a lease of a minute", moreMs: MINUTE_MS - HALF_HOUR_MS, skewMs: 700, lateMs: 40_000 },
  ];
  it.each(rows)("is never before it: $name", async ({ atMs = 250, moreMs, skewMs, lateMs }) => {
    const azure = await startFakeAzure();
    azure.now += atMs;
    azure.skewMs = skewMs;
    const latestEndsAt = azure.now + HALF_HOUR_MS + moreMs;
    const lifetimeSeconds = (HALF_HOUR_MS + moreMs) / 1000;
    const lease = openLease(azure, {}, { endsAt: latestEndsAt, latestEndsAt, lifetimeSeconds });
    azure.intercept = (question) => {
      if (!isRequesting(question)) return undefined;
      azure.now += lateMs;
      const reply = azure.answer(question);
      for (const [index, one] of azure.assignments.entries()) {
        const { startsAt, endsAt = 0 } = one;
        const heldUpMs = lateMs === 0 ? 0 : azure.azureNow - startsAt;
        azure.assignments[index] = { ...one, endsAt: endsAt + heldUpMs };
      }
      return reply;
    };
    await lease.open();
    azure.intercept = () => undefined;
    const undoing = readUndoing(lease.order);
    const bound = undoing.kind === "take-back" ? undoing.possession.endsAt : 0;
    expect(bound).toBeGreaterThanOrEqual(endOf(azure));
    expect(bound - endOf(azure)).toBeLessThan(8 * MINUTE_MS);
    expect(timeIn(lease.plan.steps.join("\n"), /until (\S+Z) at the latest/)).toBe(bound);
    const other = openLease(azure, { ready: { permissions: ["x/read"], timeoutSeconds: 1 } });
    const { facts } = await failureOf(other.open());
    expect(Date.parse(String(facts["until"]))).toBeGreaterThanOrEqual(endOf(azure));
    const ending = await lease.end();
    expect(ending).toMatchObject({ word: "expires", isUnfinished: true });
    expect(Date.parse(ending.at)).toBeGreaterThanOrEqual(endOf(azure));
    expect(Date.parse(ending.at)).toBeLessThanOrEqual(bound);
    expect(timeIn(ending.detail, /ends by itself at (\S+Z) at the latest/)).toBe(Date.parse(ending.at));
  });

  it("is what stands at Azure, by its own clock", async () => {
    const azure = await startFakeAzure();
    azure.skewMs = 90_000;
    await openLease(azure, {}, { latestEndsAt: azure.now + HALF_HOUR_MS + 700 }).open();
    const mark = timeIn(String(azure.requests[0]?.body["justification"]), /until (\S+Z)$/);
    expect(mark - (azure.assignments[0]?.endsAt ?? 0)).toBeGreaterThanOrEqual(0);
    expect(mark - (azure.assignments[0]?.endsAt ?? 0)).toBeLessThan(1_000);
  });

  it("holds where the machine has slept before anything was assigned: nothing is, then", async () => {
    const azure = await startFakeAzure();
    const lease = openLease(azure);
    azure.intercept = ({ where }) => {
      if (where.includes("roleDefinitions")) azure.now = START + 26 * MINUTE_MS;
      return undefined;
    };
    expect(await failureOf(lease.open())).toMatchObject({ code: "NOT_READY" });
    expect(azure.assignments).toEqual([]);
  });
});
