import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Sandbox } from "../../src/sandbox/index.js";
import { account, BUCKET, member, PROJECT, tokenFor } from "../sandbox/google-clients.js";
import { startSandbox } from "../start-sandbox.js";
import { runBare, skipWithout } from "./tools.js";

const NEED = { tool: "gcloud" };
const ENTITLEMENT = ["--entitlement", "demo-entitlement", "--location", "global", "--project", "agentctl-demo"];
const WANTED = ["--requested-duration", "1800s", "--justification", "to test it"];
/** In the beta alone, and hidden. */
const WITHDRAW = ["beta", "pam", "grants", "withdraw"];

let sandbox: Sandbox;
let config: string;
beforeAll(async () => {
  sandbox = await startSandbox();
  config = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-gcloud-"));
});
afterAll(async () => {
  await sandbox.close();
  fs.rmSync(config, { recursive: true });
});

async function gcloud(who: string, ...args: readonly string[]) {
  const env = {
    ...sandbox.env,
    CLOUDSDK_CONFIG: config,
    CLOUDSDK_AUTH_ACCESS_TOKEN: await tokenFor(sandbox, who),
    CLOUDSDK_CORE_DISABLE_PROMPTS: "1",
    CLOUDSDK_CORE_PROJECT: "agentctl-demo",
    HOME: config,
  };
  return runBare(["gcloud", ...args, "--format", "json"], env);
}

async function asGranter(...args: readonly string[]): Promise<unknown> {
  const outcome = await gcloud("agentctl-granter", ...args);
  expect(outcome.code, outcome.stderr).toBe(0);
  return JSON.parse(outcome.stdout);
}

describe("gcloud on the sandbox's policies", () => {
  test.for([
    { name: "a project", on: ["projects"], of: "agentctl-demo", holder: PROJECT, role: "roles/browser" },
    {
      name: "a service account",
      on: ["iam", "service-accounts"],
      of: account("demo"),
      holder: `projects/-/serviceAccounts/${account("demo")}`,
      role: "roles/iam.serviceAccountTokenCreator",
    },
    {
      name: "a bucket",
      on: ["storage", "buckets"],
      of: "gs://demo",
      holder: BUCKET,
      role: "roles/storage.objectViewer",
    },
  ])("sees the policy of $name, adds a condition and takes it away", async ({ on, of, holder, role }, { skip }) => {
    skipWithout(skip, NEED);
    const before = sandbox.gcp.policyOf(holder);
    expect(await asGranter(...on, "get-iam-policy", of)).toMatchObject({ ...before, version: 1 });
    const expression = 'request.time < timestamp("2030-01-01T00:00:00Z")';
    const change = [of, "--member", member("jit"), "--role", role];
    const condition = ["--condition", `title=until 2030,expression=${expression}`];
    await asGranter(...on, "add-iam-policy-binding", ...change, ...condition);
    const added = { role, members: [member("jit")], condition: { title: "until 2030", expression } };
    expect(sandbox.gcp.policyOf(holder).bindings).toContainEqual(added);
    expect(await asGranter(...on, "get-iam-policy", of)).toMatchObject({
      version: 3,
      bindings: expect.arrayContaining([added]),
    });
    await asGranter(...on, "remove-iam-policy-binding", ...change, ...condition);
    expect(sandbox.gcp.policyOf(holder).bindings).toEqual(before.bindings);
  });

  test("is refused what the caller may not", async ({ skip }) => {
    skipWithout(skip, NEED);
    const { code, stderr } = await gcloud("jit", "projects", "get-iam-policy", "agentctl-demo");
    expect(code).not.toBe(0);
    expect(stderr).toContain("resourcemanager.projects.getIamPolicy");
  });

  test("requests, sees and revokes a grant of Privileged Access Manager", async ({ skip }) => {
    skipWithout(skip, NEED);
    const created = await gcloud("jit", "pam", "grants", "create", ...ENTITLEMENT, ...WANTED);
    expect(created.code, created.stderr).toBe(0);
    const { name } = JSON.parse(created.stdout) as { name: string };
    expect(await asGranter("pam", "grants", "describe", name)).toMatchObject({ name, state: "ACTIVE" });
    expect(await asGranter("pam", "grants", "revoke", name, "--reason", "done")).toMatchObject({ state: "REVOKED" });
    expect(sandbox.gcp.grants()).toContainEqual(expect.objectContaining({ name, state: "REVOKED" }));
  });

  test("withdraws a grant as whoever asked for it, and not as another", async ({ skip }) => {
    skipWithout(skip, NEED);
    const help = await gcloud("jit", ...WITHDRAW, "--help");
    if (help.code !== 0) {
      console.info("skipped: this gcloud has no beta pam grants withdraw");
      skip("this gcloud has no beta pam grants withdraw");
    }
    const created = await gcloud("jit", "pam", "grants", "create", ...ENTITLEMENT, ...WANTED);
    expect(created.code, created.stderr).toBe(0);
    const { name } = JSON.parse(created.stdout) as { name: string };
    const refused = await gcloud("agentctl-granter", ...WITHDRAW, name);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("PERMISSION_DENIED");
    const withdrawn = await gcloud("jit", ...WITHDRAW, name);
    expect(withdrawn.code, withdrawn.stderr).toBe(0);
    expect(JSON.parse(withdrawn.stdout)).toMatchObject({ metadata: { target: name, apiVersion: "v1beta" } });
    const described = await gcloud("jit", "beta", "pam", "grants", "describe", name);
    expect(JSON.parse(described.stdout)).toMatchObject({
      state: "WITHDRAWN",
      timeline: { events: expect.arrayContaining([expect.objectContaining({ withdrawn: {} })]) },
    });
  });
});
