import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type IPty, spawn } from "@lydell/node-pty";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BIN, eventually, NODE, openStage } from "./agentctl.js";

const ROLE = "arn:aws:iam::111122223333:role/agentctl-deploy";
const [ENTER, SPACE, CTRL_C, CTRL_U] = ["\r", " ", "\x03", "\x15"];

let dir: string;
let terminals: IPty[];
beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-init-")));
  terminals = [];
  fs.mkdirSync(path.join(dir, "site/.git"), { recursive: true });
  fs.writeFileSync(path.join(dir, "site/.git/config"), '[remote "origin"]\n\turl = git@github.com:acme/site.git\n');
  fs.mkdirSync(path.join(dir, "home/.aws"), { recursive: true });
  fs.writeFileSync(
    path.join(dir, "home/.aws/config"),
    "[default]\nregion = eu-west-1\nsso_account_id = 111122223333\n",
  );
});
afterEach(() => {
  for (const terminal of terminals) terminal.kill("SIGKILL");
  fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
});

/** `agentctl init` on a terminal of its own. */
function startInit(...args: readonly string[]) {
  const terminal = spawn(NODE, [BIN, "init", ...args], {
    cwd: path.join(dir, "site"),
    cols: 200,
    env: { PATH: process.env["PATH"] ?? "", HOME: path.join(dir, "home"), TERM: "xterm-256color" },
  });
  terminals.push(terminal);
  let screen = "";
  terminal.onData((data) => {
    screen += data;
  });
  const exited = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
  return {
    exited,
    screen: () => plain(screen),
    /** Waits for a question that was not there before, and answers it. */
    answer: async (question: string, keys: string) => {
      await eventually(() => plain(screen).includes(question));
      screen = "";
      terminal.write(keys);
    },
  };
}

/** Without colours and the movements of the cursor (ECMA-48). */
function plain(text: string): string {
  const introducer = `${String.fromCharCode(27)}\\[`;
  return text.replace(new RegExp(`${introducer}[0-9;?]*[A-Za-z]`, "g"), "");
}

const written = () =>
  fs
    .readdirSync(path.join(dir, "site"), { recursive: true, encoding: "utf8" })
    .filter(
      (name) => !name.startsWith(".git/") && name !== ".git" && fs.statSync(path.join(dir, "site", name)).isFile(),
    )
    .sort();
const read = (name: string) => fs.readFileSync(path.join(dir, "site", name), "utf8");

