import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unquoteWord } from "../../src/cli/complete-words.js";
import { COMPLETION_SCRIPTS } from "../../src/cli/completion-scripts.js";
import { SHELLS } from "../../src/cli/completion-shells.js";
import { runCli } from "../../src/cli/index.js";
import { currentOwner } from "../../src/core/process-owner.js";
import { type FakeRuntime, fakeRuntime } from "../fake-runtime.js";

const AWS = '{ role_arn: "arn:aws:iam::111122223333:role/r", region: us-east-1 }';

let root: string;
const write = (name: string, text: string): string => {
  const file = path.join(root, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text, { mode: 0o600 });
  return file;
};

beforeAll(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-complete-")));
  write(
    "agentctl.yaml",
    `version: 1
profiles:
  base: { ttl: 5m }
  demo: { extends: base, description: "$(touch PWNED) %F{red}: \\"x\\"", aws: ${AWS} }
  deploy-web: { description: "${"long ".repeat(30)}", aws: ${AWS} }
`,
  );
  write("home/mine.yaml", `version: 1\nprofiles:\n  homely: { aws: ${AWS} }\n`);
  write("hostile.yaml", `version: 1\nprofiles:\n  fine: { aws: ${AWS} }\n  "$(touch PWNED)": { aws: ${AWS} }\n`);
  const login = { issuer: "https://login.example.com", clientId: "c", scopes: [], store: "file", subject: "ada" };
  write("state/logins/work.json", JSON.stringify({ ...login, loggedInAt: 1 }));
  writeLease("l-0123456789ABCDEF", "\u001b[31mred\u202e,\twith a tab\nand a line");
  write("state/leases/$(touch PWNED).json", "{}");
  write("state/leases/l-1\n;reboot.json", "{}");
});
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

/** A lease with whatever its profile is said to be. */
function writeLease(id: string, profile: string): void {
  const owner = currentOwner(fakeRuntime());
  const times = { openedAt: 0, deadlineAt: 1 };
  const identity = { source: "env", issuer: "https://issuer.example", subject: "ada" };
  const rest = { actor: "human", identity, command: "true", graceSeconds: 30, privateDir: root, grants: [] };
  write(
    `state/leases/${id}.json`,
    JSON.stringify({ version: 2, id, profile, state: "running", owner, ...times, ...rest }),
  );
}

function makeRuntime(): FakeRuntime {
  const env = {
    HOME: path.join(root, "home"),
    AGENTCTL_STATE_DIR: path.join(root, "state"),
    "BASH_FUNC_x%%": "() { :; }",
    NPM_TOKEN: "npm_canary",
  };
  return fakeRuntime({ env, cwd: root });
}

/** What a shell is told: the directive, and the words below it. */
async function complete(current: string, words: readonly string[], shell = "zsh") {
  const runtime = makeRuntime();
  const exitCode = await runCli(["__complete", `--current=${current}`, "--", shell, ...words], runtime);
  const [directive = "", ...lines] = runtime.stdout.text().split("\n").slice(0, -1);
  const candidates = lines.map((line) => line.split("\t"));
  return { exitCode, stderr: runtime.stderr.text(), directive, candidates, values: candidates.map(([value]) => value) };
}

