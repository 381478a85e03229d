import { describe, expect, it } from "vitest";
import { failureOf } from "../../exchange/identity.js";
import { type FakeAzure, fails, GROUP, ONE, objectIdOf, READER, roleIdAt, startFakeAzure, TWO } from "./fake-azure.js";
import { isRequesting, openLease } from "./opening.js";

const BLOBS = { role: "Storage Blob Data Reader", scope: GROUP };

function requestsOf(azure: FakeAzure) {
  return azure.requests.map(({ body }) => body);
}

describe("one lease at a time", () => {
  it("waits for the other to give back, says for whom and until when, and is given it then", async () => {
    const azure = await startFakeAzure();
    const first = openLease(azure);
    await first.open();
    azure.intercept = ({ where }) => {
      if (where.includes("ScheduleRequests") && azure.now >= Date.parse("2026-11-22T12:02:00Z"))
        azure.remove(() => true);
      return undefined;
    };
    const second = openLease(azure);
    await second.open();
    expect(second.said.notices).toEqual([
      `azure: waiting for lease ${first.leaseId} (application ${ONE}) to give Reader on ${GROUP} back, until 2026-11-22T12:30:01Z at the latest`,
    ]);
    expect(second.said.progress).toContainEqual(expect.stringMatching(/^waiting for lease .* \(of \d+s\)$/));
    expect(azure.assignments).toHaveLength(1);
    expect(requestsOf(azure).at(-1)?.["justification"]).toContain(second.leaseId);
  });

  it("says when this machine's ledger has it taken back, which is earlier", async () => {
    const azure = await startFakeAzure();
    const first = openLease(azure);
    await first.open();
    const freedAt = (leaseId: string) => (leaseId === first.leaseId ? Date.parse("2026-11-22T12:05:00Z") : undefined);
    const second = openLease(azure, { ready: { permissions: ["x/read"], timeoutSeconds: 60 } }, {}, { freedAt });
    const error = await failureOf(second.open());
    const told = "; it is over, and taken back at 2026-11-22T12:05:00Z";
    expect(second.said.notices).toEqual([
      `azure: waiting for lease ${first.leaseId} (application ${ONE}) to give Reader on ${GROUP} back${told}`,
    ]);
    expect(error.message).toContain(`already, for lease ${first.leaseId}${told}; waited 1m`);
    expect(error.facts).toMatchObject({ until: "2026-11-22T12:30:01Z", freed: "2026-11-22T12:05:00Z" });
  });

  it.each([
    { name: "5 minutes", ready: undefined, waited: 300 },
    { name: "the time-out of ready", ready: { permissions: ["x/read"], timeoutSeconds: 60 }, waited: 60 },
  ])("gives up after $name, and says whose it is", async ({ ready, waited }) => {
    const azure = await startFakeAzure();
    const first = openLease(azure);
    await first.open();
    const error = await failureOf(openLease(azure, { ...(ready && { ready }) }).open());
    expect(error).toMatchObject({
      code: "ASSIGNMENT_BUSY",
      facts: { lease: first.leaseId, until: "2026-11-22T12:30:01Z", client: ONE, scope: GROUP, waitedSeconds: waited },
    });
    expect(error.message).toContain(`for lease ${first.leaseId}, until 2026-11-22T12:30:01Z; waited ${waited / 60}m`);
    expect(error.hint).toBe(
      `give the profile more applications in azure.client_ids, or wait longer with azure.ready's timeout, by up to twice of which a role outlives an agentctl that was killed; agentctl lease show ${first.leaseId} on its machine tells of it; Azure takes nothing back in the first 5 minutes`,
    );
    expect(azure.assignments).toHaveLength(1);
  });

  it("does not wait for what an administrator assigned for good", async () => {
    const azure = await startFakeAzure();
    azure.add({ scope: GROUP, roleDefinitionId: roleIdAt(GROUP, READER), principalId: objectIdOf(ONE), startsAt: 0 });
    const { open, said } = openLease(azure);
    const error = await failureOf(open());
    expect(error).toMatchObject({ code: "ASSIGNMENT_BUSY", facts: { waitedSeconds: 0 } });
    expect(error.hint).toMatch(/there without a lease/);
    expect(said.notices).toEqual([]);
  });

  it.each(["PendingRoleAssignmentRequest", "RoleAssignmentExists"])(
    "waits on %s too, while nobody can tell whose it is",
    async (code) => {
      const azure = await startFakeAzure();
      azure.intercept = (question) =>
        isRequesting(question) && azure.now < Date.parse("2026-11-22T12:01:00Z") ? fails(400, code, "So.") : undefined;
      const { open, said } = openLease(azure);
      await open();
      expect(said.notices).toEqual([`azure: waiting for application ${ONE} to be free of its Reader on ${GROUP}`]);
    },
  );

  it("goes on where Azure wants fewer requests, for as long as it may wait", async () => {
    const azure = await startFakeAzure();
    const until = (minute: number) => Date.parse("2026-11-22T12:00:00Z") + minute * 60_000;
    azure.intercept = (question) =>
      isRequesting(question) && azure.now < until(2) ? fails(429, "TooManyRequests", "Slower.") : undefined;
    await openLease(azure).open();
    expect(azure.assignments).toHaveLength(1);
    azure.intercept = (question) => (isRequesting(question) ? fails(429, "TooManyRequests", "Slower.") : undefined);
    expect(await failureOf(openLease(azure, { clientId: TWO }).open())).toMatchObject({ code: "THROTTLED" });
    expect(azure.now).toBeLessThan(until(9));
  });

  it("of all that start together one has it, and of a pool each another application", async () => {
    const azure = await startFakeAzure();
    const pool = { otherClientIds: [TWO] };
    const leases = [openLease(azure, pool), openLease(azure, pool), openLease(azure, pool)];
    const outcomes = await Promise.allSettled(leases.map(({ open }) => open()));
    const chosen = outcomes.flatMap((one) => (one.status === "fulfilled" ? [one.value.settings.clientId] : []));
    expect(chosen.sort()).toEqual([ONE, TWO]);
    const refused = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(refused).toEqual([expect.objectContaining({ code: "ASSIGNMENT_BUSY" })]);
    expect(refused[0].message).toContain("as each of the 2 in azure.client_ids has");
    expect(azure.assignments.map(({ principalId }) => principalId).sort()).toEqual([ONE, TWO].map(objectIdOf));
  });

  it("takes what it needs in one order, and stays with the application that has some of it", async () => {
    const azure = await startFakeAzure();
    const both = [{ role: "Reader", scope: GROUP }, BLOBS];
    const first = openLease(azure, { assignments: [BLOBS] });
    await first.open();
    const second = openLease(azure, { assignments: both.toReversed(), otherClientIds: [TWO] });
    azure.intercept = () => {
      if (azure.now > Date.parse("2026-11-22T12:01:00Z"))
        azure.remove(
          ({ requestName }) => requestName !== undefined && azure.requests[0]?.path.endsWith(requestName) === true,
        );
      return undefined;
    };
    const { settings } = await second.open();
    expect(settings).toMatchObject({ clientId: ONE, otherClientIds: [] });
    expect(second.said.notices).toHaveLength(1);
    expect(azure.assignments).toHaveLength(2);
    expect(new Set(azure.assignments.map(({ principalId }) => principalId))).toEqual(new Set([objectIdOf(ONE)]));
  });
});

