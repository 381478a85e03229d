import fs from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProgram } from "../../src/cli/index.js";
import { fakeRuntime } from "../fake-runtime.js";
import { BIN, DEMO_PROFILE, eventually, NODE, openStage, outcomeOf, type Stage } from "./agentctl.js";

const { version } = JSON.parse(fs.readFileSync(path.resolve(BIN, "../../package.json"), "utf8")) as { version: string };

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(`${DEMO_PROFILE}
  narrow:
    extends: demo
    description: Read the reports
    aws: { session_policy: narrow.json }
`);
  const statement = { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::demo/reports/*" };
  stage.writeFile("narrow.json", JSON.stringify({ Version: "2012-10-17", Statement: [statement] }));
});
afterAll(() => stage.close());

/** The words of every command that is not hidden, from the program itself. */
function listCommands(command: Command, words: readonly string[] = []): readonly (readonly string[])[] {
  const children = command.createHelp().visibleCommands(command);
  return [words, ...children.flatMap((child) => listCommands(child, [...words, child.name()]))];
}

describe("help", () => {
  const commands = listCommands(createProgram({ runtime: fakeRuntime(), exit: () => {} }));
  test.each(commands.map((command) => ({ command })))("agentctl $command --help", async ({ command }) => {
    const outcome = await stage.run([...command, "--help"]);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(outcome.stdout).toContain(`Usage: ${["agentctl", ...command].join(" ")} `);
    const examples = outcome.stdout.slice(outcome.stdout.indexOf("\nExamples:\n"));
    expect(examples.match(/^ {2}agentctl /gm)?.length).toBeGreaterThanOrEqual(2);
  });

  test("--version prints the version and no more", async () => {
    expect(await stage.run(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  test("every command of the first help has its own", async () => {
    const { stdout } = await stage.run(["--help"]);
    const listed = [...stdout.matchAll(/^ {2}([a-z]+)(?: \[| <| {2,})/gm)].map(([, name]) => name);
    const known = new Set(commands.flatMap(([name]) => name ?? []));
    expect(listed).toEqual([...known]);
  });
});

describe("wrong usage exits 64, and says what to do", () => {
  test.each([
    { name: "no command", args: [], says: /^agentctl: error\[USAGE\]: no command given$/m },
    { name: "no command of a group", args: ["profile"], says: /^Usage: agentctl profile /m },
    { name: "an unknown command", args: ["rum"], says: /unknown command 'rum'; did you mean run\?$/m },
    { name: "an unknown command of a group", args: ["profile", "lst"], says: /'lst'; did you mean list\?$/m },
    { name: "an unknown option", args: ["lease", "list", "--jsn"], says: /'--jsn'; did you mean --json\?$/m },
    {
      name: "nothing to run",
      args: ["run", "-p", "demo"],
      says: /hint: .*after --: agentctl run -p NAME -- COMMAND$/m,
    },
    {
      name: "a variable with its value",
      args: ["run", "--pass-env", "A=hunter2", "true"],
      says: /--pass-env takes the name/,
    },
    { name: "an empty receipt", args: ["run", "-p", "demo", "--receipt", "", "true"], says: /--receipt/ },
    { name: "an empty configuration", args: ["run", "-p", "demo", "--config", "", "true"], says: /--config/ },
    { name: "a time that is none", args: ["audit", "log", "--since", "yesterday"], says: /hint: .*2h/ },
  ])("$name", async ({ args, says }) => {
    const outcome = await stage.run(args);
    expect(outcome).toMatchObject({ code: 64, stdout: "" });
    expect(outcome.stderr).toMatch(/^agentctl: error\[USAGE\]: /m);
    expect(outcome.stderr).toMatch(says);
    expect(outcome.stderr).not.toMatch(/hunter2|^ {4}at /m);
  });
});

describe("profile", () => {
  test("list", async () => {
    const human = await stage.run(["profile", "list"]);
    expect(human).toEqual({
      code: 0,
      signal: null,
      stdout: "NAME    CLOUDS  DESCRIPTION\ndemo    aws\nnarrow  aws     Read the reports\n",
      stderr: "",
    });
    const json = await stage.run(["profile", "list", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject([{ name: "demo", clouds: ["aws"] }, { name: "narrow" }]);
  });

  test("show: with all that it extends and its policy", async () => {
    const human = await stage.run(["profile", "show", "narrow"]);
    expect(human).toMatchObject({ code: 0, stderr: "" });
    expect(human.stdout).toMatch(/^ttl: 15m$/m);
    expect(human.stdout).toContain("arn:aws:s3:::demo/reports/*");
    const json = JSON.parse((await stage.run(["profile", "show", "narrow", "--json"])).stdout);
    expect(json).toMatchObject({ name: "narrow", aws: { session_policy: { Version: "2012-10-17" } } });
  });

  test("lint: what is left of the budget; an error exits 78", async () => {
    const human = await stage.run(["profile", "lint"]);
    expect(human).toMatchObject({ code: 0, stderr: "" });
    expect(human.stdout).toMatch(/^narrow: aws: session policy uses \d+ of 2048 characters, \d+ left$/m);
    expect(human.stdout).toMatch(/^0 errors, /m);

    const broken = stage.writeFile("broken.yaml", DEMO_PROFILE.replace("role_arn", "role_arm"));
    const outcome = await stage.run(["profile", "lint", "--json", "--config", broken]);
    expect(outcome.code).toBe(78);
    expect(JSON.parse(outcome.stdout)).toMatchObject({ ok: false, findings: [{ severity: "error", line: 6 }] });
    expect(outcome.stderr).toMatch(/^agentctl: error\[CONFIG_INVALID\]: /);
  });
});

describe("sandbox", () => {
  const withTmp = () => {
    const tmp = fs.mkdtempSync(path.join(stage.dir, "tmp-"));
    return { tmp, env: { TMPDIR: tmp, AGENTCTL_CONFIG: undefined, AGENTCTL_STATE_DIR: path.join(tmp, "state") } };
  };
  const sandboxesIn = (tmp: string) => fs.readdirSync(tmp).filter((name) => name.startsWith("agentctl-sandbox-"));

  test("by itself says what it holds, and leaves nothing after SIGINT", async () => {
    const { tmp, env } = withTmp();
    const child = stage.start(["sandbox"], { env, cwd: tmp, detached: true });
    let shown = "";
    child.stdout?.on("data", (text) => {
      shown += String(text);
    });
    const ended = outcomeOf(child);
    await eventually(() => shown.includes("Ctrl-C closes it."));
    expect(shown).toMatch(/^ {2}role +arn:aws:iam::111122223333:role\/agentctl-demo$/m);
    expect(sandboxesIn(tmp)).toHaveLength(1);
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 0, signal: null, stderr: "" });
    expect(sandboxesIn(tmp)).toEqual([]);
  });

  test.each([
    { name: "its code", script: "exit 7", code: 7 },
    { name: "its signal", script: "kill -TERM $$", code: 143 },
  ])("with a command exits with $name", async ({ script, code }) => {
    const { tmp, env } = withTmp();
    const outcome = await stage.run(["sandbox", "--quiet", "--", "sh", "-c", script], { env, cwd: tmp });
    expect(outcome).toEqual({ code, signal: null, stdout: "", stderr: "" });
    expect(sandboxesIn(tmp)).toEqual([]);
  });

  test("a newcomer's first run, with no account and no file; the child can't reach the sandbox's controls", async () => {
    const { tmp, env } = withTmp();
    const nested = [NODE, BIN, "run", "-p", "demo", "--quiet", "--", "env"];
    const outcome = await stage.run(["sandbox", "--quiet", "--", ...nested], { env, cwd: tmp });
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(outcome.stdout).toMatch(/^AGENTCTL_PROFILE=demo$/m);
    expect(outcome.stdout).toMatch(/^AWS_ENDPOINT_URL_STS=https:/m);
    expect(outcome.stdout).not.toMatch(/^(AGENTCTL_SANDBOX_CONTROL_URL|ACTIONS_ID_TOKEN_REQUEST_TOKEN)=/m);
  });

  test("--world holds what the file says", async () => {
    const { tmp, env } = withTmp();
    fs.writeFileSync(path.join(tmp, "world.yaml"), "roles: {}\n");
    const outcome = await stage.run(["sandbox", "--world", "world.yaml", "--", "true"], { env, cwd: tmp });
    expect(outcome).toMatchObject({ code: 0, stdout: "" });
    expect(outcome.stderr).toMatch(/^agentctl: sandbox: .*AWS \(0 roles\).*\n$/);
  });

  test.each([
    { name: "a world that is not there", args: ["--world", "nowhere.yaml"], code: 78, error: "CONFIG_NOT_FOUND" },
    { name: "a command that is not there", args: ["--", "no-such-command"], code: 127, error: "COMMAND_NOT_FOUND" },
  ])("$name", async ({ args, code, error }) => {
    const { tmp, env } = withTmp();
    const outcome = await stage.run(["sandbox", "--quiet", ...args], { env, cwd: tmp });
    expect(outcome).toMatchObject({ code, stdout: "" });
    expect(outcome.stderr).toMatch(new RegExp(`^agentctl: error\\[${error}\\]: .*\nagentctl: hint: .*\n$`));
    expect(sandboxesIn(tmp)).toEqual([]);
  });
});

describe("in odd places", () => {
  test("a working directory that is gone", async () => {
    const gone = path.join(stage.dir, "gone");
    fs.mkdirSync(gone);
    const script = 'rmdir "$PWD"; exec "$@"';
    const outcome = await stage.runIn("sh", ["-c", script, "sh", NODE, BIN, "run", "-p", "demo", "--", "true"], {
      cwd: gone,
    });
    expect(outcome).toMatchObject({ code: 64, stdout: "" });
    expect(outcome.stderr).toMatch(/error\[USAGE\]: the working directory is gone\nagentctl: hint: /);
  });

  test.each([{ HOME: undefined }, { HOME: "" }])(
    "no home directory: nothing is written here instead, %o",
    async (home) => {
      const cwd = fs.mkdtempSync(path.join(stage.dir, "here-"));
      const outcome = await stage.run(["run", "-p", "demo", "--", "true"], {
        cwd,
        env: { ...home, AGENTCTL_STATE_DIR: undefined },
      });
      expect(outcome).toMatchObject({ code: 74, stdout: "" });
      expect(outcome.stderr).toMatch(
        /error\[AUDIT_UNWRITABLE\]: .*HOME is not set\nagentctl: hint: .*AGENTCTL_STATE_DIR/,
      );
      expect(fs.readdirSync(cwd)).toEqual([]);
    },
  );

  test("streams that are closed", async () => {
    const script = '"$@" <&- >&- 2>&-; echo "$?"';
    const command = [NODE, BIN, "run", "-p", "demo", "--", "sh", "-c", "echo lost; exit 5"];
    expect(await stage.runIn("sh", ["-c", script, "sh", ...command])).toMatchObject({ code: 0, stdout: "5\n" });
  });
});
