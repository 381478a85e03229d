import { describe, expect, it } from "vitest";
import { azureCloud } from "../../../../src/clouds/azure/index.js";
import type { Ending } from "../../../../src/core/lease.js";
import { endContext } from "../../end-order.js";
import { idToken } from "../../exchange/identity.js";
import { fails, GROUP, ONE, objectIdOf, SUBSCRIPTION, startFakeAzure, TWO } from "./fake-azure.js";
import { heldLease, isRequesting, MINUTE_MS, openLease, rightsSettings, runtimeOf, START } from "./opening.js";

function textsOf({ steps = [] }: Ending): readonly string[] {
  return steps.map(({ text }) => text);
}

describe("a removal that comes too early", () => {
  it("is queued: the word is that of the assignment's own end, and when to try again is told", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 2);
    const ending = await end(grant);
    expect(ending).toMatchObject({ word: "expires", at: "2026-11-22T12:30:01Z", isUnfinished: true });
    expect(ending.retryAt).toMatch(/^2026-11-22T12:05:1\dZ$/);
    expect(ending.shortfall).toMatch(
      /within 5 minutes .* queued on the ledger, to be taken back from 2026-11-22T12:05:1\dZ on/,
    );
    expect(textsOf(ending)[0]).toMatch(/no sooner than 5 minutes after it was given \(ActiveDurationTooShort\)/);
    azure.now = Date.parse(String(ending.retryAt));
    expect(await end()).toMatchObject({ word: "removed" });
    expect(azure.assignments).toEqual([]);
  });

  it("by Azure's clock", async () => {
    const azure = await startFakeAzure();
    azure.skewMs = 90_000;
    const { end } = await heldLease(azure, 4);
    expect((await end()).retryAt).toMatch(/^2026-11-22T12:05:1\dZ$/);
  });

  it("is one also while Azure does not list yet what it gave", async () => {
    const azure = await startFakeAzure();
    const { end } = await heldLease(azure, 1);
    azure.intercept = (question) => {
      const { where } = question;
      if (where.endsWith("/roleAssignmentSchedules")) return (_asked, response) => response.end('{"value":[]}');
      return isRequesting(question) ? fails(400, "RoleAssignmentDoesNotExist", "There is none.") : undefined;
    };
    const ending = await end();
    expect(ending).toMatchObject({ word: "expires", isUnfinished: true });
    expect(textsOf(ending)[0]).toMatch(/had not made Reader on .* yet, .*\(RoleAssignmentDoesNotExist\)/);
    azure.now = START + 6 * MINUTE_MS;
    azure.intercept = () => undefined;
    expect(await end()).toMatchObject({ word: "removed" });
    expect(azure.assignments).toEqual([]);
  });

  it.each([
    { status: "PendingProvisioning", want: { word: "expires", isUnfinished: true } },
    { status: "Provisioned", want: { word: "removed" } },
  ])("that is listed nowhere after ten minutes is $want.word where its status is $status", async ({ status, want }) => {
    const azure = await startFakeAzure();
    const { end } = await heldLease(azure, 10);
    for (const request of azure.requests) request.status = status;
    azure.assignments = [];
    expect(await end()).toMatchObject(want);
  });
});

describe("a lease that was cut off", () => {
  const both = [
    { role: "Reader", scope: GROUP },
    { role: "Storage Blob Data Reader", scope: GROUP },
  ];

  it.each([0, 1, 2])("after %i assignments is ended by what the ledger has alone", async (given) => {
    const azure = await startFakeAzure();
    const lease = openLease(azure, { assignments: both, otherClientIds: [TWO] });
    let count = 0;
    azure.intercept = (question) => {
      count += isRequesting(question) ? 1 : 0;
      return isRequesting(question) && count > given ? fails(403, "AuthorizationFailed", "No more.") : undefined;
    };
    await Promise.allSettled([lease.open()]);
    expect(azure.assignments).toHaveLength(given);
    azure.intercept = () => undefined;
    azure.now = START + 6 * MINUTE_MS;
    const ending = await lease.end();
    expect(ending.word).toBe(given === 0 ? "expires" : "removed");
    expect(azure.assignments).toEqual([]);
    expect(await lease.end()).toMatchObject({ word: ending.word });
  });

  it("is looked at a second time by a process that did not open it, for what comes to be on record late", async () => {
    const azure = await startFakeAzure();
    const lease = openLease(azure);
    const before = azure.now;
    expect(await lease.end()).toMatchObject({ word: "expires", detail: expect.stringContaining("handed to nobody") });
    expect(azure.now).toBeGreaterThan(before);
    expect(azure.armAsked).toHaveLength(2);
  });

  it("between two assignments is looked at a second time, for the one that was under way", async () => {
    const azure = await startFakeAzure();
    const lease = openLease(azure, { assignments: both });
    azure.intercept = (question) =>
      isRequesting(question) && azure.requests.length === 1 ? fails(403, "AuthorizationFailed", "No more.") : undefined;
    await Promise.allSettled([lease.open()]);
    azure.intercept = () => undefined;
    azure.now = START + 6 * MINUTE_MS;
    const asked = azure.armAsked.length;
    const before = azure.now;
    expect(await lease.end()).toMatchObject({ word: "removed" });
    expect(azure.now - before).toBeGreaterThanOrEqual(8_000);
    const names = azure.armAsked.slice(asked).filter((one) => one.startsWith("GET") && one.includes("Requests/"));
    expect(names.filter((one, index) => names.indexOf(one) !== index)).toHaveLength(1);
  });

  it("and has no token is said to keep its rights until they end, not until its deadline", async () => {
    const azure = await startFakeAzure();
    const lease = openLease(azure, {}, { endsAt: START + 10 * MINUTE_MS });
    await lease.open();
    azure.now = START + MINUTE_MS;
    const ending = await azureCloud.end(
      { ...lease.order, usableUntil: START + 10 * MINUTE_MS },
      endContext({ mintToken: async ([audience = ""]) => idToken(audience) }),
      lease.runtime,
    );
    expect(ending).toMatchObject({ word: "expires", at: "2026-11-22T12:30:01Z", isUnfinished: true });
  });

  it("where its assignments have ended by themselves asks nobody", async () => {
    const azure = await startFakeAzure();
    const { end } = await heldLease(azure, 34);
    const asked = azure.service.asked.length;
    expect(await end()).toMatchObject({ word: "expires", at: "2026-11-22T12:32:00Z" });
    expect(azure.service.asked).toHaveLength(asked);
  });

  it("just after they ended by themselves says so", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 31);
    const ending = await end(grant);
    expect(ending).toMatchObject({ word: "expires", at: "2026-11-22T12:30:01Z" });
    expect(ending.detail).toMatch(/ended them by itself/);
  });
});

