import { describe, expect, it } from "vitest";
import { failureOf } from "../../exchange/identity.js";
import { fails, GROUP, SUBSCRIPTION, startFakeAzure } from "./fake-azure.js";
import { heldLease, openLease } from "./opening.js";

const LOCK = { name: "keep", level: "CanNotDelete", scope: GROUP };
const SITE = `${GROUP}/providers/Microsoft.Web/sites/shop`;

describe("a lock, under which nothing given could be taken back", () => {
  it.each([
    { name: "on the scope", lock: LOCK },
    { name: "on the scope, in other letters", lock: { ...LOCK, scope: GROUP.toUpperCase() } },
    { name: "above the scope", lock: { ...LOCK, scope: SUBSCRIPTION } },
    { name: "that is read-only", lock: { ...LOCK, level: "ReadOnly" } },
  ])("$name: nothing is given", async ({ lock }) => {
    const azure = await startFakeAzure();
    azure.locks = [lock];
    const failure = await failureOf(openLease(azure).open());
    expect(failure).toMatchObject({ code: "CLOUD_DENIED", facts: { scope: GROUP, lock: "keep", level: lock.level } });
    expect(failure.message).toContain(`the lock keep (${lock.level}) on ${lock.scope} would keep what is assigned`);
    expect(azure.requests).toEqual([]);
    expect(azure.assignments).toEqual([]);
  });

  it.each([
    { name: "below the scope", lock: { ...LOCK, scope: SITE } },
    { name: "on another whose name begins like it", lock: { ...LOCK, scope: `${GROUP.slice(0, -1)}` } },
    { name: "of a level that is not known", lock: { ...LOCK, level: "NotSpecified" } },
  ])("$name stands in nobody's way", async ({ lock }) => {
    const azure = await startFakeAzure();
    azure.locks = [lock];
    await openLease(azure).open();
    expect(azure.assignments).toHaveLength(1);
  });

  it("is asked for with those above, and not where there can be none", async () => {
    const azure = await startFakeAzure();
    const root = "/providers/Microsoft.Management/managementGroups/acme";
    const filters: (string | null)[] = [];
    azure.intercept = ({ where, query }) => {
      if (where.endsWith("/locks")) filters.push(query.get("$filter"));
      return undefined;
    };
    const assignments = [GROUP, root].map((scope) => ({ role: "Reader", scope }));
    await openLease(azure, { assignments }).open();
    expect(filters).toEqual(["atScope()"]);
  });

  it("that cannot be seen is not told of", async () => {
    const azure = await startFakeAzure();
    azure.locks = [LOCK];
    azure.intercept = ({ where }) => (where.endsWith("/locks") ? fails(403, "AuthorizationFailed", "No.") : undefined);
    await openLease(azure).open();
    expect(azure.assignments).toHaveLength(1);
  });
});

describe("a lock that came while the lease was on", () => {
  it.each([
    { name: "a time-bound assignment", allowUnbounded: false, why: /FailedAsResourceIsLocked/, bound: /while a lock/ },
    { name: "a plain one", allowUnbounded: true, why: /ScopeLocked/, bound: /does not end by itself/ },
  ])("keeps $name, whose end is told for no certain time", async ({ allowUnbounded, why, bound }) => {
    const azure = await startFakeAzure();
    azure.isLicensed = !allowUnbounded;
    const { end, grant } = await heldLease(azure, 10, { allowUnbounded });
    azure.locks = [LOCK];
    const ending = await end(grant);
    expect(ending).toMatchObject({ word: "failed", isUnfinished: true });
    expect(ending.at).toBe(new Date(grant.expiresAt ?? 0).toISOString().replace(".000", ""));
    expect(ending.shortfall).toMatch(why);
    expect(ending.detail).toMatch(bound);
    expect(ending.detail).not.toMatch(/end by themselves at/);
    azure.locks = [];
    expect(await end(grant)).toMatchObject({ word: "removed" });
  });
});
