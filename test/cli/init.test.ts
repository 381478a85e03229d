import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { registerInit } from "../../src/cli/init.js";
import { makeScratch, ROLE, runtimeIn, type Scratch } from "../init/scratch.js";
import { runCommand } from "./run-command.js";

let scratch: Scratch;
beforeEach(() => {
  scratch = makeScratch();
});
afterEach(() => scratch.remove());

describe("agentctl init", () => {
  test("says on stderr what was written, what was not, and what comes next, in the order that works", async () => {
    const runtime = runtimeIn(scratch.dir, { env: { AGENTCTL_CONFIG: "/nowhere/other.yaml" } });
    const { stdout, stderr } = await runCommand(registerInit, ["init", "--cloud", "aws", "--role-arn", ROLE], runtime);
    expect(stdout).toBe("");
    expect(stderr.split("\n")).toEqual([
      "agentctl: wrote agentctl.yaml",
      expect.stringMatching(/^agentctl: note: no CI job is written: this is not a git repository, .*--ci github/),
      expect.stringMatching(
        /^agentctl: note: nothing was asked about aws\.revoker: .*"How a grant ends" in the README$/,
      ),
      "agentctl: next: unset AGENTCTL_CONFIG, which names /nowhere/other.yaml",
      "agentctl: next: agentctl setup aws -p deploy",
      "agentctl: next: agentctl doctor -p deploy",
      "",
    ]);
  });
});
