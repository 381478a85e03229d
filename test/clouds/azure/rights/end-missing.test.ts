import { describe, expect, it } from "vitest";
import { type FakeAzure, fails, startFakeAzure, TWO } from "./fake-azure.js";
import { heldLease, MINUTE_MS, START } from "./opening.js";

const SIX_MINUTES = START + 6 * MINUTE_MS;

/** Answers as if no request to assign had been made, for some of Azure's time from then on. */
function hideRequests(azure: FakeAzure, ms: number): void {
  azure.intercept = ({ method, where }) =>
    method === "GET" && where.includes("roleAssignmentScheduleRequests/") && azure.now < SIX_MINUTES + ms
      ? fails(404, "RoleAssignmentScheduleRequestNotFound", "There is none.")
      : undefined;
}

describe("a lease that had its token, and whose request Azure does not show", () => {
  it("is looked at a second time, and what was given is taken back", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 6, { otherClientIds: [TWO] });
    hideRequests(azure, 1_000);
    expect(await end(grant)).toMatchObject({ word: "removed" });
    expect(azure.assignments).toEqual([]);
  });

  it("is said not to be taken back where it is shown at no time, and stays to be finished", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 6);
    hideRequests(azure, 10 * MINUTE_MS);
    const ending = await end(grant);
    expect(ending).toMatchObject({ word: "failed", isUnfinished: true });
    expect(ending.shortfall).toMatch(/^Azure shows nothing that was assigned for this lease/);
    azure.now = SIX_MINUTES + 10 * MINUTE_MS;
    expect(await end(grant)).toMatchObject({ word: "removed" });
    expect(azure.assignments).toEqual([]);
  });

  it("is not waited for where it is shown", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 6, { otherClientIds: [TWO] });
    const before = azure.now;
    expect(await end(grant)).toMatchObject({ word: "removed" });
    expect(azure.now).toBe(before);
  });
});
