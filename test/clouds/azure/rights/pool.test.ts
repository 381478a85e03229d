import { describe, expect, it } from "vitest";
import { answers } from "../../exchange/fake-service.js";
import { failureOf } from "../../exchange/identity.js";
import { refuses } from "../fake-entra.js";
import { GROUP, ONE, objectIdOf, startFakeAzure, TWO } from "./fake-azure.js";
import { openLease } from "./opening.js";

const THREE = "33333333-0000-0000-0000-000000000003";

describe("an application of a pool that Microsoft Entra does not let in", () => {
  it.each([
    { name: "the first", stranger: ONE, others: [TWO], want: TWO },
    { name: "a further one", stranger: TWO, others: [TWO, THREE], want: THREE },
  ])("is told once and left out: $name", async ({ stranger, others, want }) => {
    const azure = await startFakeAzure();
    const pool = { otherClientIds: others };
    if (stranger !== ONE) await openLease(azure, pool).open();
    azure.strangers.add(stranger);
    const lease = openLease(azure, pool);
    expect((await lease.open()).settings.clientId).toBe(want);
    expect(lease.said.notices).toEqual([
      expect.stringMatching(
        new RegExp(`^azure: application ${stranger} of the pool cannot be used: Microsoft Entra refused ${stranger}: `),
      ),
    ]);
    expect(azure.assignments.at(-1)).toMatchObject({ principalId: objectIdOf(want) });
  });

  it("does not end the wait for the others, and is not asked for again", async () => {
    const azure = await startFakeAzure();
    await openLease(azure).open();
    let refused = 0;
    azure.intercept = ({ form }) => {
      if (azure.now >= Date.parse("2026-11-22T12:01:00Z")) azure.remove(() => true);
      if (form.get("client_id") !== TWO) return undefined;
      refused += 1;
      return refuses(400, 700016, "Application not found.");
    };
    const lease = openLease(azure, { otherClientIds: [TWO] });
    expect((await lease.open()).settings.clientId).toBe(ONE);
    expect(refused).toBe(1);
    expect(lease.said.notices).toEqual([
      expect.stringMatching(/cannot be used: .*; check azure\.client_ids: /),
      expect.stringMatching(/^azure: waiting for lease /),
    ]);
  });

  it("is not counted among those that are busy", async () => {
    const azure = await startFakeAzure();
    const pool = { otherClientIds: [TWO, THREE] };
    await openLease(azure, pool).open();
    await openLease(azure, pool).open();
    azure.strangers.add(THREE);
    const error = await failureOf(openLease(azure, pool).open());
    expect(error).toMatchObject({ code: "ASSIGNMENT_BUSY" });
    expect(error.message).toContain(", as each of the 2 in azure.client_ids that can be used has;");
  });

  it("is told as the first was where none of the pool is let in", async () => {
    const azure = await startFakeAzure();
    for (const clientId of [ONE, TWO]) azure.strangers.add(clientId);
    const lease = openLease(azure, { otherClientIds: [TWO] });
    expect(await failureOf(lease.open())).toMatchObject({ code: "CLOUD_DENIED", facts: { client: ONE } });
    expect(lease.said.asked).toBe(0);
    expect(azure.requests).toEqual([]);
  });
});

describe("an application of a pool that cannot be signed in just now", () => {
  it("is signed in later, where fewer requests were wanted", async () => {
    const azure = await startFakeAzure();
    azure.intercept = ({ form }) =>
      form.get("client_id") === ONE && azure.now < Date.parse("2026-11-22T12:01:00Z") ? answers(429, "") : undefined;
    const lease = openLease(azure, { otherClientIds: [TWO] });
    expect((await lease.open()).settings.clientId).toBe(ONE);
    expect(lease.said.notices).toEqual([]);
    expect(azure.assignments).toMatchObject([{ scope: GROUP }]);
  });
});
