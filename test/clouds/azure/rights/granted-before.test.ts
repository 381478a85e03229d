import { describe, expect, it } from "vitest";
import { failureOf } from "../../exchange/identity.js";
import { type FakeAzure, GROUP, isUnwell, ONE, startFakeAzure, TWO } from "./fake-azure.js";
import { BLOB_READ, interruptAt, isLook, letRead, openLease } from "./opening.js";

const ready = { permissions: ["Microsoft.Web/sites/read"], timeoutSeconds: 120 };
const TOLD = `Microsoft.Web/sites/read at ${GROUP} was granted before anything was given: ready cannot tell when this lease's role works`;

const looksIn = (azure: FakeAzure) => azure.armAsked.filter((one) => one.endsWith("/permissions")).length;

describe("what the application could do already", () => {
  it("is told, once and on record, and the lease works", async () => {
    const azure = await startFakeAzure();
    letRead(azure, ONE);
    const lease = openLease(azure, { ready });
    const { steps } = await lease.open();
    expect(lease.said.notices).toEqual([`azure: ${TOLD}`]);
    expect(steps.filter(({ text }) => text === TOLD)).toHaveLength(1);
    expect(azure.assignments).toHaveLength(2);
  });

  it.each([
    { name: "nothing was there", before: undefined, settings: { ready } },
    { name: "another of the pool had it", before: TWO, settings: { ready, otherClientIds: [TWO] } },
    {
      name: "a part was there",
      before: ONE,
      settings: {
        ready: { ...ready, permissions: [...ready.permissions, BLOB_READ] },
        assignments: [{ role: "Storage Blob Data Reader", scope: GROUP }],
      },
    },
  ])("is not told where $name", async ({ before, settings }) => {
    const azure = await startFakeAzure();
    if (before !== undefined) letRead(azure, before);
    const lease = openLease(azure, settings);
    await lease.open().catch(() => undefined);
    expect(lease.said.notices).toEqual([]);
    expect(azure.requests).toHaveLength(1);
  });

  it("is not asked without ready", async () => {
    const azure = await startFakeAzure();
    letRead(azure, ONE);
    const lease = openLease(azure);
    await lease.open();
    expect(lease.said.notices).toEqual([]);
    expect(looksIn(azure)).toBe(0);
  });

  it("is told of the application that is chosen, by a look right before it is given", async () => {
    const azure = await startFakeAzure();
    const pool = { ready, otherClientIds: [TWO] };
    await openLease(azure, pool).open();
    letRead(azure, TWO);
    const second = openLease(azure, pool);
    expect((await second.open()).settings.clientId).toBe(TWO);
    expect(second.said.notices).toEqual([`azure: ${TOLD}`]);
  });

  it("may stay unknown: the look is tried once, and its failure changes nothing", async () => {
    const azure = await startFakeAzure();
    letRead(azure, ONE);
    azure.intercept = (question) => (isLook(question) && azure.requests.length === 0 ? isUnwell : undefined);
    const lease = openLease(azure, { ready });
    await lease.open();
    expect(lease.said.notices).toEqual([]);
    expect(looksIn(azure)).toBe(1 + 3);
  });

  it("is left at an interruption, and nothing is given", async () => {
    const azure = await startFakeAzure();
    const lease = openLease(azure, { ready });
    interruptAt(azure, lease.stop, isLook);
    expect(await failureOf(lease.open())).toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
    expect(lease.said.asked).toBe(0);
    expect(azure.requests).toEqual([]);
  });
});
