import { describe, expect, it } from "vitest";
import { defaultAzure, GRANTER_CLIENT, POOL_CLIENTS } from "../../src/sandbox/azure/world.js";
import { defaultGcp } from "../../src/sandbox/gcp/world.js";
import { describeApp, describeServiceAccount } from "../../src/sandbox/present-rights.js";

describe("what the default world gives from the start", () => {
  it.each([
    { client: GRANTER_CLIENT, want: "agentctl-granter: Role Based Access Control Administrator, conditioned" },
    { client: POOL_CLIENTS[0], want: "jit-one: no role" },
    { client: POOL_CLIENTS[1], want: "jit-two: no role" },
  ])("application $client", ({ client, want }) => {
    const app = defaultAzure().apps[client];
    expect(app && describeApp(app)).toBe(want);
  });

  it("an application without a name", () => {
    const roles = [{ role: "Reader", scope: "/subscriptions/x" }];
    expect(describeApp({ federatedCredentials: [], roles })).toBe("Reader");
  });

  it.each([
    { name: "demo", want: "roles/storage.objectUser" },
    { name: "agentctl-granter", want: "projects/agentctl-demo/roles/agentctlGranter; roles/iam.serviceAccountAdmin" },
    { name: "jit", want: "no role" },
  ])("service account $name", ({ name, want }) => {
    expect(describeServiceAccount(`${name}@agentctl-demo.iam.gserviceaccount.com`, defaultGcp())).toBe(want);
  });
});
