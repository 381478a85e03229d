import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { CLOUD_PLATFORM, callGoogle, federate, impersonate, narrow, type Rule, tokenOf } from "./gcp-clients.js";

let sandbox: Sandbox;
let federated: string;
beforeAll(async () => {
  sandbox = await startSandbox();
  federated = await federate(sandbox);
});
afterEach(() => sandbox.clock.setOffset(0));
afterAll(() => sandbox.close());

type Json = Record<string, unknown>;

function read(body: string): Json {
  return JSON.parse(body) as Json;
}

describe("an access boundary", () => {
  const rule: Rule = {
    availableResource: "//storage.googleapis.com/projects/_/buckets/demo",
    availablePermissions: ["inRole:roles/storage.objectViewer"],
  };

  it("makes a token that ends with the one it was made from, which is said of a service account's only", async () => {
    const lease = tokenOfGenerated(
      (await impersonate(sandbox, federated, { scope: [CLOUD_PLATFORM], lifetime: "90s" })).body,
    );
    const own = read((await narrow(sandbox, lease, [rule])).body);
    expect(own["expires_in"]).toBeGreaterThan(80);
    expect(own["expires_in"]).toBeLessThanOrEqual(90);
    expect(read((await narrow(sandbox, federated, [rule])).body)).not.toHaveProperty("expires_in");
  });

  const rows: readonly { name: string; rules: readonly Rule[] | string; says: string }[] = [
    { name: "no rules", rules: [], says: "not valid" },
    { name: "no JSON", rules: "{", says: "not valid" },
    { name: "too many rules", rules: Array.from({ length: 11 }, () => rule), says: "more than 10 rules" },
    { name: "what is no bucket", rules: [{ ...rule, availableResource: "demo" }], says: "Invalid available resource" },
    {
      name: "a permission rather than a role",
      rules: [{ ...rule, availablePermissions: ["storage.objects.get"] }],
      says: "Invalid available permission",
    },
    { name: "no role", rules: [{ ...rule, availablePermissions: [] }], says: "Invalid available permission" },
    {
      name: "a condition that is no expression",
      rules: [{ ...rule, availabilityCondition: { expression: "resource.name ==" } }],
      says: "Invalid availability condition",
    },
  ];
  it.each(rows)("with $name is refused", async ({ rules, says }) => {
    const answer = await narrow(sandbox, federated, rules);
    expect(answer.status).toBe(400);
    expect(read(answer.body)).toEqual({ error: "invalid_request", error_description: expect.stringContaining(says) });
  });

  it("is not made for a token that has one, has ended, or is none; and such a token impersonates nobody", async () => {
    const bounded = tokenOf(await narrow(sandbox, federated, [rule]));
    expect(read((await narrow(sandbox, bounded, [rule])).body)).toMatchObject({ error: "invalid_request" });
    expect((await impersonate(sandbox, bounded, { scope: [CLOUD_PLATFORM] })).status).toBe(401);
    expect(read((await narrow(sandbox, "ya29.x", [rule])).body)).toMatchObject({ error: "invalid_grant" });
    sandbox.clock.setOffset(3_600_000, "gcp-sts");
    expect(read((await narrow(sandbox, federated, [rule])).body)).toMatchObject({ error: "invalid_grant" });
  });
});

describe("tokeninfo", () => {
  it("tells nothing of a token that has ended or is none", async () => {
    expect(read((await callGoogle(sandbox, "/tokeninfo?access_token=x")).body)).toEqual({
      error: "invalid_token",
      error_description: "Invalid Value",
    });
    sandbox.clock.setOffset(3_600_000, "tokeninfo");
    expect((await callGoogle(sandbox, `/tokeninfo?access_token=${federated}`)).status).toBe(400);
  });

  it("takes a form as well, and gives the seconds left", async () => {
    const body = new URLSearchParams({ access_token: federated }).toString();
    const answer = await callGoogle(sandbox, "/oauth2/v3/tokeninfo", undefined, { method: "POST", body });
    expect(Number(read(answer.body)["expires_in"])).toBeGreaterThan(3000);
  });
});

function tokenOfGenerated(body: string): string {
  return String(read(body)["accessToken"]);
}
