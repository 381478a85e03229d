import { describe, expect, it } from "vitest";
import { formatInstant } from "../../../../src/core/durations.js";
import type { Ending } from "../../../../src/core/lease.js";
import { withLimit } from "../../end-order.js";
import { fails, GROUP, ONE, objectIdOf, SUBSCRIPTION, startFakeAzure } from "./fake-azure.js";
import { heldLease, MINUTE_MS, openLease, START } from "./opening.js";

const ready = { permissions: ["Microsoft.Web/sites/read"], timeoutSeconds: 120 };

function textsOf({ steps = [] }: Ending): readonly string[] {
  return steps.map(({ text }) => text);
}

describe("the end of a lease with rights", () => {
  it("takes them back, and states Azure's delay and the token's own end", async () => {
    const azure = await startFakeAzure();
    const { end, grant, leaseId } = await heldLease(azure, 10);
    const ending = await end(grant);
    expect(ending).toMatchObject({
      cloud: "azure",
      word: "removed",
      at: "2026-11-22T12:20:00Z",
      until: "2026-11-22T12:59:59Z",
      reason: "no azure.ready to see it by",
    });
    expect(ending).not.toHaveProperty("isUnfinished");
    expect(ending.detail).toMatch(/taken back at 2026-11-22T12:10:00Z; Azure says .* within 10 minutes; .* live until/);
    expect(textsOf(ending)).toEqual([`took Reader on ${GROUP} of application ${ONE} back`]);
    expect(azure.assignments).toEqual([]);
    expect(azure.requests.at(-1)?.body).toMatchObject({
      requestType: "AdminRemove",
      principalId: objectIdOf(ONE),
      justification: `agentctl lease ${leaseId} ended`,
      targetRoleAssignmentScheduleId: azure.requests[0]?.scheduleId,
    });
  });

  it.each([
    { name: "the assignment's own end", minutes: 28, more: {}, want: "2026-11-22T12:30:01Z" },
    {
      name: "the token's own end",
      minutes: 55,
      more: { latestEndsAt: START + 120 * MINUTE_MS },
      want: "2026-11-22T12:59:59Z",
    },
  ])("is effective no later than $name", async ({ minutes, more, want }) => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, minutes, {}, more);
    expect(await end(grant)).toMatchObject({ word: "removed", at: want });
  });

  it("is revoked where the lease's own token was seen to lose it", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 10, { ready });
    azure.delayMs = 8_000;
    const progress: string[] = [];
    const ending = await end(grant, { onProgress: (text, wait) => void progress.push(withLimit(text, wait)) });
    expect(ending.word).toBe("revoked");
    expect(Date.parse(ending.at) - (START + 10 * MINUTE_MS)).toBeGreaterThanOrEqual(8_000);
    expect(Date.parse(String(ending.until))).toBe(Math.floor(grant.expiresAt / 1000) * 1000);
    expect(ending.detail).toMatch(
      /have none of Microsoft\.Web\/sites\/read at .* after the assignments were taken back/,
    );
    expect(progress.at(-1)).toMatch(/^waiting to see the role gone: .* \(of 30s\)$/);
  });

  it("is revoked too where an application without any role is refused the question", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 10, { ready });
    azure.intercept = ({ where }) =>
      where.endsWith("/permissions") && azure.assignments.length === 0
        ? fails(403, "AuthorizationFailed", "No.")
        : undefined;
    expect(await end(grant)).toMatchObject({ word: "revoked" });
  });

  it.each([
    { name: "does not take the token any more", status: 401, code: "InvalidAuthenticationToken" },
    { name: "fails", status: 500, code: "InternalServerError" },
  ])("is removed and no more where Azure $name: nothing was refused", async ({ status, code }) => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 10, { ready });
    azure.intercept = ({ where }) =>
      where.endsWith("/permissions") && azure.assignments.length === 0 ? fails(status, code, "No.") : undefined;
    const ending = await end(grant);
    expect(ending.word).toBe("removed");
    expect(ending.detail).toMatch(/not seen to lose it within 3\d/);
  });

  it.each([
    { name: "the token had nothing of it before either", status: 403, code: "AuthorizationFailed" },
    { name: "Azure did not answer before", status: 401, code: "InvalidAuthenticationToken" },
  ])("is removed and no more where $name: what is refused then need not be why", async ({ status, code }) => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 10, { ready });
    azure.intercept = ({ where }) => {
      if (!where.endsWith("/permissions")) return undefined;
      return azure.assignments.length > 0 ? fails(status, code, "No.") : fails(403, "AuthorizationFailed", "No.");
    };
    const ending = await end(grant);
    expect(ending.word).toBe("removed");
    expect(ending.detail).toMatch(/before/);
  });

  it.each([
    { name: "it is not seen within the time", delayMs: 120_000, context: {}, why: /not seen to lose it within 3\d/ },
    { name: "nobody waits", delayMs: 0, context: { unwatched: AbortSignal.abort() }, why: /nobody waited to see/ },
  ])("is removed and no more where $name", async ({ delayMs, context, why }) => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 10, { ready });
    azure.delayMs = delayMs;
    const ending = await end(grant, context);
    expect(ending.word).toBe("removed");
    expect(ending.detail).toMatch(why);
  });

  it.each([{ name: "a role that stays gives the permission as well", rest: SUBSCRIPTION }])(
    "is removed and no more where $name",
    async ({ rest }) => {
      const azure = await startFakeAzure();
      const { end, grant } = await heldLease(azure, 10, { ready });
      const [own] = azure.assignments;
      if (own === undefined) throw new Error("nothing was given");
      azure.add({ ...own, scope: rest, name: "stays", startsAt: 0 });
      const before = azure.now;
      const ending = await end(grant);
      expect(ending).toMatchObject({
        word: "removed",
        at: formatInstant(grant.expiresAt),
        detail: expect.stringContaining(`application ${ONE} keeps Reader by another assignment, on ${SUBSCRIPTION}`),
      });
      expect(ending).not.toHaveProperty("until");
      // Nobody waits for a refusal that cannot come.
      expect(azure.now - before).toBeLessThan(10_000);
      expect(azure.assignments).toMatchObject([{ name: "stays" }]);
    },
  );

  it.each([
    { name: "another role above", change: { scope: SUBSCRIPTION, roleDefinitionId: "/x/roleDefinitions/y" } },
    { name: "the same role beside it", change: { scope: `${GROUP}-2` } },
    { name: "the same role below", change: { scope: `${GROUP}/providers/Microsoft.Web/sites/x` } },
  ])("is revoked where what stays is $name", async ({ change }) => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 10, { ready });
    const [own] = azure.assignments;
    if (own === undefined) throw new Error("nothing was given");
    azure.add({ ...own, name: "stays", startsAt: 0, ...change });
    expect((await end(grant)).word).toBe("revoked");
  });

  it("does not depend on a list of what stays", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 10, { ready });
    azure.intercept = ({ where }) => (where.endsWith("/roleAssignments") ? fails(403, "X", "No.") : undefined);
    expect((await end(grant)).word).toBe("revoked");
  });

  it("is removed where it comes from the ledger, without the token", async () => {
    const azure = await startFakeAzure();
    const { end } = await heldLease(azure, 10, { ready });
    const ending = await end();
    expect(ending).toMatchObject({ word: "removed" });
    expect(ending).not.toHaveProperty("until");
  });

  it("comes to the same a second time, and leaves what another lease was given since", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 10);
    await end(grant);
    const next = openLease(azure);
    await next.open();
    azure.now += 6 * MINUTE_MS;
    const again = await end(grant);
    expect(again).toMatchObject({ word: "removed" });
    expect(textsOf(again)).toEqual(["found that it was taken back before"]);
    expect(azure.assignments).toHaveLength(1);
  });

  it("leaves what another was given where somebody else had taken it back", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 10);
    azure.remove(() => true);
    const next = openLease(azure);
    await next.open();
    azure.now += 6 * MINUTE_MS;
    expect((await end(grant)).word).toBe("removed");
    expect(azure.assignments).toHaveLength(1);
    expect(azure.requests).toHaveLength(2);
  });
});