describe("with revoke: none", () => {
  it("what is time-bound is left to end by itself, asking nobody", async () => {
    const azure = await startFakeAzure();
    const { end, grant, plan } = await heldLease(azure, 10, {}, { revoke: "none" });
    const asked = azure.service.asked.length;
    expect(plan.ending.word).toBe("expires");
    expect(await end(grant)).toMatchObject({ word: "expires", at: "2026-11-22T12:32:00Z", reason: "revoke: none" });
    expect(azure.service.asked).toHaveLength(asked);
  });
});

describe("plain assignments", () => {
  it("are deleted, at once, whatever revoke says", async () => {
    const azure = await startFakeAzure();
    azure.isLicensed = false;
    const { end, grant } = await heldLease(azure, 1, { allowUnbounded: true }, { revoke: "none" });
    expect(await end(grant)).toMatchObject({ word: "removed", at: "2026-11-22T12:11:00Z" });
    expect(azure.assignments).toEqual([]);
    expect(await end(grant)).toMatchObject({ word: "expires" });
  });

  it("that cannot be deleted stay to be finished, however late it is", async () => {
    const azure = await startFakeAzure();
    azure.isLicensed = false;
    const { end, grant } = await heldLease(azure, 90, { allowUnbounded: true });
    azure.intercept = ({ method }) => (method === "DELETE" ? fails(403, "AuthorizationFailed", "No.") : undefined);
    const ending = await end(grant);
    expect(ending).toMatchObject({ word: "failed", isUnfinished: true });
    expect(ending.detail).toMatch(/does not end by itself/);
  });

  it("of leases that are over are swept, and nothing else", async () => {
    const azure = await startFakeAzure();
    azure.isLicensed = false;
    const settings = rightsSettings({ allowUnbounded: true, otherClientIds: [TWO] });
    const dead = openLease(azure, settings);
    await dead.open();
    const { roleDefinitionId = "" } = azure.assignments[0] ?? {};
    const foreign = { roleDefinitionId: `${roleDefinitionId}f`, principalId: objectIdOf(ONE), startsAt: 0 };
    azure.add({ ...foreign, scope: GROUP, name: "foreign", description: "by hand" });
    azure.add({
      ...foreign,
      scope: SUBSCRIPTION,
      name: "above",
      description: `agentctl lease ${dead.leaseId} until 2026-11-22T12:30:00Z`,
    });
    azure.add({
      ...foreign,
      roleDefinitionId,
      scope: GROUP.toUpperCase(),
      name: "forged",
      description: `agentctl lease ${dead.leaseId} until 2026-11-22T12:30:00Z`,
    });
    azure.now = START + 36 * MINUTE_MS;
    const living = openLease(azure, { ...settings, clientId: TWO, otherClientIds: [] });
    await living.open();
    const context = endContext({
      mintToken: async ([audience = ""]) => (await import("../../exchange/identity.js")).idToken(audience),
    });
    const swept = await azureCloud.sweep?.(settings, context, runtimeOf(azure));
    expect(swept).toMatchObject({
      cloud: "azure",
      where: GROUP,
      removed: [expect.stringContaining(dead.leaseId)],
      kept: [
        { name: expect.stringContaining("forged"), until: "2026-11-22T12:30:00Z" },
        { name: expect.stringContaining(living.leaseId), until: "2026-11-22T13:06:00Z" },
      ],
    });
    expect(azure.assignments.map(({ name }) => name)).toEqual(expect.arrayContaining(["foreign", "above", "forged"]));
    expect(azure.assignments).toHaveLength(4);
    expect(await azureCloud.sweep?.(rightsSettings({ assignments: [] }), context, runtimeOf(azure))).toBeUndefined();
  });
});