describe("the words that are offered", () => {
  const SOURCES = ["auto", "env", "token-file", "github-actions", "gitlab", "kubernetes"];
  const rows: readonly { name: string; words: readonly string[]; current?: string; includes: readonly string[] }[] = [
    { name: "commands", words: [], includes: ["run", "lease", "completion", "help"] },
    { name: "subcommands", words: ["audit"], includes: ["log", "verify", "export"] },
    { name: "long options", words: ["run"], current: "-", includes: ["--profile", "--dry-run", "--help"] },
    { name: "short options, once begun", words: ["run"], current: "-p", includes: ["-p", "-h"] },
    { name: "options after others", words: ["run", "-p", "demo", "--quiet"], current: "--", includes: ["--ttl"] },
    { name: "choices", words: ["audit", "export", "--format"], includes: ["jsonl", "csv"] },
    { name: "choices after =", words: ["audit", "export"], current: "--format=", includes: ["--format=csv"] },
    { name: "choices of an argument", words: ["completion"], includes: ["bash", "zsh", "fish", "powershell"] },
    { name: "profiles", words: ["run", "-p"], includes: ["demo", "deploy-web"] },
    { name: "profiles, in a cluster of options", words: ["audit", "log", "-fp"], includes: ["demo"] },
    { name: "profiles after =", words: ["run"], current: "--profile=d", includes: ["--profile=demo"] },
    { name: "profiles as an argument", words: ["profile", "show"], includes: ["demo"] },
    { name: "profiles of --config", words: ["run", "--config", "~/mine.yaml", "-p"], includes: ["homely"] },
    { name: "profiles of --config=", words: ["run", "--config=home/mine.yaml", "-p"], includes: ["homely"] },
    { name: "leases", words: ["audit", "log", "--lease"], includes: ["l-0123456789ABCDEF"] },
    { name: "a lease to show", words: ["lease", "show"], includes: ["l-0123456789ABCDEF"] },
    { name: "leases to revoke", words: ["lease", "revoke", "l-1"], includes: ["l-0123456789ABCDEF"] },
    { name: "states of leases", words: ["lease", "list", "--state"], includes: ["running", "orphaned", "unreadable"] },
    { name: "profiles to sweep", words: ["lease", "sweep", "-p"], includes: ["demo"] },
    { name: "sources", words: ["run", "--identity"], includes: SOURCES },
    { name: "logins as sources", words: ["run", "--identity"], current: "login:", includes: ["login:work"] },
    { name: "logins to renew", words: ["login"], includes: ["work"] },
    { name: "logins to end", words: ["logout"], includes: ["work"] },
    { name: "kinds of actor", words: ["run", "--actor"], includes: ["human", "automation", "agent"] },
    { name: "variables, without their values", words: ["run", "--pass-env"], includes: ["NPM_TOKEN"] },
    { name: "commands and topics for help", words: ["help"], includes: ["run", "exit-codes", "identity"] },
    { name: "subcommands for help", words: ["help", "audit"], includes: ["log", "verify"] },
    { name: "within the sandbox", words: ["sandbox", "--", "agentctl", "run", "-p"], includes: ["demo"] },
  ];
  it.each(rows)("$name", async ({ words, current = "", includes }) => {
    const { exitCode, stderr, directive, values } = await complete(current, words);
    expect({ exitCode, stderr, directive }).toEqual({ exitCode: 0, stderr: "", directive: "words" });
    expect(values).toEqual(expect.arrayContaining([...includes]));
  });

  const none: readonly { name: string; words: readonly string[]; current?: string }[] = [
    { name: "after an unknown command", words: ["nosuch"] },
    { name: "for a free text", words: ["run", "--intent"] },
    { name: "after the only argument", words: ["profile", "show", "demo"] },
    { name: "for the value of a flag", words: ["run"], current: "--quiet=" },
    { name: "for an unknown option's value", words: ["run"], current: "--nosuch=" },
    { name: "after a topic", words: ["help", "config"] },
    { name: "after help and a command without subcommands", words: ["help", "run"] },
    { name: "for a profile, when there is no such file", words: ["run", "--config", "nowhere.yaml", "-p"] },
    { name: "for a profile, when the file is not valid", words: ["run", "--config", "hostile.yaml", "-p"] },
    { name: "for an option after --", words: ["profile", "show", "--"], current: "--j" },
  ];
  it.each(none)("none $name", async ({ words, current = "" }) => {
    const { exitCode, stderr, values } = await complete(current, words);
    expect({
      exitCode,
      stderr,
      values: values.filter((value) => value?.startsWith("--j") || current !== "--j"),
    }).toEqual({
      exitCode: 0,
      stderr: "",
      values: [],
    });
  });

  it("no hidden command, and no profile that is only there to be extended", async () => {
    expect((await complete("", [])).values).not.toContain("__complete");
    expect((await complete("", ["run", "-p"])).values).not.toContain("base");
  });
});

describe("what the shell completes by itself", () => {
  it.each([
    { name: "a file for an option", words: ["run", "--receipt"], current: "", want: "files" },
    { name: "a file after =", words: ["run"], current: "--config=x", want: "files" },
    { name: "the command itself", words: ["run", "-p", "demo"], current: "", want: "command 3" },
    { name: "the command itself after --", words: ["run", "-p", "demo", "--"], current: "l", want: "command 4" },
    { name: "an option of the command", words: ["run", "-p", "demo", "--", "ls"], current: "-", want: "command 4" },
    { name: "a command that was not set off by --", words: ["run", "-pdemo", "ls"], current: "-", want: "command 2" },
    { name: "after an option's value", words: ["run", "--intent", "--", "ls"], current: "", want: "command 3" },
    {
      name: "a command within a command",
      words: ["sandbox", "--quiet", "--", "agentctl", "run", "-p", "demo", "--", "aws"],
      current: "s",
      want: "command 8",
    },
  ])("$name", async ({ words, current, want }) => {
    expect((await complete(current, words)).directive).toBe(want);
  });
});

describe("what somebody else has written", () => {
  it("gives no word that a shell could take for more than a word", async () => {
    for (const words of [
      ["audit", "log", "--lease"],
      ["run", "-p"],
      ["run", "--pass-env"],
    ]) {
      for (const value of (await complete("", words)).values) expect(value).toMatch(/^[\w.-]+$/);
    }
    expect((await complete("", ["audit", "log", "--lease"])).values).toEqual(["l-0123456789ABCDEF"]);
  });

  it("has descriptions of one short line that steer no terminal", async () => {
    const { candidates } = await complete("", ["run", "-p"]);
    expect(candidates).toEqual([
      ["demo", '$(touch PWNED) %F{red}: "x"'],
      ["deploy-web", `${"long ".repeat(14)}l…`],
    ]);
    const [[, lease] = []] = (await complete("", ["audit", "log", "--lease"])).candidates;
    expect(lease).toBe("\\u001b[31mred\\u202e, with a tab and a line, running");
  });
});