describe("init on a terminal", () => {
  test("Enter takes what was found", async () => {
    const init = startInit();
    await init.answer("Which clouds does the task use?", ENTER);
    await init.answer("The profile's name", ENTER);
    await init.answer("AWS: the role to assume", ENTER);
    await init.answer("AWS: the region", ENTER);
    await init.answer("A CI job for", ENTER);
    await init.answer("Write agentctl.yaml and .github/workflows/agentctl.yml?", ENTER);
    expect(await init.exited).toBe(0);
    expect(init.screen()).toContain("agentctl: next: agentctl doctor -p deploy");
    expect(written()).toEqual([".github/workflows/agentctl.yml", "agentctl.yaml"]);
    expect(read("agentctl.yaml")).toContain(`role_arn: ${ROLE}\n      region: eu-west-1\n`);
  });

  test("what is typed goes before, and what will not do is said at once", async () => {
    const init = startInit("--profile", "reports", "--ci", "none");
    await init.answer("Which clouds does the task use?", `${SPACE}\u001b[B\u001b[B${SPACE}${ENTER}`);
    await init.answer("Google Cloud: the workload identity provider", `my-provider${ENTER}`);
    await init.answer(
      "this is not a provider such as",
      `${CTRL_U}projects/123456789/locations/global/workloadIdentityPools/ci-pool/providers/github${ENTER}`,
    );
    await init.answer("Google Cloud: the service account", ENTER);
    await init.answer("Google Cloud: the project", ENTER);
    await init.answer("Write agentctl.yaml?", ENTER);
    expect(await init.exited).toBe(0);
    expect(written()).toEqual(["agentctl.yaml"]);
    expect(read("agentctl.yaml")).toMatch(/^ {2}reports:$/m);
    expect(read("agentctl.yaml")).not.toMatch(/^ {4}aws:|^ *service_account:/m);
  });

  test.each([
    { name: "Ctrl-C at the first question", answers: [["Which clouds", CTRL_C]] },
    {
      name: "Ctrl-C at the last",
      answers: [
        ["Which clouds", ENTER],
        ["The profile's name", ENTER],
        ["the role to assume", ENTER],
        ["the region", ENTER],
        ["A CI job for", ENTER],
        ["Write agentctl.yaml", CTRL_C],
      ],
    },
    {
      name: "no",
      answers: [
        ["Which clouds", ENTER],
        ["The profile's name", ENTER],
        ["the role to assume", ENTER],
        ["the region", ENTER],
        ["A CI job for", ENTER],
        ["Write agentctl.yaml", `n${ENTER}`],
      ],
    },
  ] as const)("$name leaves nothing", async ({ answers }) => {
    const init = startInit();
    for (const [question, keys] of answers) await init.answer(question, keys);
    expect(await init.exited).toBe(130);
    expect(init.screen()).toContain("nothing was written");
    expect(written()).toEqual([]);
  });

  test("where a file exists nothing is asked", async () => {
    fs.writeFileSync(path.join(dir, "site/agentctl.yaml"), "mine");
    const init = startInit();
    expect(await init.exited).toBe(74);
    expect(init.screen()).toMatch(
      /error\[OUTPUT_UNWRITABLE\]: .*agentctl\.yaml is there already\s+agentctl: hint: --force/,
    );
    expect(read("agentctl.yaml")).toBe("mine");
  });

  test("--yes asks nothing", async () => {
    const init = startInit("--yes", "--ci", "gitlab");
    expect(await init.exited).toBe(0);
    expect(written()).toEqual([".gitlab/agentctl.gitlab-ci.yml", "agentctl.yaml"]);
  });
});

describe("init without a terminal", () => {
  test("in the sandbox: from nothing to a profile that works", async () => {
    const stage = await openStage();
    try {
      const cwd = path.join(stage.dir, "fresh");
      fs.mkdirSync(cwd);
      const env = { AGENTCTL_CONFIG: undefined };
      const flags = [
        "--cloud",
        "aws",
        "--role-arn",
        "arn:aws:iam::111122223333:role/agentctl-demo",
        "--region",
        "us-east-1",
      ];
      expect(await stage.run(["init", ...flags], { cwd, env })).toMatchObject({
        code: 0,
        stdout: "",
        stderr: [
          "agentctl: wrote agentctl.yaml",
          "agentctl: note: no CI job is written: this is not a git repository, and no --ci github or --ci gitlab was given",
          `agentctl: note: nothing was asked about aws.revoker: what takes a task's rights back at its end. See agentctl help config, and "How a grant ends" in the README`,
          "agentctl: next: agentctl setup aws -p deploy",
          "agentctl: next: agentctl doctor -p deploy",
          "",
        ].join("\n"),
      });
      expect(await stage.run(["profile", "lint"], { cwd, env })).toMatchObject({ code: 0, stderr: "" });
      expect(await stage.run(["doctor", "-p", "deploy"], { cwd, env })).toMatchObject({ code: 0, stderr: "" });
      expect(await stage.run(["run", "-p", "deploy", "--quiet", "--", "true"], { cwd, env })).toMatchObject({
        code: 0,
      });
    } finally {
      await stage.close();
    }
  });

  test("a place that cannot be written", async () => {
    const stage = await openStage();
    try {
      const flags = ["--cloud", "aws", "--role-arn", ROLE, "--config", "/proc/agentctl.yaml"];
      const outcome = await stage.run(["init", ...flags]);
      expect(outcome).toMatchObject({ code: 74, stdout: "" });
      expect(outcome.stderr).toMatch(/^agentctl: error\[OUTPUT_UNWRITABLE\]: cannot write \/proc\/agentctl\.yaml: /);
    } finally {
      await stage.close();
    }
  });
});
