import { describe, expect, it } from "vitest";
import { expressionOf } from "../../../src/clouds/gcp/rights/lease-title.js";
import { answersJson } from "../exchange/fake-service.js";
import { failureOf } from "../exchange/identity.js";
import { type FakeBinding, startFakeRights } from "./fake-rights.js";
import { FOREIGN, MEMBER, open, oursOf, VIEWER } from "./opening.js";

describe("giving bindings to a policy that fills", () => {
  it.each([
    { name: "Google's clock", aheadMs: 3_600_000 },
    { name: "one that agrees", aheadMs: 0 },
  ])("prunes ours that ended more than 300 s ago by $name, and no others", async ({ aheadMs }) => {
    const google = await startFakeRights({ "projects/my-project": [] });
    google.clockAheadMs = aheadMs;
    const nowSeconds = Math.floor((Date.now() + aheadMs) / 1000);
    const leaseBinding = (id: string, end: number): FakeBinding => ({
      role: VIEWER,
      members: ["serviceAccount:other@x.iam.gserviceaccount.com"],
      condition: { title: `agentctl-l-${id}-${end}`, expression: expressionOf(end) },
    });
    const [over, inGrace, living] = [
      leaseBinding("000000000000000a", nowSeconds - 330),
      leaseBinding("000000000000000b", nowSeconds - 270),
      leaseBinding("000000000000000c", nowSeconds + 60),
    ];
    // Of a role that this profile's granter may not be allowed to change.
    const ofAnotherRole = { ...leaseBinding("000000000000000d", nowSeconds - 330), role: "roles/logging.viewer" };
    // With our title, and given on: somebody changed its condition, or made it.
    const prolonged = leaseBinding("000000000000000e", nowSeconds - 330);
    const forged = { ...prolonged, condition: { title: prolonged.condition?.title ?? "", expression: "true" } };
    const others = [...FOREIGN, inGrace, living, ofAnotherRole, forged];
    google.write("projects/my-project", () => [over, ...others]);
    const { steps } = await open(google).opened;
    expect(google.bindings("projects/my-project").slice(0, -1)).toEqual(others);
    expect(google.written).toHaveLength(1);
    expect(steps.map(({ text }) => text)).toContainEqual(expect.stringContaining("pruned 1 of our bindings"));
    const end = Number(oursOf(google.bindings("projects/my-project"))[0]?.condition?.title.split("-").at(-1));
    // By Google's clock, as the condition is judged.
    expect(Math.abs(end - nowSeconds - 900)).toBeLessThan(20);
  });

  it.each([
    { name: "where there are twenty with the role and the member", count: 20, words: undefined },
    {
      name: "in Google's own words",
      count: 0,
      words: "The number of different conditions (21) is larger than the maximum allowed size 20.",
    },
  ])("is BINDING_LIMIT $name", async ({ count, words }) => {
    const there = Array.from({ length: count }, (_, index) => ({
      role: VIEWER,
      members: [MEMBER, "user:a@b.c"],
      condition: { title: `c${index}`, expression: "true" },
    }));
    const google = await startFakeRights({ "projects/my-project": there });
    const refusal = { error: { code: 400, status: "INVALID_ARGUMENT", message: words } };
    google.beforeSet = () => (words === undefined ? undefined : answersJson(400, refusal));
    const error = await failureOf(open(google).opened);
    expect(error).toMatchObject({ code: "BINDING_LIMIT", hint: expect.stringContaining("lease sweep --cloud") });
    expect(google.bindings("projects/my-project")).toEqual(there);
  });

  it.each([
    { message: "Role roles/storage.viewer is not supported for this resource.", want: "CONFIG_INVALID" },
    { message: "Role (projects/p/roles/x) does not exist in the resource's hierarchy.", want: "CONFIG_INVALID" },
    { message: "roles/storage.viewer is not a valid role for projects/_/buckets/b.", want: "CONFIG_INVALID" },
    { message: "Invalid service account (a@b.c).", want: "CLOUD_DENIED" },
    { status: 403, message: "Role x is not supported for this resource.", want: "CLOUD_DENIED" },
  ])("is a mistake of the profile's where the role is: $message", async ({ status = 400, message, want }) => {
    const google = await startFakeRights({ "projects/my-project": [] });
    const refusal = { error: { code: status, status: "INVALID_ARGUMENT", message } };
    google.beforeSet = () => answersJson(status, refusal);
    const error = await failureOf(open(google).opened);
    expect(error).toMatchObject({ code: want, message: expect.stringContaining(message) });
    expect(error.hint).toMatch(/^check .*gcp\.bindings: /);
  });

  it("makes room by pruning before it counts", async () => {
    const there = Array.from({ length: 20 }, (_, index) => ({
      role: VIEWER,
      members: [MEMBER],
      condition: {
        title: `agentctl-l-${String(index).padStart(16, "0")}-1500000000`,
        expression: expressionOf(1_500_000_000),
      },
    }));
    const google = await startFakeRights({ "projects/my-project": there });
    await open(google).opened;
    expect(google.bindings("projects/my-project")).toHaveLength(1);
  });
});
