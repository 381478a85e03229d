import { describe, expect, it } from "vitest";
import { azureCloud } from "../../../../src/clouds/azure/index.js";
import { AgentctlError } from "../../../../src/core/errors.js";
import type { Ending } from "../../../../src/core/lease.js";
import { endContext } from "../../end-order.js";
import {
  CANARY,
  type FakeAzure,
  fails,
  GRANTER,
  GROUP,
  ONE,
  objectIdOf,
  type Question,
  SUBSCRIPTION,
  startFakeAzure,
  TWO,
} from "./fake-azure.js";
import { openLease, rightsSettings, runtimeOf } from "./opening.js";

const MINUTE_MS = 60_000;
const START = Date.parse("2026-11-22T12:00:00Z");
const ready = { permissions: ["Microsoft.Web/sites/read"], timeoutSeconds: 120 };
const isRequesting = ({ method, where }: Question) =>
  method === "PUT" && where.includes("roleAssignmentScheduleRequests");

/** A lease with a grant, some minutes old. */
async function held(azure: FakeAzure, minutes: number, overrides = {}, more = {}) {
  const lease = openLease(azure, overrides, more);
  const { settings } = await lease.open();
  const grant = await lease.issue(settings);
  azure.now = START + minutes * MINUTE_MS;
  return { ...lease, grant };
}

function textsOf({ steps = [] }: Ending): readonly string[] {
  return steps.map(({ text }) => text);
}

describe("the end of a lease with rights", () => {
  it("takes them back, and states Azure's delay and the token's own end", async () => {
    const azure = await startFakeAzure();
    const { end, grant, leaseId } = await held(azure, 10);
    const ending = await end(grant);
    expect(ending).toMatchObject({
      cloud: "azure",
      word: "removed",
      at: "2026-11-22T12:20:00Z",
      until: "2026-11-22T12:59:59Z",
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
    { name: "the assignment's own end", minutes: 28, more: {}, want: "2026-11-22T12:30:00Z" },
    {
      name: "the token's own end",
      minutes: 55,
      more: { latestEndsAt: START + 120 * MINUTE_MS },
      want: "2026-11-22T12:59:59Z",
    },
  ])("is effective no later than $name", async ({ minutes, more, want }) => {
    const azure = await startFakeAzure();
    const { end, grant } = await held(azure, minutes, {}, more);
    expect(await end(grant)).toMatchObject({ word: "removed", at: want });
  });

  it("is revoked where the lease's own token was seen to lose it", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await held(azure, 10, { ready });
    azure.delayMs = 8_000;
    const progress: string[] = [];
    const ending = await end(grant, { onProgress: (text) => void progress.push(text) });
    expect(ending.word).toBe("revoked");
    expect(Date.parse(ending.at) - (START + 10 * MINUTE_MS)).toBeGreaterThanOrEqual(8_000);
    expect(Date.parse(String(ending.until))).toBe(Math.floor(grant.expiresAt / 1000) * 1000);
    expect(ending.detail).toMatch(
      /have none of Microsoft\.Web\/sites\/read at .* after the assignments were taken back/,
    );
    expect(progress.at(-1)).toMatch(/waiting for Azure to let the lease's token do nothing more/);
  });

  it("is revoked too where an application without any role is refused the question", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await held(azure, 10, { ready });
    azure.intercept = ({ where }) =>
      where.endsWith("/permissions") && azure.assignments.length === 0
        ? fails(403, "AuthorizationFailed", "No.")
        : undefined;
    expect(await end(grant)).toMatchObject({ word: "revoked" });
  });

  it.each([
    { name: "it is not seen within the time", delayMs: 120_000, context: {}, why: /not seen to lose it within 3\d/ },
    { name: "nobody waits", delayMs: 0, context: { unwatched: AbortSignal.abort() }, why: /nobody waited to see/ },
  ])("is removed and no more where $name", async ({ delayMs, context, why }) => {
    const azure = await startFakeAzure();
    const { end, grant } = await held(azure, 10, { ready });
    azure.delayMs = delayMs;
    const ending = await end(grant, context);
    expect(ending.word).toBe("removed");
    expect(ending.detail).toMatch(why);
  });

  it.each([{ name: "a role that stays gives the permission as well", rest: SUBSCRIPTION }])(
    "is removed and no more where $name",
    async ({ rest }) => {
      const azure = await startFakeAzure();
      const { end, grant } = await held(azure, 10, { ready });
      const [own] = azure.assignments;
      if (own === undefined) throw new Error("nothing was given");
      azure.add({ ...own, scope: rest, name: "stays", startsAt: 0 });
      expect((await end(grant)).word).toBe("removed");
      expect(azure.assignments).toMatchObject([{ name: "stays" }]);
    },
  );

  it("is removed where it comes from the ledger, without the token", async () => {
    const azure = await startFakeAzure();
    const { end } = await held(azure, 10, { ready });
    const ending = await end();
    expect(ending).toMatchObject({ word: "removed" });
    expect(ending).not.toHaveProperty("until");
  });

  it("comes to the same a second time, and leaves what another lease was given since", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await held(azure, 10);
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
    const { end, grant } = await held(azure, 10);
    azure.remove(() => true);
    const next = openLease(azure);
    await next.open();
    azure.now += 6 * MINUTE_MS;
    expect((await end(grant)).word).toBe("removed");
    expect(azure.assignments).toHaveLength(1);
    expect(azure.requests).toHaveLength(2);
  });
});

