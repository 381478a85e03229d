import { describe, expect, it } from "vitest";
import { AgentctlError } from "../../../src/core/errors.js";
import type { EndOrder } from "../../../src/core/lease.js";
import { answers, answersJson } from "../exchange/fake-service.js";
import { gcpSettings } from "./fake-google.js";
import { startFakeRights } from "./fake-rights.js";
import { FOREIGN, LEASE, OTHERS, scene, startWithPolicies } from "./scene.js";

describe("what failed", () => {
  const refusal = { error: { code: 403, message: "no more", errors: [{ reason: "forbidden" }] } };

  it("is told, what could be removed is removed, and a further try may have the rest", async () => {
    const google = await startWithPolicies();
    const { open, end, endByRoom } = scene(google);
    await open();
    google.beforeSet = (holder) => (holder === "b/site" ? answersJson(403, refusal) : undefined);
    const ending = await end();
    expect(ending).toMatchObject({ word: "failed", isUnfinished: true, shortfall: expect.stringContaining("no more") });
    expect(google.bindings("projects/my-project")).toEqual([...FOREIGN, OTHERS]);
    google.beforeSet = () => undefined;
    expect((await endByRoom()).word).toBe("removed");
    expect(google.bindings("b/site")).toEqual([...FOREIGN, OTHERS]);
  });

  it.each([
    { name: "a page of a proxy's", reply: answers(200, "<html>welcome</html>") },
    { name: "something else", reply: answersJson(200, { kind: "other" }) },
  ])("where a write is answered with $name is not told as taken back", async ({ reply }) => {
    const google = await startWithPolicies();
    const { open, end } = scene(google);
    await open();
    google.beforeSet = () => reply;
    const ending = await end();
    expect(ending).toMatchObject({
      word: "failed",
      isUnfinished: true,
      shortfall: expect.stringContaining("no answer of that service"),
    });
    google.beforeSet = () => undefined;
    expect((await end()).word).toBe("removed");
  });

  it("is not to be tried again once it has ended by itself", async () => {
    const google = await startWithPolicies();
    // By Google's clock as well, which may be half a minute behind.
    const past = Date.now() - 31_000;
    const ours = {
      ...OTHERS,
      condition: { title: `agentctl-${LEASE}-${Math.floor(past / 1000)}`, expression: "true" },
    };
    google.write("b/site", (all) => [...all, ours]);
    const { end } = scene(google, { terms: { latestEndsAt: past } });
    google.beforeSet = () => answersJson(403, refusal);
    const ending = await end();
    expect(ending).toMatchObject({ word: "failed" });
    expect(ending.isUnfinished).toBeUndefined();
    google.beforeSet = () => undefined;
    expect(await end()).toMatchObject({ word: "expires", detail: expect.stringContaining("ended by itself") });
    expect(google.bindings("b/site")).toEqual([...FOREIGN, OTHERS]);
  });

  it.each([
    {
      name: "no token can be had",
      mintToken: () => Promise.reject(new AgentctlError("NO_IDENTITY", "no identity here")),
    },
    { name: "the token is never given", mintToken: () => new Promise<never>(() => {}) },
  ])("when $name is an ending, and no exception", async ({ mintToken }) => {
    const google = await startWithPolicies();
    const { end } = scene(google, { context: { mintToken }, limits: { removeMs: 300 } });
    expect(await end()).toMatchObject({ word: "failed", isUnfinished: true });
  });

  it("by an interruption says so at once", async () => {
    const google = await startWithPolicies();
    const stop = new AbortController();
    const { open, end } = scene(google, { context: { signal: stop.signal } });
    await open();
    const writes = google.written.length;
    let tries = 0;
    google.beforeSet = () => {
      tries += 1;
      stop.abort(new AgentctlError("INTERRUPTED", "enough"));
      return answersJson(409, { error: { code: 409, status: "ABORTED", message: "x" } });
    };
    expect(await end()).toMatchObject({
      word: "failed",
      shortfall: expect.stringContaining("interrupted"),
      isUnfinished: true,
    });
    expect(tries).toBeLessThanOrEqual(2);
    expect(google.written).toHaveLength(writes);
  });
});

describe("the order", () => {
  it("of a profile that gives nothing ends as it always did", async () => {
    const google = await startFakeRights({});
    const made = scene(google, { settings: gcpSettings() });
    expect(made.undo).toEqual({});
    expect(await made.endByRoom()).toMatchObject({ word: "expires" });
    expect(google.asked).toEqual([]);
  });

  it("that is not to be taken back says when it ends by itself, and asks nobody", async () => {
    const google = await startFakeRights({});
    const made = scene(google, { terms: { revoke: "none" } });
    expect(await made.endByRoom()).toMatchObject({
      word: "expires",
      detail: expect.stringMatching(/given .* ends by itself/),
      reason: "revoke: none",
    });
    expect(google.asked).toEqual([]);
  });

  it.each([
    { name: "another lease's id", change: {}, leaseId: "l-*" },
    { name: "a resource that is none", change: { resources: ["//evil.example/x"] } },
    { name: "a provider that is none", change: { provider: "projects/1/../x" } },
    { name: "a granter that is none", change: { granter: "x@evil.example/../" } },
    { name: "no granter", change: { granter: undefined } },
    { name: "an entitlement that is none", change: { entitlement: "projects/p/locations/global/entitlements/e?x" } },
    { name: "no audience", change: { audiences: [] } },
    { name: "no time", change: { boundAt: "soon" } },
    { name: "a mode that is none", change: { revoke: "maybe" } },
  ])("with $name asks nobody, and is failed for good", async ({ change, leaseId = LEASE }) => {
    const google = await startFakeRights({});
    const { undo, endByRoom } = scene(google);
    const ending = await endByRoom({ leaseId, undo: { ...undo, ...change } as EndOrder["undo"] });
    expect(ending).toMatchObject({ word: "failed", shortfall: expect.stringContaining("makes no sense") });
    expect(ending.isUnfinished).toBeUndefined();
    expect(google.asked).toEqual([]);
  });

  it("holds no secret, and names for whom tokens are needed", async () => {
    const google = await startFakeRights({});
    const { undo } = scene(google);
    expect(undo["audiences"]).toEqual([expect.stringMatching(/^https:\/\/iam\.googleapis\.com\/projects/)]);
    expect(JSON.stringify(undo)).not.toContain("canary");
  });
});
