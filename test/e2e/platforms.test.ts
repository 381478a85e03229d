import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ServiceName } from "../../src/sandbox/index.js";
import { bundleProgram, eventually, openStage, outcomeOf, type Stage } from "./agentctl.js";
import { askClouds, EACH_CLOUD, HELLO } from "./ask-clouds.js";
import { AWS, AZURE, configOf, GCP } from "./three-clouds.js";

describe.each(["gitlab", "kubernetes"] as const)("the identity of %s", (platform) => {
  let there: Stage;
  let program: string;
  beforeAll(async () => {
    there = await openStage({ platform });
    program = await bundleProgram("clouds.mjs", there.dir);
    const provider = String(GCP["workload_identity_provider"]).replace(/github$/, platform);
    const gcp = { ...GCP, workload_identity_provider: provider };
    there.writeConfig(configOf({ all: { ttl: "10m", deliver: "env", aws: AWS, azure: AZURE, gcp } }));
  });
  afterAll(() => there.close());

  test("is found, and does for all three clouds", async () => {
    const { answers, receipt } = await askClouds(there, program, "all", ...EACH_CLOUD);
    expect(answers).toMatchObject({ "s3:demo/hello.txt": HELLO, "blob:demo/hello.txt": HELLO });
    expect(answers).toMatchObject({ "gcs:demo/hello.txt": HELLO, arm: expect.stringMatching(/^200 /) });
    const subject = { gitlab: /^project_path:acme\/site:/, kubernetes: /^system:serviceaccount:acme:deploy$/ }[
      platform
    ];
    expect(receipt.identity).toMatchObject({ source: platform, subject: expect.stringMatching(subject) });
  });

  test("is not the child's to use", async () => {
    const names = Object.keys(there.sandbox.env).filter((name) => /OIDC_TOKEN|_TOKEN_FILE$/.test(name));
    expect(names.length).toBeGreaterThanOrEqual(2);
    const outcome = await there.run(["run", "-p", "all", "--quiet", "--", "env"]);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    for (const name of names) {
      expect(outcome.stdout).not.toMatch(new RegExp(`^${name}=`, "m"));
      expect(outcome.stdout).not.toContain(there.sandbox.env[name]);
    }
  });

  if (platform !== "kubernetes") return;

  test("is read anew for each try: the kubelet may have renewed it", async () => {
    const services: readonly ServiceName[] = ["sts", "entra", "gcp-sts"];
    await writeStrangersTokens(there);
    const before = there.sandbox.requests().length;
    for (const service of services) {
      // Microsoft Entra is asked for a token for each of two scopes.
      const times = service === "entra" ? 2 : 1;
      there.sandbox.faults.add({ service, kind: "throttle", retryAfterSeconds: 2, times });
    }
    const child = there.start(["run", "-p", "all", "--quiet", "--", "true"]);
    child.stdin?.end();
    const ended = outcomeOf(child);
    await eventually(() => {
      const asked = there.sandbox.requests().slice(before);
      return child.exitCode !== null || services.every((service) => asked.some((one) => one.service === service));
    });
    await there.sandbox.rotateTokens();
    expect(await ended).toMatchObject({ code: 0, stderr: "" });
  });
});

/** In the place of each projected token one that no cloud trusts. */
async function writeStrangersTokens(there: Stage): Promise<void> {
  const file = there.sandbox.env["AWS_WEB_IDENTITY_TOKEN_FILE"] ?? "";
  const dir = path.dirname(path.dirname(file));
  const audiences = {
    aws: "sts.amazonaws.com",
    azure: "api://AzureADTokenExchange",
    gcp: `https://iam.googleapis.com/${String(GCP["workload_identity_provider"]).replace(/github$/, "kubernetes")}`,
  };
  for (const [cloud, audience] of Object.entries(audiences)) {
    const claims = { sub: "system:serviceaccount:acme:stranger" };
    const token = await there.sandbox.mintToken({ audience: [audience], claims });
    fs.writeFileSync(path.join(dir, cloud, "token"), token);
  }
}
