import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listProfiles, loadProfile } from "../../src/config/index.js";
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
  return { profileOf, clouds };
}

describe("the sample profile", () => {
  it.each(["github", "gitlab", "kubernetes"] as const)("is all that the default world holds, on %s", (platform) => {
    const { clouds, profileOf } = readSample({ platform });
    expect(clouds).toEqual({ demo: ["aws", "azure", "gcp"], "demo-readonly": ["aws", "gcp"] });
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

  it("is none without the demo role", () => {
    expect(sampleProfile({ ...defaultWorld(), roles: {} })).toBeUndefined();
  });
});
