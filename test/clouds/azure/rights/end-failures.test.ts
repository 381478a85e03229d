import { describe, expect, it } from "vitest";
import { azureCloud } from "../../../../src/clouds/azure/index.js";
import { AgentctlError } from "../../../../src/core/errors.js";
import { endContext } from "../../end-order.js";
import { CANARY, type FakeAzure, fails, GRANTER, startFakeAzure } from "./fake-azure.js";
import { heldLease, isRequesting, openLease, runtimeOf } from "./opening.js";

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
          isRequesting(question) ? (_asked, response) => response.end('{"properties":{"status":"Failed"}}') : undefined;
      },
      why: /status is Failed/,
    },
  ])("is failed where $name, and stays to be finished", async ({ break: breakIt, why }) => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 10);
    breakIt(azure);
    const ending = await end(grant);
    expect(ending).toMatchObject({ word: "failed", at: "2026-11-22T12:32:00Z", isUnfinished: true });
    expect(ending.shortfall).toMatch(why);
    expect(ending.detail).toMatch(
      /asked (once|\d+ times) in .*; the assignments end by themselves at 2026-11-22T12:32:00Z/,
    );
    expect(JSON.stringify(ending)).not.toContain(CANARY);
  });

  it("is asked for under another name where the first request came to nothing", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 10);
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
    const { end, grant } = await heldLease(azure, 10);
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