describe("a removal that comes too early", () => {
  it("is queued: the word is that of the assignment's own end, and when to try again is told", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await held(azure, 2);
    const ending = await end(grant);
    expect(ending).toMatchObject({ word: "expires", at: "2026-11-22T12:30:00Z", isUnfinished: true });
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
    const { end } = await held(azure, 4);
    expect((await end()).retryAt).toMatch(/^2026-11-22T12:05:1\dZ$/);
  });

  it("is one also while Azure does not list yet what it gave", async () => {
    const azure = await startFakeAzure();
    const { end } = await held(azure, 1);
    azure.intercept = (question) => {
      const { where } = question;
      if (where.endsWith("/roleAssignmentSchedules")) return (_asked, response) => response.end('{"value":[]}');
      return isRequesting(question) ? fails(400, "RoleAssignmentDoesNotExist", "There is none.") : undefined;
    };
    expect(await end()).toMatchObject({ word: "expires", isUnfinished: true });
    azure.now = START + 6 * MINUTE_MS;
    azure.intercept = () => undefined;
    expect(await end()).toMatchObject({ word: "removed" });
    expect(azure.assignments).toEqual([]);
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

  it("where its assignments have ended by themselves asks nobody", async () => {
    const azure = await startFakeAzure();
    const { end } = await held(azure, 34);
    const asked = azure.service.asked.length;
    expect(await end()).toMatchObject({ word: "expires", at: "2026-11-22T12:30:00Z" });
    expect(azure.service.asked).toHaveLength(asked);
  });

  it("just after they ended by themselves says so", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await held(azure, 31);
    const ending = await end(grant);
    expect(ending).toMatchObject({ word: "expires", at: "2026-11-22T12:30:00Z" });
    expect(ending.detail).toMatch(/ended them by itself/);
  });
});

