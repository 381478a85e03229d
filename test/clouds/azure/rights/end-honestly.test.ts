import { describe, expect, it } from "vitest";
import { answersJson } from "../../exchange/fake-service.js";
import { failureOf } from "../../exchange/identity.js";
import { type FakeAzure, GROUP, READER, startFakeAzure } from "./fake-azure.js";
import { heldLease, isRequesting, MINUTE_MS, openLease, START } from "./opening.js";

/** Has the requests that take something back answer, and be on record, with these states, one for each look. */
function taking(azure: FakeAzure, states: readonly string[]): void {
  const left = [...states];
  azure.intercept = (question) => {
    const { method, where } = question;
    if (method === "GET" && !where.includes("roleAssignmentScheduleRequests/")) return undefined;
    const reply = azure.answer(question);
    const request = azure.requests.find(({ path }) => path === where);
    if (request?.body["requestType"] !== "AdminRemove") return reply;
    request.status = (left.length > 1 ? left.shift() : left[0]) ?? "";
    const properties = { ...request.body, status: request.status };
    return answersJson(method === "PUT" ? 201 : 200, { properties });
  };
}

describe("a removal that Azure takes its time for", () => {
  it("is one when Azure says so, and not before", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 10);
    taking(azure, ["PendingRevocation", "PendingRevocation", "Revoked"]);
    expect(await end(grant)).toMatchObject({ word: "removed" });
    expect(azure.now).toBeGreaterThan(START + 10 * MINUTE_MS);
  });

  it("is not called one while that is not known, and is looked at again", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 10);
    taking(azure, ["PendingRevocation"]);
    expect(await end(grant)).toMatchObject({
      word: "failed",
      isUnfinished: true,
      shortfall: expect.stringContaining("has not carried it out yet: its status is PendingRevocation"),
    });
    taking(azure, ["Revoked"]);
    expect(await end()).toMatchObject({ word: "removed", detail: expect.stringContaining("taken back before") });
  });

  it("that comes to nothing, again and again, is asked for under another name each time", async () => {
    const azure = await startFakeAzure();
    const { end } = await heldLease(azure, 10);
    const kept = [...azure.assignments];
    for (const _try of [1, 2, 3]) {
      azure.intercept = (question) => {
        const reply = isRequesting(question) ? azure.answer(question) : undefined;
        const request = azure.requests.find(({ path }) => path === question.where);
        if (reply === undefined || request === undefined) return undefined;
        azure.assignments = [...kept];
        for (const one of azure.requests) {
          one.status = one.body["requestType"] === "AdminAssign" ? "Provisioned" : "FailedAsResourceIsLocked";
        }
        return answersJson(201, { properties: { ...request.body, status: request.status } });
      };
      expect(await end()).toMatchObject({ word: "failed", isUnfinished: true });
    }
    azure.intercept = () => undefined;
    expect(await end()).toMatchObject({ word: "removed" });
    expect(azure.assignments).toEqual([]);
    expect(azure.requests).toHaveLength(5);
  });
});

describe("an answer that is none", () => {
  it.each([
    { name: "no list", list: {}, said: "what is not a list" },
    {
      name: "a list without end",
      list: { value: [], nextLink: "https://arm.example/x/providers/y" },
      said: "that ends",
    },
    { name: "a list on another host", list: { value: [], nextLink: "https://evil.example/x" }, said: "another host" },
  ])("such as $name is never taken for an assignment that is gone", async ({ list, said }) => {
    const azure = await startFakeAzure();
    const { end } = await heldLease(azure, 10);
    const asked = azure.service.asked.length;
    azure.intercept = ({ where }) =>
      where.endsWith("/roleAssignmentSchedules") || where.endsWith("/y") ? answersJson(200, list) : undefined;
    expect(await end()).toMatchObject({ word: "failed", isUnfinished: true, shortfall: expect.stringContaining(said) });
    expect(azure.assignments).toHaveLength(1);
    const rest = azure.service.asked.slice(asked).map(({ path }) => path);
    expect(rest.filter((path) => path === "/x")).toEqual([]);
  });

  it("is not taken for a request either", async () => {
    const azure = await startFakeAzure();
    const { end } = await heldLease(azure, 10);
    azure.intercept = ({ method, where }) =>
      method === "GET" && where.includes("ScheduleRequests/") ? answersJson(200, {}) : undefined;
    expect(await end()).toMatchObject({ word: "failed", shortfall: expect.stringContaining("what is not a request") });
  });
});

describe("an assignment of less than five minutes", () => {
  const ready = { permissions: ["Microsoft.Storage/storageAccounts/read"], timeoutSeconds: 1 };
  const short = { endsAt: START + MINUTE_MS, latestEndsAt: START + MINUTE_MS + 2_000, lifetimeSeconds: 60 };

  it("lasts five, and nobody says less", async () => {
    const azure = await startFakeAzure();
    const { end, plan } = await heldLease(azure, 1, { ready }, short);
    expect(plan.steps.join("\n")).toContain("until 2026-11-22T12:08:01Z at the latest");
    expect(azure.requests[0]?.body["justification"]).toMatch(/until 2026-11-22T12:05:0\dZ$/);
    const ending = await end();
    expect(ending).toMatchObject({
      word: "expires",
      isUnfinished: true,
      retryAt: expect.stringMatching(/12:05:0\dZ$/),
      shortfall: expect.stringMatching(/ends by itself at .*, before it could be taken back$/),
    });
    azure.now = Date.parse(String(ending.retryAt));
    const last = await end();
    expect(last).toMatchObject({ word: "expires", detail: expect.stringContaining("ended them by itself") });
    expect(last.isUnfinished).toBeUndefined();
  });
});

describe("by Azure's clock", () => {
  it("an assignment begins also where nothing had to be asked before it", async () => {
    const azure = await startFakeAzure();
    azure.skewMs = -600_000;
    await openLease(azure, { assignments: [{ role: READER, scope: GROUP }] }).open();
    expect(Math.abs((azure.assignments[0]?.startsAt ?? 0) - azure.azureNow)).toBeLessThan(2_000);
  });
});

describe("what only says that it is a lease's", () => {
  const until = "until 2026-11-22T11:00:00Z";

  it("is not deleted to make room", async () => {
    const azure = await startFakeAzure();
    azure.isLicensed = false;
    const ready = { permissions: ["Microsoft.Storage/storageAccounts/read"], timeoutSeconds: 10 };
    const { open, settings } = openLease(azure, { allowUnbounded: true, ready });
    await open();
    const [made] = azure.assignments;
    if (made === undefined) throw new Error("nothing was made");
    const description = `agentctl lease l-00000000000forge ${until}`;
    azure.assignments = [{ ...made, name: "0f0f0f0f-0000-0000-0000-000000000000", description }];
    const error = await failureOf(openLease(azure, settings).open());
    expect(error).toMatchObject({ code: "ASSIGNMENT_BUSY", message: expect.stringContaining("l-00000000000forge") });
    expect(azure.assignments).toHaveLength(1);
  });
});
