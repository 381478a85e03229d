import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lintConfig, listProfiles, loadProfile } from "../../src/config/index.js";
import { defaultWorld, sampleProfile, type WorldDefinition } from "../../src/sandbox/index.js";
import { fakeRuntime } from "../fake-runtime.js";

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-sample-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

/** The sample for a world, as `run` would find it. */
function readSample(changes: Partial<WorldDefinition>) {
  const config = path.join(dir, "agentctl.yaml");
  fs.writeFileSync(config, sampleProfile({ ...defaultWorld(), ...changes }) ?? "");
  const runtime = fakeRuntime({ cwd: dir, env: { HOME: dir } });
  const profileOf = (profileName: string) => loadProfile({ configPath: config, profileName }, runtime);
  const clouds = Object.fromEntries(listProfiles({ configPath: config }, runtime).map((one) => [one.name, one.clouds]));
  return { profileOf, clouds, lint: (profileName: string) => lintConfig({ configPath: config, profileName }, runtime) };
}

describe("the sample profile", () => {
  it.each(["github", "gitlab", "kubernetes"] as const)("is all that the default world holds, on %s", (platform) => {
    const { clouds, profileOf } = readSample({ platform });
    expect(clouds).toEqual({
      demo: ["aws", "azure", "gcp"],
      "demo-readonly": ["aws", "gcp"],
      "demo-jit": ["gcp"],
      "demo-jit-azure": ["azure"],
      "demo-jit-azure-required": ["azure"],
    });
    const { gcp } = profileOf("demo").clouds;
    expect(gcp?.workloadIdentityProvider).toMatch(new RegExp(`/providers/${platform}$`));
    expect(gcp?.accessBoundary).toEqual([]);
    expect(profileOf("demo-readonly").clouds).toMatchObject({
      aws: { sessionPolicy: { origin: "inline" } },
      gcp: { accessBoundary: [{ availablePermissions: ["inRole:roles/storage.objectViewer"] }] },
    });
  });

  it("leaves out a cloud whose demo part the world does not hold", () => {
    const { azure, gcp } = defaultWorld();
    expect(readSample({ azure: { ...azure, apps: {} } }).clouds["demo"]).toEqual(["aws", "gcp"]);
    expect(readSample({ gcp: { ...gcp, providers: {} } }).clouds["demo"]).toEqual(["aws", "azure"]);
    expect(readSample({ gcp: { ...gcp, serviceAccounts: {} } }).clouds["demo"]).toEqual(["aws", "azure"]);
  });

  it("has the first profile's sessions taken back, and leaves the other's to end by themselves", () => {
    const { profileOf } = readSample({});
    const roleArn = "arn:aws:iam::111122223333:role/agentctl-revoker";
    expect(profileOf("demo").clouds.aws?.revoker).toEqual({ roleArn });
    expect(profileOf("demo-readonly").clouds.aws?.revoker).toBeUndefined();
  });

  it("has no revoker where the world has none", () => {
    const { "arn:aws:iam::111122223333:role/agentctl-revoker": _, ...roles } = defaultWorld().roles;
    expect(readSample({ roles }).profileOf("demo").clouds.aws?.revoker).toBeUndefined();
  });

  it("gives a role on the bucket for a lease, and one on the subscription by a pool", async () => {
    const { profileOf, lint } = readSample({});
    expect(profileOf("demo-jit").clouds.gcp).toMatchObject({
      serviceAccount: "jit@agentctl-demo.iam.gserviceaccount.com",
      granter: { serviceAccount: "agentctl-granter@agentctl-demo.iam.gserviceaccount.com" },
      bindings: [{ role: "roles/storage.objectViewer", resource: "//storage.googleapis.com/projects/_/buckets/demo" }],
      ready: { permissions: ["storage.objects.get", "storage.objects.list"] },
    });
    const azure = profileOf("demo-jit-azure");
    expect(azure.revoke).toBe("none");
    expect(azure.clouds.azure).toMatchObject({
      clientId: "22223333-cccc-4444-dddd-5555eeee6666",
      otherClientIds: ["33334444-dddd-5555-eeee-6666ffff7777"],
      granter: { clientId: "11112222-bbbb-3333-cccc-4444dddd5555" },
      assignments: [{ role: "Reader", scope: "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e" }],
      ready: { permissions: ["Microsoft.Resources/subscriptions/resourceGroups/read"] },
    });
    const required = profileOf("demo-jit-azure-required");
    expect(required.revoke).toBe("required");
    expect(required.clouds).toEqual(azure.clouds);
    const names = ["demo-jit", "demo-jit-azure", "demo-jit-azure-required"];
    for (const name of names) expect((await lint(name)).findings).toEqual([]);
  });

  it("gives nothing in a world that has not all that giving takes", () => {
    const { azure, gcp } = defaultWorld();
    const without = <Value>(held: Readonly<Record<string, Value>>, part: string) =>
      Object.fromEntries(Object.entries(held).filter(([name]) => !name.startsWith(part)));
    const worlds: readonly (readonly [Partial<WorldDefinition>, string])[] = [
      [{ gcp: { ...gcp, serviceAccounts: without(gcp.serviceAccounts, "agentctl-granter@") } }, "demo-jit"],
      [{ gcp: { ...gcp, serviceAccounts: without(gcp.serviceAccounts, "jit@") } }, "demo-jit"],
      [{ gcp: { ...gcp, buckets: without(gcp.buckets, "demo") } }, "demo-jit"],
      [{ gcp: { ...gcp, providers: {} } }, "demo-jit"],
      [{ azure: { ...azure, apps: without(azure.apps, "11112222-") } }, "demo-jit-azure"],
      [{ azure: { ...azure, apps: without(azure.apps, "33334444-") } }, "demo-jit-azure"],
    ];
    for (const [changes, name] of worlds) expect(readSample(changes).clouds).not.toHaveProperty(name);
  });

  it("is none without the demo role", () => {
    expect(sampleProfile({ ...defaultWorld(), roles: {} })).toBeUndefined();
  });
});
