import { describe, expect, it } from "vitest";
import { PATIENT_LIMITS } from "../../../src/clouds/exchange/exchange.js";
import { TAKE_BACK_LIMITS } from "../../../src/clouds/gcp/rights/take-back.js";
import { answersJson, type Reply } from "../exchange/fake-service.js";
import { grantOf, scene, startWithPolicies, texts } from "./scene.js";

const PATIENT = { exchange: PATIENT_LIMITS, removeMs: TAKE_BACK_LIMITS.removeMs };
const failing = answersJson(503, { error: { code: 503, status: "UNAVAILABLE", message: "x" } });
const cuts: Reply = (_asked, response) => void response.socket?.destroy();
const throttling = (seconds: number): Reply =>
  answersJson(
    429,
    { error: { code: 429, status: "RESOURCE_EXHAUSTED", message: "x" } },
    { "retry-after": `${seconds}` },
  );

describe("a Google that is away", () => {
  it.each([
    { name: "fails ten times", reply: failing, times: 10 },
    { name: "cuts ten connections", reply: cuts, times: 10 },
    { name: "throttles ten times", reply: throttling(1), times: 10 },
  ])("and $name is asked until it has taken everything back", async ({ reply, times }) => {
    const google = await startWithPolicies([]);
    const { open, end } = scene(google, { order: { grant: grantOf(Date.now() + 900_000) }, limits: PATIENT });
    await open();
    google.outage = { reply, times };
    expect(await end()).toMatchObject({ word: "revoked" });
    expect(google.bindings("b/site")).toEqual([]);
  });

  it("is left alone for as long as it asks for", async () => {
    const google = await startWithPolicies([]);
    const { open, end, runtime } = scene(google, { limits: PATIENT });
    await open();
    google.outage = { reply: throttling(15), times: 1 };
    const startedAt = runtime.now();
    expect((await end()).word).toBe("removed");
    expect(runtime.now() - startedAt).toBeGreaterThanOrEqual(15_000);
  });

  it("for good is given up after a while, and said to have been", async () => {
    const google = await startWithPolicies([]);
    const { open, end, runtime } = scene(google, { limits: PATIENT });
    await open();
    google.outage = { reply: failing, times: Number.POSITIVE_INFINITY };
    const startedAt = runtime.now();
    expect(await end()).toMatchObject({
      word: "failed",
      isUnfinished: true,
      shortfall: expect.stringContaining("503"),
    });
    expect(runtime.now() - startedAt).toBeGreaterThan(5_000);
  });

  it("when the time is over is told with what it said at last", async () => {
    const google = await startWithPolicies([]);
    const { open, end } = scene(google, { limits: { exchange: { ...PATIENT_LIMITS, attempts: 1e6 }, removeMs: 300 } });
    await open();
    google.outage = { reply: throttling(1), times: Number.POSITIVE_INFINITY };
    const ending = await end();
    expect(ending.shortfall).toMatch(/^Google had not taken it back within 0.3s: .*429.*too many requests/);
  });

  it("for the first look only is looked at again before anything is taken back", async () => {
    const google = await startWithPolicies([]);
    const { open, end } = scene(google, { order: { grant: grantOf(Date.now() + 900_000) } });
    await open();
    const asItIs = google.granted;
    let tests = 0;
    google.granted = (holder, who, count) => {
      tests += 1;
      return tests <= 2 ? failing : asItIs(holder, who, count);
    };
    const ending = await end();
    expect(ending.word, texts(ending)).toBe("revoked");
  });

  it("when the answer to a write is lost has it told as taken back all the same", async () => {
    const google = await startWithPolicies([]);
    const { open, end } = scene(google, { order: { grant: grantOf(Date.now() + 900_000) } });
    await open();
    const first = new Set(["b/site", "projects/my-project"]);
    google.beforeSet = (holder) => {
      if (!first.delete(holder)) return undefined;
      google.write(holder, () => []);
      return failing;
    };
    const ending = await end();
    expect(ending.word, texts(ending)).toBe("revoked");
    expect(texts(ending)).toMatch(/took 1 of its bindings off/);
  });
});