describe("what cannot be taken back", () => {
  it.each([
    {
      name: "the granter is not let in",
      break: (azure: FakeAzure) => void azure.strangers.add(GRANTER),
      why: /AADSTS700213/,
    },
    {
      name: "the granter may not",
      break: (azure: FakeAzure) => {
        azure.intercept = (question) => (isRequesting(question) ? fails(403, "AuthorizationFailed", "No.") : undefined);
      },
      why: /did not let application 99999999.* take Reader on .* from application 11111111.*\(AuthorizationFailed\)/,
    },
    {
      name: "Azure does not carry the removal out",
      break: (azure: FakeAzure) => {
        azure.intercept = (question) =>
          isRequesting(question)
            ? (_asked, response) => response.end('{"properties":{"status":"FailedAsResourceIsLocked"}}')
            : undefined;
      },
      why: /status is FailedAsResourceIsLocked/,
    },
  ])("is failed where $name, and stays to be finished", async ({ break: breakIt, why }) => {
    const azure = await startFakeAzure();
    const { end, grant } = await held(azure, 10);
    breakIt(azure);
    const ending = await end(grant);
    expect(ending).toMatchObject({ word: "failed", at: "2026-11-22T12:30:00Z", isUnfinished: true });
    expect(ending.shortfall).toMatch(why);
    expect(ending.detail).toMatch(
      /asked (once|\d+ times) in .*; the assignments end by themselves at 2026-11-22T12:30:00Z/,
    );
    expect(JSON.stringify(ending)).not.toContain(CANARY);
  });

  it("is asked for under another name where the first request came to nothing", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await held(azure, 10);
    azure.intercept = (question) => {
      if (!isRequesting(question)) return undefined;
      const body = JSON.parse(question.body).properties;
      azure.requests.push({ path: question.where, body, at: azure.now, scheduleId: "", status: "Failed" });
      return (_asked, response) => response.end('{"properties":{"status":"Failed"}}');
    };
    expect(await end(grant)).toMatchObject({ word: "failed" });
    azure.intercept = () => undefined;
    expect(await end(grant)).toMatchObject({ word: "removed" });
    expect(azure.assignments).toEqual([]);
  });

  it("is told as interrupted, and with no token of the identity as that", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await held(azure, 10);
    const signal = AbortSignal.abort(new AgentctlError("INTERRUPTED", "SIGINT"));
    expect(await end(grant, { signal })).toMatchObject({
      word: "failed",
      shortfall: expect.stringMatching(/interrupted/),
    });
    const mintToken = () => Promise.reject(new AgentctlError("TOKEN_EXPIRED", "the token has expired"));
    expect(await end(grant, { mintToken })).toMatchObject({ word: "failed", shortfall: "the token has expired" });
  });

  it.each([
    { name: "the lease's id", change: {}, leaseId: "../../x" },
    { name: "the tenant", change: { tenantId: "a/b" } },
    { name: "the granter", change: { granterClientId: "x" } },
    { name: "the application", change: { clientIds: [] } },
    { name: "what was assigned", change: { scopes: ["/subscriptions/../x"] } },
    { name: "what was assigned", change: { scopes: ["/a?b"] } },
    { name: "what was assigned", change: { roles: ["Reader", "Owner"] } },
    { name: "the audience", change: { audiences: [] } },
    { name: "the end", change: { endsAt: "later" } },
  ])("is told where $name makes no sense: $change", async ({ name, change, leaseId }) => {
    const azure = await startFakeAzure();
    const { order } = openLease(azure);
    const undo = { ...order.undo, ...change } as typeof order.undo;
    const ending = await azureCloud.end(
      { ...order, leaseId: leaseId ?? order.leaseId, undo },
      endContext(),
      runtimeOf(azure),
    );
    expect(ending).toMatchObject({ word: "failed", shortfall: expect.stringContaining(name) });
    expect(ending).not.toHaveProperty("isUnfinished");
  });
});

describe("with revoke: none", () => {
  it("what is time-bound is left to end by itself, asking nobody", async () => {
    const azure = await startFakeAzure();
    const { end, grant, plan } = await held(azure, 10, {}, { revoke: "none" });
    const asked = azure.service.asked.length;
    expect(plan.ending.word).toBe("expires");
    expect(await end(grant)).toMatchObject({ word: "expires", at: "2026-11-22T12:30:00Z" });
    expect(azure.service.asked).toHaveLength(asked);
  });
});

describe("plain assignments", () => {
  it("are deleted, at once, whatever revoke says", async () => {
    const azure = await startFakeAzure();
    azure.isLicensed = false;
    const { end, grant } = await held(azure, 1, { allowUnbounded: true }, { revoke: "none" });
    expect(await end(grant)).toMatchObject({ word: "removed", at: "2026-11-22T12:11:00Z" });
    expect(azure.assignments).toEqual([]);
    expect(await end(grant)).toMatchObject({ word: "expires" });
  });

  it("that cannot be deleted stay to be finished, however late it is", async () => {
    const azure = await startFakeAzure();
    azure.isLicensed = false;
    const { end, grant } = await held(azure, 90, { allowUnbounded: true });
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
      kept: [{ name: expect.stringContaining(living.leaseId), until: "2026-11-22T13:06:00Z" }],
    });
    expect(azure.assignments.map(({ name }) => name)).toEqual(expect.arrayContaining(["foreign", "above"]));
    expect(azure.assignments).toHaveLength(3);
    expect(await azureCloud.sweep?.(rightsSettings({ assignments: [] }), context, runtimeOf(azure))).toBeUndefined();
  });
});
