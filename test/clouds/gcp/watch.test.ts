import { describe, expect, it } from "vitest";
import { answersJson } from "../exchange/fake-service.js";
import { type FakeRights, whoIs } from "./fake-rights.js";
import { BUCKET, FOREIGN, grantOf, MEMBER, READY, type Scene, scene, startWithPolicies } from "./scene.js";

describe("watching", () => {
  async function watched(granted: FakeRights["granted"], extra: Scene = {}) {
    const google = await startWithPolicies(FOREIGN);
    const made = scene(google, { ...extra, order: { grant: grantOf(Date.now() + 900_000), ...extra.order } });
    google.granted = () => READY.permissions;
    await made.open();
    let count = 0;
    google.granted = (holder, who) => {
      count += 1;
      return granted(holder, who, count);
    };
    const ending = await made.end();
    return { google, ending, count };
  }

  it("that sees the lease's own token lose the permission, twice in a row, is revoked", async () => {
    const {
      ending,
      google,
      count: tries,
    } = await watched((_holder, _who, count) => ([3, 5, 6].includes(count) ? [] : READY.permissions));
    expect(ending).toMatchObject({
      word: "revoked",
      detail: expect.stringContaining(`testIamPermissions on ${BUCKET} stopped`),
    });
    expect(Date.parse(ending.until ?? "")).toBeGreaterThan(Date.parse(ending.at));
    expect(ending.at, "never later than what tells it").toMatch(/\.\d{3}Z$/);
    expect(Date.parse(ending.at)).toBeLessThanOrEqual(Date.parse(ending.steps?.at(-1)?.at ?? ""));
    // Once before; granted, refused, granted again, and refused twice.
    expect(tries).toBe(6);
    const tests = google.asked.filter(({ path }) => path.includes("testPermissions"));
    expect(whoIs(tests.at(-1) as { headers: Record<string, string> })).toBe(MEMBER);
  });

  it.each<{ name: string; granted: FakeRights["granted"]; said: RegExp }>([
    { name: "goes on being granted", granted: () => READY.permissions, said: /was not seen to refuse within 3\d/ },
    { name: "was not granted before", granted: () => [], said: /granted the lease's own token nothing before/ },
    {
      name: "cannot be asked about any more",
      granted: (_holder, _who, count) =>
        count === 1
          ? READY.permissions
          : answersJson(401, { error: { code: 401, message: "x", errors: [{ reason: "authError" }] } }),
      said: /was not seen to refuse within 3\d/,
    },
    {
      name: "cannot be asked about",
      granted: () => answersJson(401, { error: { code: 401, message: "x", errors: [{ reason: "authError" }] } }),
      said: /no answer by which that could be seen/,
    },
  ])("what $name is removed and no more", async ({ granted, said }) => {
    const { ending } = await watched(granted);
    expect(ending).toMatchObject({ word: "removed", detail: expect.stringMatching(said) });
  });

  it("is not done where nobody waits for it", async () => {
    const stop = new AbortController();
    stop.abort();
    const { ending } = await watched(() => [], { context: { unwatched: stop.signal } });
    expect(ending).toMatchObject({ word: "removed", detail: expect.stringContaining("nobody waited") });
  });
});
