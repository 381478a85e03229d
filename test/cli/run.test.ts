import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/index.js";
import { fakeRuntime } from "../fake-runtime.js";

let dir: string;
beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-run-")));
  const aws = '{ role_arn: "arn:aws:iam::111122223333:role/r", region: us-east-1 }';
  fs.writeFileSync(path.join(dir, "agentctl.yaml"), `version: 1\nprofiles:\n  demo: { aws: ${aws} }\n`);
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

async function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const base = { HOME: dir, PATH: "/usr/bin:/bin", AGENTCTL_STATE_DIR: path.join(dir, "state") };
  const runtime = fakeRuntime({ cwd: dir, env: { ...base, ...env } });
  await runCli(["run", "-p", "demo", ...argv, "--", "true"], runtime);
  return runtime.stderr.text();
}

describe("a variable that is to be passed", () => {
  it.each([
    { name: "and is not set is told", argv: ["--pass-env", "NOPE"], want: /^agentctl: NOPE is not set, so --pass-env/ },
    { name: "likewise in a dry run", argv: ["--dry-run", "--pass-env", "NOPE"], want: /^agentctl: NOPE is not set/ },
    { name: "and is set is not", argv: ["--pass-env", "HOME"], want: /^agentctl: error\[NO_IDENTITY\]/ },
    {
      name: "is not told of when it is to be quiet",
      argv: ["--quiet", "--pass-env", "NOPE"],
      want: /^agentctl: error/,
    },
  ])("$name", async ({ argv, want }) => {
    expect(await run(argv)).toMatch(want);
  });
});

describe("without an identity", () => {
  const LEASE = {
    AGENTCTL_LEASE_ID: "l-0123456789ABCDEF",
    AGENTCTL_PROFILE: "outer",
    AGENTCTL_EXPIRES_AT: "2100-01-01T00:00:00Z",
  };
  it.each([{ argv: [] }, { argv: ["--dry-run"] }])(
    "in the lease of another profile the hint says so: $argv",
    async ({ argv }) => {
      expect(await run(argv, LEASE)).toMatch(
        /error\[NO_IDENTITY\]: .*\nagentctl: hint: this runs in the lease of profile outer, .* start the tool without agentctl run, as outer, or/,
      );
    },
  );

  it("elsewhere it does not", async () => {
    const said = await run([]);
    expect(said).toMatch(/error\[NO_IDENTITY\]/);
    expect(said).not.toContain("lease of profile");
  });
});
