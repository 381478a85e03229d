import { describe, expect, test } from "vitest";
import { registerCredential } from "../../src/cli/credential.js";
import { insideLease } from "../credential/lease-environment.js";
import type { FakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";
import { runCommand } from "./run-command.js";

const run = (runtime: FakeRuntime, ...argv: readonly string[]) =>
  runCommand(registerCredential, ["credential", ...argv], runtime);

const VARIABLES = {
  AWS_ACCESS_KEY_ID: "ASIA1",
  AWS_SECRET_ACCESS_KEY: "secret",
  AWS_SESSION_TOKEN: "session",
  AZURE_ACCESS_TOKEN: "azure-token",
  CLOUDSDK_AUTH_ACCESS_TOKEN: "google-token",
};

describe("agentctl credential, inside a lease", () => {
  test.each([
    { argv: ["aws"], want: { Version: 1, AccessKeyId: "ASIA1", SessionToken: "session" } },
    { argv: ["aws", "-p", "deploy"], want: { AccessKeyId: "ASIA1" } },
    { argv: ["azure"], want: { accessToken: "azure-token", tokenType: "Bearer" } },
    { argv: ["gcp", "--format", "token"], want: { access_token: "google-token" } },
  ])("$argv prints the lease's own, and nothing else", async ({ argv, want }) => {
    const { runtime, asked } = insideLease(VARIABLES);
    const { stdout, stderr } = await run(runtime, ...argv);
    expect(JSON.parse(stdout)).toMatchObject(want);
    expect(stdout.split("\n")).toHaveLength(2);
    expect(stderr).toBe("");
    expect(asked).toEqual([]);
  });

  test.each([["aws"], ["azure"], ["gcp", "--format", "token"]])("%s prints nothing when it fails", async (...argv) => {
    const { runtime } = insideLease({ AZURE_ACCESS_TOKEN: "", AGENTCTL_CONFIG: "/nowhere.yaml" });
    await thrownBy(() => run(runtime, ...argv));
    expect(runtime.stdout.text()).toBe("");
  });
});

describe("agentctl credential gcp, as Google's libraries run it", () => {
  const FAILURE = { version: 1, success: false, code: "CONFIG_INVALID", message: expect.any(String) };

  test("answers a failure in the protocol's words, on stdout and with no exit code of its own", async () => {
    const { runtime } = insideLease({ ...VARIABLES, GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: "//iam.googleapis.com/x" });
    const { stdout, stderr } = await run(runtime, "gcp");
    expect(JSON.parse(stdout)).toEqual(FAILURE);
    expect(stderr).toBe("");
  });

  test("fails as every command does besides, when nobody of Google's asks", async () => {
    const { runtime } = insideLease(VARIABLES);
    expect(await thrownBy(() => run(runtime, "gcp"))).toMatchObject({ code: "CONFIG_INVALID" });
    expect(JSON.parse(runtime.stdout.text())).toEqual(FAILURE);
  });
});