describe("words as bash has them", () => {
  it.each([
    { name: "plain", typed: "run", want: "run" },
    { name: "a backslash", typed: "some\\ dir/a\\$b", want: "some dir/a$b" },
    { name: "single quotes", typed: "--config='some dir/$x'", want: "--config=some dir/$x" },
    { name: "double quotes", typed: '"a \\"b\\" \\$c \\n"', want: 'a "b" $c \\n' },
    { name: "an open single quote", typed: "'some di", want: "some di" },
    { name: "an open double quote", typed: '"some \\"di', want: 'some "di' },
    { name: "a last backslash", typed: "some\\", want: "some" },
    { name: "nothing is expanded", typed: "$(touch x)`y`~", want: "$(touch x)`y`~" },
    { name: "empty quotes", typed: "''\"\"", want: "" },
  ])("$name", ({ typed, want }) => {
    expect(unquoteWord(typed)).toBe(want);
  });

  it("are unquoted for bash alone: other shells have done it", async () => {
    const words = ["run", "--config", "'home/mine.yaml'", "-p"];
    expect((await complete("", words, "bash")).values).toEqual(["homely"]);
    expect((await complete("", words, "fish")).values).toEqual([]);
  });
});

/** Runs lines of a shell in a fresh home, with an agentctl that prints its arguments; answers the file that they make there. */
function putInPlace(lines: string, file: string): string {
  const home = fs.mkdtempSync(path.join(root, "fresh-"));
  const script = `agentctl() { echo "$@"; }\n${lines}`;
  execFileSync("/bin/sh", ["-euc", script], { env: { HOME: home, PATH: "/usr/bin:/bin" }, stdio: "pipe" });
  return fs.readFileSync(path.join(home, file), "utf8");
}

describe("agentctl completion", () => {
  it.each(SHELLS)("%s prints the script", async (shell) => {
    const runtime = makeRuntime();
    expect(await runCli(["completion", shell], runtime)).toBe(0);
    expect(runtime.stdout.text()).toBe(COMPLETION_SCRIPTS[shell]);
  });

  it.each([
    { shell: "bash", file: ".local/share/bash-completion/completions/agentctl" },
    { shell: "zsh", file: ".zfunc/_agentctl" },
    { shell: "fish", file: ".config/fish/completions/agentctl.fish" },
  ])("its help puts the script of $shell in place in a home with nothing in it", async ({ shell, file }) => {
    const runtime = makeRuntime();
    await runCli(["completion", "--help"], runtime);
    const paragraphs = runtime.stdout.text().split("\n\n");
    const [, ...lines] = paragraphs.find((text) => text.includes(`agentctl completion ${shell} `))?.split("\n") ?? [];
    expect(putInPlace(lines.join("\n"), file)).toBe(`completion ${shell}\n`);
  });

  it("the README puts the script of bash in place likewise", () => {
    const lines = fs.readFileSync(path.resolve(import.meta.dirname, "../../README.md"), "utf8").split("\n");
    const at = lines.findIndex((line) => line.startsWith("    agentctl completion bash >"));
    const file = ".local/share/bash-completion/completions/agentctl";
    expect(putInPlace(lines.slice(at - 1, at + 1).join("\n"), file)).toBe("completion bash\n");
  });

  it.each([{ argv: ["completion"] }, { argv: ["completion", "tcsh"] }])("$argv is wrong usage", async ({ argv }) => {
    const runtime = makeRuntime();
    expect(await runCli(argv, runtime)).toBe(64);
    expect(runtime.stderr.text()).toMatch(/^agentctl: error\[USAGE\]: /);
  });

  it("another shell is refused in plain words", async () => {
    const runtime = makeRuntime();
    await runCli(["completion", "tcsh"], runtime);
    expect(runtime.stderr.text()).toMatch(
      /^agentctl: error\[USAGE\]: shell 'tcsh' is not known; it is one of bash, zsh, fish, powershell\n/,
    );
  });

  it("so is an option's value that is no choice", async () => {
    const runtime = makeRuntime();
    await runCli(["run", "--deliver", "post", "--", "true"], runtime);
    expect(runtime.stderr.text()).toMatch(
      /: option '--deliver <mode>' takes one of auto, env, endpoint, and not 'post'\n/,
    );
  });

  it.each(SHELLS)("%s's script asks the agentctl of the PATH, whatever stands on the line", (shell) => {
    const asked = COMPLETION_SCRIPTS[shell].match(/^.*__complete .*--current.*$/gm) ?? [];
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatch(/\bcommand agentctl __complete |& \$executable __complete /);
    expect(COMPLETION_SCRIPTS[shell]).not.toMatch(/\beval\b|Invoke-Expression/);
  });
});
