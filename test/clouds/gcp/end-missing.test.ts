import { describe, expect, it } from "vitest";
import { answersJson } from "../exchange/fake-service.js";
import { gcpSettings } from "./fake-google.js";
import { type FakeRights, startFakeRights } from "./fake-rights.js";
import { ENTITLEMENT, FOREIGN, HOLDERS, OTHERS, type Scene, scene, startWithPolicies, texts } from "./scene.js";

const REST = [...FOREIGN, OTHERS];

/** Shows what was there before the lease, until somebody pauses. */
function showEarlier(google: FakeRights, { runtime }: Pick<ReturnType<typeof scene>, "runtime">): () => number {
  google.insteadOfPolicy = answersJson(200, { version: 3, etag: "1", bindings: REST });
  const { sleep } = runtime;
  let slept = 0;
  Object.assign(runtime, {
    sleep: async (ms: number) => {
      slept += ms;
      delete google.insteadOfPolicy;
      await sleep(ms);
    },
  });
  return () => slept;
}

describe("a policy that does not show what was given yet", () => {
  it("is read again, and what was given is taken off it", async () => {
    const google = await startWithPolicies();
    const made = scene(google);
    await made.open();
    showEarlier(google, made);
    const ending = await made.end();
    for (const holder of HOLDERS) expect(google.bindings(holder)).toEqual(REST);
    expect(ending.word).toBe("removed");
    expect(ending.detail).not.toContain("nothing of it was there");
    expect(texts(ending)).toContain("missing in Google's answer");
  });

  it.each<{ name: string; order: NonNullable<Scene["order"]>; pauseMs: number }>([
    { name: "that had its token", order: { isIssued: true, isHandedOut: true }, pauseMs: 7 },
    { name: "that was cut off", order: { isIssued: false, isHandedOut: true }, pauseMs: 11 },
  ])("is waited for as long as fits a lease $name", async ({ order, pauseMs }) => {
    const google = await startWithPolicies();
    const made = scene(google, { order, limits: { ownSecondLookMs: 7, secondLookMs: 11 } });
    await made.open();
    const slept = showEarlier(google, made);
    await made.end();
    expect(slept()).toBe(pauseMs);
  });

  it("is not looked for where all of it was seen", async () => {
    const google = await startWithPolicies();
    const made = scene(google);
    await made.open();
    const reads = () => google.asked.filter(({ method, path }) => method === "GET" || path.includes(":getIam")).length;
    const before = reads();
    await made.end();
    expect(reads() - before).toBe(2);
  });

  it("is a list of grants too", async () => {
    const google = await startFakeRights({});
    const made = scene(google, { settings: gcpSettings({ entitlement: ENTITLEMENT }) });
    await made.open();
    const { grants } = google.pam;
    google.pam.grants = [];
    const { sleep } = made.runtime;
    Object.assign(made.runtime, {
      sleep: async (ms: number) => {
        google.pam.grants = grants;
        await sleep(ms);
      },
    });
    expect((await made.end()).word).toBe("removed");
    expect(grants[0]?.state).toBe("REVOKED");
  });
});
