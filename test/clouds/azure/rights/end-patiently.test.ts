import { describe, expect, it } from "vitest";
import { AgentctlError } from "../../../../src/core/errors.js";
import { answersJson, type Reply } from "../../exchange/fake-service.js";
import { type FakeAzure, isUnwell, startFakeAzure } from "./fake-azure.js";
import { heldLease, isRequesting } from "./opening.js";

const ready = { permissions: ["Microsoft.Web/sites/read"], timeoutSeconds: 120 };
const cuts: Reply = (_asked, response) => void response.socket?.destroy();

function throttling(seconds: number): Reply {
  const error = { code: "SubscriptionRequestsThrottled", message: "x" };
  return answersJson(429, { error }, { "retry-after": `${seconds}` });
}

/** Has the next so many questions, of whatever kind, answered so. */
function outage(azure: FakeAzure, reply: Reply, times: number): void {
  let left = times;
  azure.intercept = () => {
    left -= 1;
    return left < 0 ? undefined : reply;
  };
}

describe("an Azure that is away", () => {
  it.each([
    { name: "fails ten times", reply: isUnwell },
    { name: "cuts ten connections", reply: cuts },
    { name: "throttles ten times", reply: throttling(1) },
  ])("and $name is asked until it has taken everything back", async ({ reply }) => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 10, { ready });
    outage(azure, reply, 10);
    expect(await end(grant)).toMatchObject({ word: "revoked" });
    expect(azure.assignments).toEqual([]);
  });

  it("is left alone for as long as it asks for", async () => {
    const azure = await startFakeAzure();
    const { end } = await heldLease(azure, 10);
    outage(azure, throttling(15), 1);
    const before = azure.now;
    expect((await end()).word).toBe("removed");
    expect(azure.now - before).toBeGreaterThanOrEqual(15_000);
  });

  it("for good is given up after a while", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 10);
    outage(azure, isUnwell, Number.POSITIVE_INFINITY);
    const before = azure.now;
    expect(await end(grant)).toMatchObject({ word: "failed", isUnfinished: true });
    expect(azure.now - before).toBeGreaterThan(2_000);
  });

  it("is asked to take back no more once nobody wants that, and what was sent is waited for", async () => {
    const azure = await startFakeAzure();
    const { end, grant } = await heldLease(azure, 10);
    const stop = new AbortController();
    let writes = 0;
    azure.intercept = (question) => {
      if (!isRequesting(question)) return undefined;
      writes += 1;
      stop.abort(new AgentctlError("INTERRUPTED", "enough"));
      return throttling(15);
    };
    const before = azure.now;
    expect(await end(grant, { signal: stop.signal })).toMatchObject({
      word: "failed",
      shortfall: expect.stringContaining("interrupted"),
      isUnfinished: true,
    });
    expect(writes).toBe(1);
    expect(azure.now - before).toBeLessThan(15_000);
    expect(azure.assignments).toHaveLength(1);
  });
});
