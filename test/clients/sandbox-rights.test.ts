import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BIN, NODE, type Outcome, outcomeOf } from "../e2e/agentctl.js";
import { CLIENT_PATH, skipWithout } from "./tools.js";

let home: string;
beforeAll(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-sample-rights-"));
});
afterAll(() => fs.rmSync(home, { recursive: true, force: true }));

/** What a newcomer types, with nothing of their own: the sandbox's sample profile. */
function tryOut(profile: string, ...command: readonly string[]): Promise<Outcome> {
  const env = { PATH: CLIENT_PATH, HOME: home, TMPDIR: home, AGENTCTL_STATE_DIR: path.join(home, "state") };
  const args = [BIN, "sandbox", "--quiet", "--", NODE, BIN, "run", "-p", profile, "--", ...command];
  return outcomeOf(spawn(NODE, args, { cwd: home, env, stdio: ["ignore", "pipe", "pipe"] }));
}

describe("the sandbox's sample profiles", () => {
  test("demo-jit gives gcloud a role for the lease, and takes it back", async ({ skip }) => {
    skipWithout(skip, { tool: "gcloud" });
    const { code, stdout, stderr } = await tryOut("demo-jit", "gcloud", "storage", "cat", "gs://demo/hello.txt");
    expect(stdout, stderr).toBe("Hello from the agentctl sandbox.\n");
    expect(code).toBe(0);
    expect(stderr).toMatch(/gcp: the lease has its roles/);
    expect(stderr).toMatch(/gcp: revoked since /);
  });

  test("demo-jit-azure gives curl a role for the lease, which ends by itself", async ({ skip }) => {
    skipWithout(skip, { tool: "curl" });
    const script =
      'curl -s --cacert "$NODE_EXTRA_CA_CERTS" -H "Authorization: Bearer $(curl -s -H "X-IDENTITY-HEADER: $IDENTITY_HEADER" "$IDENTITY_ENDPOINT?api-version=2019-08-01&resource=https://management.azure.com/" | sed "s/.*\\"access_token\\": *\\"\\([^\\"]*\\).*/\\1/")" "$AGENTCTL_SANDBOX_ARM_URL/subscriptions/$AZURE_SUBSCRIPTION_ID/resourcegroups?api-version=2021-04-01"';
    const { code, stdout, stderr } = await tryOut("demo-jit-azure", "sh", "-c", script);
    expect(stdout, stderr).toContain('"name":"demo"');
    expect(code).toBe(0);
    expect(stderr).toMatch(/azure: expires at /);
    expect(fs.readdirSync(path.join(home, "state", "leases")).filter((name) => name.endsWith(".json"))).toEqual([]);
  });
});
