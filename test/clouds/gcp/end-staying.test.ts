import { describe, expect, it } from "vitest";
import { expressionOf } from "../../../src/clouds/gcp/rights/lease-title.js";
import { formatInstant } from "../../../src/core/durations.js";
import { type FakeBinding, PERMISSIONS } from "./fake-rights.js";
import { BUCKET, FOREIGN, grantOf, MEMBER, scene, startWithPolicies, texts, VIEWER } from "./scene.js";

const OTHER = "l-00000000000other";

function ofAnotherLease(endSeconds: number, expression = expressionOf(endSeconds)): FakeBinding {
  return { role: VIEWER, members: [MEMBER], condition: { title: `agentctl-${OTHER}-${endSeconds}`, expression } };
}

/** Ends a lease of a quarter of an hour beside these bindings, as the one who holds its token. */
async function endBeside(rest: readonly FakeBinding[]) {
  const google = await startWithPolicies(rest);
  google.granted = (holder, who) =>
    google
      .bindings(holder)
      .filter(({ members, condition }) => members.includes(who) && condition?.title !== "office hours")
      .flatMap(({ role }) => PERMISSIONS[role] ?? []);
  const expiresAt = Math.ceil(Date.now() / 1000) * 1000 + 3_600_000;
  const made = scene(google, { order: { grant: grantOf(expiresAt), expiresAt } });
  await made.open();
  const startedAt = made.runtime.now();
  const ending = await made.end();
  return { ending, expiresAt, tookMs: made.runtime.now() - startedAt };
}

describe("what another binding gives as well", () => {
  const soon = Math.floor(Date.now() / 1000) + 1_800;

  it.each([
    {
      name: "by a lease that lives on, until that ends",
      binding: ofAnotherLease(soon),
      at: () => soon * 1000,
      said: new RegExp(`keeps ${VIEWER} on ${BUCKET} by another lease, ${OTHER}, until ${formatInstant(soon * 1000)}`),
    },
    {
      name: "by a lease that ends before this one would have",
      binding: ofAnotherLease(Math.floor(Date.now() / 1000) + 100),
      at: (expiresAt: number) => expiresAt - 2_700_000,
      said: /by another lease/,
    },
    {
      name: "for ever",
      binding: { role: VIEWER, members: [MEMBER] },
      at: (expiresAt: number) => expiresAt,
      said: /keeps .* by a binding that is not agentctl's/,
    },
    {
      name: "by what looks like a lease's, and never ends",
      binding: ofAnotherLease(soon, "true"),
      at: (expiresAt: number) => expiresAt,
      said: /keeps .* by a binding that is not agentctl's/,
    },
  ])("$name, is not waited for to be refused, and is told", async ({ binding, at, said }) => {
    const { ending, expiresAt, tookMs } = await endBeside([binding]);
    expect(ending).toMatchObject({ word: "removed", detail: expect.stringMatching(said) });
    const whose = / by a binding/.test(ending.detail) ? "a binding that is not agentctl's" : `lease ${OTHER}`;
    expect(ending.reason).toBe(`${whose} still gives it`);
    expect(texts(ending)).toMatch(said);
    expect(Math.abs(Date.parse(ending.at) - at(expiresAt))).toBeLessThanOrEqual(2_000);
    expect(tookMs).toBeLessThan(5_000);
  });

  it.each([
    { name: "to somebody else", binding: { role: VIEWER, members: ["user:other@example.com"] } },
    { name: "no more, since it has ended", binding: ofAnotherLease(1_500_000_000) },
    { name: "of another role", binding: { role: "roles/browser", members: [MEMBER] } },
  ])("given $name, hides no refusal", async ({ binding }) => {
    expect((await endBeside([binding])).ending.word).toBe("revoked");
  });

  it("under a condition of somebody else's is waited for, and told where it was not seen to be refused", async () => {
    expect((await endBeside(FOREIGN)).ending.word).toBe("revoked");
    const [, conditional] = FOREIGN;
    if (conditional?.condition === undefined) throw new Error("there is none");
    const giving = { ...conditional, condition: { ...conditional.condition, title: "all day" } };
    const { ending, expiresAt } = await endBeside([giving]);
    expect(ending).toMatchObject({
      word: "removed",
      at: formatInstant(expiresAt),
      detail: expect.stringMatching(/may keep .* by a binding with a condition.*was not seen to refuse within 3\d/),
    });
  });

  it("is counted where there is much of it", async () => {
    const many = [1, 2, 3].map((count) => ofAnotherLease(soon + count));
    const { ending } = await endBeside(many);
    expect(ending.detail).toContain("and 3 more such bindings stay");
  });
});

describe("when it ends by itself", () => {
  it("is told in whole seconds, as its condition says it", async () => {
    const google = await startWithPolicies([]);
    const { open, end } = scene(google, { terms: { latestEndsAt: Date.now() + 600_001 } });
    await open();
    const [binding] = google.bindings("b/site");
    const said = /timestamp\("(.*)"\)/.exec(binding?.condition?.expression ?? "")?.[1];
    expect((await end()).at).toBe(said);
  });
});
