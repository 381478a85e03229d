import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registerSetup } from "../../src/cli/setup.js";
import { type FakeRuntime, fakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";
import { runCommand } from "./run-command.js";

const CONFIG = `version: 1
profiles:
  deploy-web:
    aws: { role_arn: "arn:aws:iam::111122223333:role/agentctl-deploy", region: eu-central-1 }
`;
const GITHUB = ["--issuer", "https://token.actions.githubusercontent.com"];
const SUBJECT = ["--subject", "repo:acme@600000001/site@700000001:environment:prod"];
const AWS = ["setup", "aws", "-p", "deploy-web"];

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-setup-"));
  fs.writeFileSync(path.join(dir, "agentctl.yaml"), CONFIG);
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

function runtimeHere(): FakeRuntime {
  return fakeRuntime({ cwd: dir, env: { AGENTCTL_CONFIG: path.join(dir, "agentctl.yaml"), HOME: dir } });
}

function run(...argv: readonly string[]) {
  return runCommand(registerSetup, argv, runtimeHere());
}

describe("agentctl setup", () => {
  it("prints the trust on stdout, and what to know on stderr", async () => {
    const { stdout, stderr } = await run(...AWS, ...GITHUB, ...SUBJECT);
    expect(stdout).toMatch(/^# AWS's side of the trust for the profile deploy-web/);
    expect(stdout).toContain('"token.actions.githubusercontent.com:environment"         = "prod"');
    expect(stderr).toMatch(/^agentctl: note: the environment prod guards this trust/);
  });

  it("prints nothing on stderr with --quiet", async () => {
    expect((await run(...AWS, ...GITHUB, ...SUBJECT, "--quiet")).stderr).toBe("");
  });

  it("writes a file that is not there, and another only by force", async () => {
    const out = path.join(dir, "trust.yaml");
    const argv = [...AWS, ...GITHUB, ...SUBJECT, "--format", "cloudformation", "--out", "trust.yaml"];
    expect(await run(...argv)).toMatchObject({
      stdout: "",
      stderr: expect.stringMatching(/^agentctl: wrote trust\.yaml\n/),
    });
    expect(fs.readFileSync(out, "utf8")).toContain("AWSTemplateFormatVersion");
    fs.writeFileSync(out, "mine\n");
    fs.chmodSync(out, 0o600);
    expect((await thrownBy(() => run(...argv))).code).toBe("OUTPUT_UNWRITABLE");
    expect(fs.readFileSync(out, "utf8")).toBe("mine\n");
    expect((await run(...argv, "--force", "--quiet")).stderr).toBe("");
    expect(fs.readFileSync(out, "utf8")).toContain("AWSTemplateFormatVersion");
    expect(fs.statSync(out).mode & 0o777).toBe(0o600);
    expect(fs.readdirSync(dir).filter((name) => name.includes(".tmp"))).toEqual([]);
  });

  it("writes through no link, not even by force", async () => {
    const target = path.join(dir, "target");
    fs.writeFileSync(target, "mine\n");
    fs.symlinkSync(target, path.join(dir, "link"));
    const argv = [...AWS, ...GITHUB, ...SUBJECT, "--out", "link"];
    expect((await thrownBy(() => run(...argv))).code).toBe("OUTPUT_UNWRITABLE");
    expect((await thrownBy(() => run(...argv, "--force"))).code).toBe("OUTPUT_UNWRITABLE");
    expect(fs.readFileSync(target, "utf8")).toBe("mine\n");
  });

  it.each([
    { name: "a subject without an issuer", argv: [...AWS, ...SUBJECT], code: "USAGE" },
    { name: "claims alone", argv: [...AWS, "--claim", "a=b"], code: "USAGE" },
    { name: "a claim without a value", argv: [...AWS, ...GITHUB, ...SUBJECT, "--claim", "a"], code: "USAGE" },
    {
      name: "a claim twice",
      argv: [...AWS, ...GITHUB, ...SUBJECT, "--claim", "a=b", "--claim", "a=c"],
      code: "USAGE",
    },
    { name: "two identities", argv: [...AWS, ...GITHUB, ...SUBJECT, "--identity", "env"], code: "USAGE" },
    { name: "force without a file", argv: [...AWS, ...GITHUB, ...SUBJECT, "--force"], code: "USAGE" },
    { name: "an issuer that is no address", argv: [...AWS, "--issuer", "nonsense", "--subject", "x"], code: "USAGE" },
    {
      name: "claims that contradict the subject",
      argv: [...AWS, ...GITHUB, ...SUBJECT, "--claim", "repository_id=7"],
      code: "USAGE",
    },
    { name: "a profile that is not there", argv: ["setup", "aws", "-p", "no"], code: "PROFILE_UNKNOWN" },
    { name: "a cloud that the profile has not", argv: ["setup", "gcp", "-p", "deploy-web"], code: "CONFIG_INVALID" },
    { name: "a trust that is too wide", argv: [...AWS, ...GITHUB, "--subject", "repo:a/b:*"], code: "TRUST_TOO_WIDE" },
  ])("refuses $name, and prints nothing", async ({ argv, code }) => {
    const runtime = runtimeHere();
    expect((await thrownBy(() => runCommand(registerSetup, argv, runtime))).code).toBe(code);
    expect(runtime.stdout.text()).toBe("");
  });

  it("says how to describe an identity where none is at hand", async () => {
    const error = await thrownBy(() => run(...AWS));
    expect(error.code).toBe("NO_IDENTITY");
    expect(error.hint).toContain("--issuer");
  });
});
