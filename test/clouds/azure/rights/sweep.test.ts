import { describe, expect, it } from "vitest";
import { azureCloud } from "../../../../src/clouds/azure/index.js";
import { markOf, requestNameOf } from "../../../../src/clouds/azure/rights/names.js";
import { endContext } from "../../end-order.js";
import { failureOf, idToken } from "../../exchange/identity.js";
import {
  BLOB_READER,
  type FakeAzure,
  fails,
  GRANTER,
  GROUP,
  ONE,
  objectIdOf,
  READER,
  roleIdAt,
  SUBSCRIPTION,
  startFakeAzure,
  TWO,
} from "./fake-azure.js";
import { MINUTE_MS, openLease, rightsSettings, runtimeOf, START } from "./opening.js";

const LEASE = "l-0123456789abcdef";
const OTHER = `${SUBSCRIPTION}/resourceGroups/other`;
const SCOPES = [OTHER, GROUP];

/** A plain assignment that a lease which is long over left behind, of each application on each scope. */
async function startWithLeftovers(): Promise<FakeAzure> {
  const azure = await startFakeAzure();
  for (const clientId of [ONE, TWO]) {
    for (const scope of SCOPES) {
      const name = nameOf(clientId, scope);
      const roleDefinitionId = roleIdAt(scope, READER);
      const description = markOf(LEASE, START - 60 * MINUTE_MS);
      azure.add({ name, scope, roleDefinitionId, principalId: objectIdOf(clientId), description, startsAt: 0 });
    }
  }
  return azure;
}

function nameOf(clientId: string, scope: string): string {
  return requestNameOf({ leaseId: LEASE, clientId, role: "Reader", scope }, "give");
}

function sweep(azure: FakeAzure, signal = new AbortController().signal) {
  const settings = rightsSettings({
    otherClientIds: [TWO],
    assignments: SCOPES.map((scope) => ({ role: "Reader", scope })),
    allowUnbounded: true,
  });
  const context = endContext({ mintToken: async ([audience = ""]) => idToken(audience), signal });
  return azureCloud.sweep?.(settings, context, runtimeOf(azure)) ?? Promise.resolve(undefined);
}

const named = (...names: readonly string[]) => names.map((name) => `${name} (lease ${LEASE})`).sort();
const removedBy = async (swept: ReturnType<typeof sweep>) => [...((await swept)?.removed ?? [])].sort();
const left = (azure: FakeAzure) => azure.assignments.map(({ name }) => name).sort();

describe("the sweep", () => {
  it("deletes what leases that are over left, of every application on every scope", async () => {
    const azure = await startWithLeftovers();
    const swept = await sweep(azure);
    expect(swept).toMatchObject({ cloud: "azure", where: SCOPES.join(", "), kept: [], failures: [] });
    expect(swept?.removed).toHaveLength(4);
    expect(azure.assignments).toEqual([]);
  });

  it("goes on without an application that cannot be signed in, which is told by its id", async () => {
    const azure = await startWithLeftovers();
    azure.strangers.add(ONE);
    const swept = sweep(azure);
    expect(await removedBy(swept)).toEqual(named(...SCOPES.map((scope) => nameOf(TWO, scope))));
    expect((await swept)?.failures).toMatchObject([{ part: `application ${ONE}`, error: { code: "CLOUD_DENIED" } }]);
    expect(left(azure)).toEqual(SCOPES.map((scope) => nameOf(ONE, scope)).sort());
  });

  it("goes on without a scope that cannot be read", async () => {
    const azure = await startWithLeftovers();
    azure.intercept = ({ where }) =>
      where.startsWith(`${OTHER}/providers`) ? fails(403, "AuthorizationFailed", "Not on that one.") : undefined;
    const swept = sweep(azure);
    expect(await removedBy(swept)).toEqual(named(nameOf(ONE, GROUP), nameOf(TWO, GROUP)));
    expect((await swept)?.failures).toMatchObject(
      [
        ...[ONE, TWO].map((id) => `${OTHER} for application ${id}`),
        ...[ONE, TWO].map((id) => `time-bound assignments at ${OTHER} of application ${id}`),
      ].map((part) => ({ part, error: { code: "CLOUD_DENIED" } })),
    );
  });

  it("goes on after an assignment that cannot be deleted, and does not call it removed", async () => {
    const azure = await startWithLeftovers();
    const locked = nameOf(ONE, GROUP);
    azure.intercept = ({ method, where }) =>
      method === "DELETE" && where.endsWith(locked) ? fails(409, "ScopeLocked", "There is a lock.") : undefined;
    const swept = sweep(azure);
    expect(await removedBy(swept)).toHaveLength(3);
    expect((await swept)?.failures).toMatchObject([{ part: `assignment ${locked} at ${GROUP}` }]);
    expect(left(azure)).toEqual([locked]);
  });

  it("fails as a whole where the granter is not let in", async () => {
    const azure = await startWithLeftovers();
    azure.strangers.add(GRANTER);
    expect(await failureOf(sweep(azure))).toMatchObject({ code: "CLOUD_DENIED" });
    expect(azure.assignments).toHaveLength(4);
  });

  it("that is given up tries no further part", async () => {
    const azure = await startWithLeftovers();
    const stop = new AbortController();
    let deletions = 0;
    azure.intercept = ({ method }) => {
      if (method !== "DELETE") return undefined;
      deletions += 1;
      stop.abort();
      return fails(403, "AuthorizationFailed", "No.");
    };
    await failureOf(sweep(azure, stop.signal));
    expect(deletions).toBe(1);
  });
});