describe("an application that was given a part", () => {
  it("is waited for, also when another becomes free before it", async () => {
    const azure = await startFakeAzure();
    const reader = { role: "Reader", scope: GROUP };
    await openLease(azure, { assignments: [reader] }).open();
    await openLease(azure, { clientId: TWO, assignments: [BLOBS] }).open();
    azure.intercept = () => {
      const isFree = (minutes: number) => azure.now > Date.parse("2026-11-22T12:00:00Z") + minutes * 60_000;
      if (isFree(1)) azure.remove(({ requestName = "" }) => azure.requests[0]?.path.endsWith(requestName) === true);
      if (isFree(2)) azure.remove(({ requestName = "" }) => azure.requests[1]?.path.endsWith(requestName) === true);
      return undefined;
    };
    const { settings } = await openLease(azure, { otherClientIds: [TWO], assignments: [reader, BLOBS] }).open();
    expect(settings.clientId).toBe(TWO);
    expect(azure.assignments.map(({ principalId }) => principalId)).toEqual([TWO, TWO].map(objectIdOf));
  });
});

describe("where the tenant has no licence for time-bound assignments", () => {
  it("plain ones are given only where the profile allows it", async () => {
    const azure = await startFakeAzure();
    azure.isLicensed = false;
    expect(await failureOf(openLease(azure).open())).toMatchObject({
      code: "CLOUD_DENIED",
      facts: { azureCode: "AadPremiumLicenseRequired" },
    });
    expect(azure.assignments).toEqual([]);
    const allowed = openLease(azure, { allowUnbounded: true });
    const { steps } = await allowed.open();
    expect(azure.assignments).toMatchObject([
      { principalId: objectIdOf(ONE), description: `agentctl lease ${allowed.leaseId} until 2026-11-22T12:30:00Z` },
    ]);
    expect(steps.at(-1)?.text).toBe(
      `gave Reader on ${GROUP} to application ${ONE} by an assignment that does not end by itself, with the description 'agentctl lease ${allowed.leaseId} until 2026-11-22T12:30:00Z'`,
    );
  });

  it("they are not given where time-bound ones can be, or for any other refusal", async () => {
    const azure = await startFakeAzure();
    await openLease(azure, { allowUnbounded: true }).open();
    expect(azure.assignments[0]?.endsAt).toBeDefined();
    azure.intercept = (question) => (isRequesting(question) ? fails(403, "AuthorizationFailed", "No.") : undefined);
    await failureOf(openLease(azure, { allowUnbounded: true, clientId: TWO }).open());
    expect(azure.assignments).toHaveLength(1);
  });

  it("one lease waits for another likewise; what a dead one left is taken away", async () => {
    const azure = await startFakeAzure();
    azure.isLicensed = false;
    const first = openLease(azure, { allowUnbounded: true });
    await first.open();
    const error = await failureOf(openLease(azure, { allowUnbounded: true }).open());
    expect(error).toMatchObject({ code: "ASSIGNMENT_BUSY", facts: { lease: first.leaseId } });
    azure.now = Date.parse("2026-11-22T12:36:00Z");
    const third = openLease(azure, { allowUnbounded: true });
    await third.open();
    expect(azure.assignments).toMatchObject([{ description: expect.stringContaining(third.leaseId) }]);
  });
});
