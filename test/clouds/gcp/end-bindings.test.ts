import { describe, expect, it } from "vitest";
import { expressionOf } from "../../../src/clouds/gcp/rights/lease-title.js";
import { answersJson } from "../exchange/fake-service.js";
import { failureOf, TOKEN } from "../exchange/identity.js";
import { ACCOUNT } from "./fake-google.js";
import { tokenOf } from "./fake-rights.js";
import { BUCKET, FOREIGN, GRANTER, grantOf, HOLDERS, LEASE, OTHERS, scene, startWithPolicies, texts } from "./scene.js";

describe("the end of bindings", () => {
  it("takes the lease's own, and nobody else's, off every policy: removed, with Google's delay", async () => {
    const rest = [...FOREIGN.slice(0, 1), { ...OTHERS, members: ["user:other@example.com"] }];
    const google = await startWithPolicies(rest);
    const { open, end } = scene(google);
    await open();
    const ending = await end();
    for (const holder of HOLDERS) expect(google.bindings(holder)).toEqual(rest);
    expect(ending).toMatchObject({ cloud: "gcp", word: "removed", reason: "no token of the lease to see it by" });
    expect(ending.detail).toMatch(/2 minutes as a rule.*7 minutes or longer.*no token of it to see that/);
    expect(texts(ending)).toContain(`took 1 of its bindings off ${BUCKET}, as ${GRANTER}`);
    expect(google.written.slice(-2).map(({ who }) => who)).toEqual(Array(2).fill(`serviceAccount:${GRANTER}`));
  });

  it.each([
    { name: "its own bound", terms: (now: number) => ({ latestEndsAt: now + 100_000 }), order: {} },
    { name: "the token's own end", terms: () => ({}), order: (now: number) => ({ expiresAt: now + 100_000 }) },
  ])("is never said to be later than $name", async ({ terms, order }) => {
    const google = await startWithPolicies([]);
    const now = Date.now();
    const made = scene(google, {
      terms: terms(now),
      order: typeof order === "function" ? order(now) : order,
    });
    await made.open();
    const { at, word } = await made.end();
    expect(word).toBe("removed");
    expect(Date.parse(at)).toBeLessThanOrEqual(now + 101_000);
    expect(Date.parse(at)).toBeGreaterThan(now + 98_000);
  });

  it("is gone over again when others write at the same time, and leaves what they wrote", async () => {
    const google = await startWithPolicies();
    const { open, end } = scene(google);
    await open();
    google.beforeSet = (holder, count) => {
      if (count < 10)
        google.write(holder, (all) => [...all, { role: "roles/browser", members: [`user:u${count}@x.y`] }]);
      return undefined;
    };
    expect((await end()).word).toBe("removed");
    const left = HOLDERS.flatMap((holder) => google.bindings(holder));
    expect(left.filter(({ condition }) => condition?.title.includes(LEASE))).toEqual([]);
    expect(left.filter(({ role }) => role === "roles/browser")).toHaveLength(7);
  });

  it("a second time does no harm, and writes nothing", async () => {
    const google = await startWithPolicies();
    const { open, end } = scene(google);
    await open();
    await end();
    const writes = google.written.length;
    const ending = await end();
    expect(ending).toMatchObject({
      word: "removed",
      detail: expect.stringContaining("nothing of it was there any more"),
    });
    expect(google.written).toHaveLength(writes);
  });

  it("finds them by the lease's id, whatever end their title has", async () => {
    const google = await startWithPolicies();
    const { end } = scene(google);
    const stray = { ...OTHERS, condition: { title: `agentctl-${LEASE}-1999999999`, expression: "true" } };
    google.write("b/site", (all) => [...all, stray]);
    await end();
    expect(google.bindings("b/site")).toEqual([...FOREIGN, OTHERS]);
  });

  it("prunes others of ours that have ended, in the same write", async () => {
    const google = await startWithPolicies();
    const { open, end } = scene(google);
    await open();
    const over = {
      ...OTHERS,
      condition: { title: "agentctl-l-000000000000over-1500000000", expression: expressionOf(1_500_000_000) },
    };
    google.write("b/site", (all) => [...all, over]);
    const writes = google.written.length;
    expect(texts(await end())).toContain(`pruned 1 of our bindings on ${BUCKET}`);
    expect(google.bindings("b/site")).toEqual([...FOREIGN, OTHERS]);
    expect(google.written).toHaveLength(writes + 2);
  });

  it.each([
    { name: "before anything was given", give: false, isIssued: false, word: "expires" },
    { name: "after it was given, with no token known", give: true, isIssued: false, word: "removed" },
  ])("of a run that was cut off $name is $word, by what the ledger holds", async ({ give, isIssued, word }) => {
    const google = await startWithPolicies();
    const { open, end } = scene(google, { order: { isIssued } });
    if (give) await open();
    const ending = await end();
    expect(ending.word).toBe(word);
    for (const holder of HOLDERS) expect(google.bindings(holder)).toEqual([...FOREIGN, OTHERS]);
    if (!give) expect(texts(ending)).toContain("nothing of this lease was there");
  });

  it.each([
    { name: "nothing was given yet", isBegun: false },
    { name: "something was given already", isBegun: true },
  ])("looks twice for what was under way when a run was cut off and $name", async ({ isBegun }) => {
    const google = await startWithPolicies();
    const made = scene(google, { order: { isIssued: false } });
    const late = { ...OTHERS, condition: { title: `agentctl-${LEASE}-4000000000`, expression: "true" } };
    if (isBegun) google.write("projects/my-project", (all) => [...all, late]);
    const { sleep } = made.runtime;
    Object.assign(made.runtime, {
      sleep: async (ms: number) => {
        google.write("b/site", (all) => [...all, late]);
        await sleep(ms);
      },
    });
    expect((await made.end()).word).toBe("removed");
    for (const holder of HOLDERS) expect(google.bindings(holder)).toEqual([...FOREIGN, OTHERS]);
  });

  it("after a failure part of the way through giving leaves none of them", async () => {
    const google = await startWithPolicies();
    const made = scene(google, { order: { isIssued: false } });
    google.beforeSet = (holder) =>
      holder === "b/site"
        ? answersJson(400, { error: { code: 400, message: "no", errors: [{ reason: "invalid" }] } })
        : undefined;
    expect(await failureOf(made.open())).toMatchObject({ code: "CLOUD_DENIED" });
    google.beforeSet = () => undefined;
    expect((await made.end()).word).toBe("removed");
    for (const holder of HOLDERS) expect(google.bindings(holder)).toEqual([...FOREIGN, OTHERS]);
  });
});

describe("secrets", () => {
  it("are in no ending, whatever Google repeats", async () => {
    const google = await startWithPolicies();
    const { open, end } = scene(google, { order: { grant: grantOf(Date.now() + 900_000) } });
    await open();
    const said = `you sent ${tokenOf(GRANTER)} and ${TOKEN}`;
    google.beforeSet = () => answersJson(400, { error: { code: 400, status: "INVALID_ARGUMENT", message: said } });
    const ending = JSON.stringify(await end());
    for (const secret of [tokenOf(GRANTER), tokenOf(ACCOUNT), TOKEN, "canary"]) expect(ending).not.toContain(secret);
  });
});