describe("the sweep, of time-bound assignments", () => {
  const settings = rightsSettings();
  const sweepOne = (azure: FakeAzure, runtime = runtimeOf(azure)) =>
    azureCloud.sweep?.(settings, endContext({ mintToken: async ([audience = ""]) => idToken(audience) }), runtime);

  it("keeps those of leases that may be open, with their ends, and touches none", async () => {
    const azure = await startFakeAzure();
    const { leaseId, open } = openLease(azure);
    await open();
    expect(await sweepOne(azure)).toMatchObject({
      removed: [],
      kept: [
        { name: `Reader of application ${ONE} (lease ${leaseId})`, until: "2026-11-22T12:30:00Z", endsByItself: true },
      ],
      failures: [],
    });
    expect(azure.assignments).toHaveLength(1);
  });

  it("takes back one that Azure had not ended at its time", async () => {
    const azure = await startFakeAzure();
    const { leaseId, open } = openLease(azure);
    await open();
    azure.assignments = azure.assignments.map(({ endsAt: _, ...stuck }) => stuck);
    azure.now += 35 * MINUTE_MS;
    expect(await sweepOne(azure)).toMatchObject({ removed: [] });
    azure.now += 1_000;
    expect(await sweepOne(azure)).toMatchObject({
      removed: [`Reader of application ${ONE} (lease ${leaseId})`],
      kept: [],
      failures: [],
    });
    expect(azure.assignments).toEqual([]);
  });

  it("names one that a lock keeps", async () => {
    const azure = await startFakeAzure();
    const { leaseId, open } = openLease(azure);
    await open();
    azure.assignments = azure.assignments.map(({ endsAt: _, ...stuck }) => stuck);
    azure.now += 36 * MINUTE_MS;
    azure.locks = [{ name: "keep", level: "CanNotDelete", scope: GROUP }];
    const part = `Reader of application ${ONE} at ${GROUP} (lease ${leaseId})`;
    expect(await sweepOne(azure)).toMatchObject({
      removed: [],
      kept: [],
      failures: [{ part, error: { code: "NOT_TAKEN_BACK" } }],
    });
  });

  it("says by its definition what the profile does not give any more, and does not take it back", async () => {
    const azure = await startFakeAzure();
    const { leaseId, open } = openLease(azure, { assignments: [{ role: "Storage Blob Data Reader", scope: GROUP }] });
    await open();
    azure.assignments = azure.assignments.map(({ endsAt: _, ...stuck }) => stuck);
    azure.now += 36 * MINUTE_MS;
    const name = `${BLOB_READER} of application ${ONE} (lease ${leaseId})`;
    expect(await sweepOne(azure)).toMatchObject({ removed: [], kept: [{ name, until: "2026-11-22T12:30:00Z" }] });
    expect((await sweepOne(azure))?.kept[0]).not.toHaveProperty("endsByItself");
  });

  it("leaves alone what is not a lease's", async () => {
    const azure = await startFakeAzure();
    const { open } = openLease(azure);
    await open();
    for (const { body } of azure.requests) body["justification"] = "for the audit, until agentctl lease l-0 has ended";
    expect(await sweepOne(azure)).toMatchObject({ removed: [], kept: [], failures: [] });
  });

  it("names where they cannot be read, and sweeps the rest; where there is no licence there are none", async () => {
    const azure = await startWithLeftovers();
    azure.isLicensed = false;
    expect((await sweep(azure))?.failures).toEqual([]);
    azure.intercept = ({ where }) =>
      where.endsWith("/roleAssignmentSchedules") ? fails(403, "AuthorizationFailed", "No.") : undefined;
    expect((await sweepOne(azure))?.failures).toMatchObject([
      { part: `time-bound assignments at ${GROUP} of application ${ONE}`, error: { code: "CLOUD_DENIED" } },
    ]);
  });
});
