import fs from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { HELP_TOPICS, type HelpTopic } from "../../src/cli/help-topics.js";
import { renderTopic } from "../../src/cli/help-topics-render.js";
import { createProgram, runCli } from "../../src/cli/index.js";
import { EXIT_BY_ERROR } from "../../src/core/exit-codes.js";
import { IDENTITY_SOURCE_NAMES } from "../../src/identity/index.js";
import { fakeRuntime } from "../fake-runtime.js";

/** A program of its own, whose commands do nothing; and what it prints. */
function openProgram() {
  const runtime = fakeRuntime({ platform: "linux" });
  const program = createProgram({ runtime, exit: () => {} });
  for (const command of withDescendants(program)) if (command.commands.length === 0) command.action(() => {});
  return { program, printed: runtime.stdout.text };
}

function withDescendants(command: Command): readonly Command[] {
  const children = command.createHelp().visibleCommands(command);
  return [command, ...children.flatMap(withDescendants)];
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** The commands below "Examples:", those of several lines in one. */
function examplesOf(command: Command): readonly string[] {
  const { program, printed } = openProgram();
  const own = withDescendants(program).find((candidate) => pathOf(candidate) === pathOf(command));
  own?.outputHelp();
  const block = /\nExamples:\n((?: {2}.*\n)+)/.exec(printed())?.[1] ?? "";
  return block
    .replace(/\\\n */g, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** The words of a shell's first simple command, without expanding anything; enough for examples. */
function wordsOf(line: string): string[] {
  const words = line.match(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/g) ?? [];
  const end = words.findIndex((word) => /^(\||\|\||&&|;|>|>>|<)$/.test(word));
  return words.slice(0, end < 0 ? undefined : end).map((word) => word.replace(/^(["'])(.*)\1$/s, "$2"));
}

const COMMANDS = withDescendants(openProgram().program).map((command) => ({ name: pathOf(command), command }));

describe("every help has examples that cannot rot", () => {
  it.each(COMMANDS)(
    "$name --help: at least two, of itself, that the program understands",
    async ({ name, command }) => {
      const examples = examplesOf(command);
      const own = examples.filter((example) => example.startsWith("agentctl "));
      expect(own.length).toBeGreaterThanOrEqual(2);
      for (const example of examples) expect(example).toContain(name);
      for (const example of own) {
        const argv = wordsOf(example).map((word) => word.replace(/^\$\(.*\)$/s, "0".repeat(64)));
        const parsing = openProgram().program.parseAsync(argv.slice(1), { from: "user" });
        await expect(parsing, example).resolves.toBeDefined();
      }
    },
  );

  it("an example with an option that is not there would be seen", async () => {
    const parsing = openProgram().program.parseAsync(["run", "--nosuch", "--", "true"], { from: "user" });
    await expect(parsing).rejects.toMatchObject({ code: "commander.unknownOption" });
  });
});

describe("agentctl help", () => {
  const help = async (...words: string[]) => {
    const runtime = fakeRuntime({ platform: "linux" });
    const exitCode = await runCli(["help", ...words], runtime);
    return { exitCode, stdout: runtime.stdout.text(), stderr: runtime.stderr.text() };
  };

  it("lists commands and topics", async () => {
    const { exitCode, stdout, stderr } = await help();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^ {2}run .*run one command/m);
    for (const { name, summary } of HELP_TOPICS) expect(stdout).toMatch(new RegExp(`^  ${name} +${summary}$`, "m"));
  });

  it.each(HELP_TOPICS)("explains $name, in lines that fit", async ({ name, summary }) => {
    const { exitCode, stdout } = await help(name);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${name}: ${summary}\n\n`));
    const tooLong = stdout.split("\n").filter((line) => line.length > 80 && line.trim().includes(" "));
    expect(tooLong).toEqual([]);
  });

  it.each([
    { words: ["run"], usage: "Usage: agentctl run [-p NAME]" },
    { words: ["audit"], usage: "Usage: agentctl audit [options]" },
    { words: ["audit", "log"], usage: "Usage: agentctl audit log [options]" },
  ])("prints the help of $words as --help does", async ({ words, usage }) => {
    const { exitCode, stdout } = await help(...words);
    expect(exitCode).toBe(0);
    expect(stdout.startsWith(usage)).toBe(true);
    const runtime = fakeRuntime({ platform: "linux" });
    await runCli([...words, "--help"], runtime);
    expect(stdout).toBe(runtime.stdout.text());
  });

  it.each([
    { words: ["nosuch"] },
    { words: ["run", "nosuch"] },
    { words: ["config", "ttl"] },
    { words: ["__complete2"] },
  ])("$words is wrong usage", async ({ words }) => {
    const { exitCode, stdout, stderr } = await help(...words);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: "" });
    expect(stderr).toMatch(/error\[USAGE\]: there is no command or topic '.*'\nagentctl: hint: agentctl help lists/);
  });

  it("wraps to the terminal, and keeps long terms apart", () => {
    const topic = {
      name: "x",
      summary: "y",
      blocks: [
        {
          rows: [
            ["a-term-that-is-much-too-long", "why"],
            ["b", "word ".repeat(9).trim()],
          ],
        },
      ],
    } as const;
    expect(renderTopic(topic, 30)).toBe(
      "x: y\n\n  a-term-that-is-much-too-long\n     why\n  b  word word word word word\n     word word word word\n",
    );
  });
});

describe("the topics say what the code does", () => {
  const topicOf = (name: string): HelpTopic => {
    const found = HELP_TOPICS.find((topic) => topic.name === name);
    if (found === undefined) throw new Error(`there is no topic ${name}`);
    return found;
  };
  const termsOf = (name: string): readonly string[] => {
    const { blocks } = topicOf(name);
    return blocks.flatMap((block) =>
      typeof block === "object" && "rows" in block ? block.rows.map(([term]) => term) : [],
    );
  };

  it("are in the order of the alphabet, and none has the name of a command", () => {
    const names = HELP_TOPICS.map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    const commands = openProgram().program.commands.map((command) => command.name());
    expect(names.filter((name) => commands.includes(name))).toEqual([]);
  });

  it("exit-codes: every code", () => {
    const codes = [...new Set<number>(Object.values(EXIT_BY_ERROR))].filter((code) => code !== 0);
    expect(termsOf("exit-codes")).toEqual(codes.sort((one, other) => one - other).map(String));
  });

  it("identity: every source, in the order of detection", () => {
    expect(termsOf("identity")).toEqual(IDENTITY_SOURCE_NAMES);
  });

  // The sandbox's are in its own help, and SETUP_ is read by the scripts that `agentctl setup` prints.
  it("environment: every variable of agentctl's own", () => {
    const src = path.resolve(import.meta.dirname, "../../src");
    const sources = fs.readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
    const found = new Set(
      sources.flatMap(
        (file) =>
          fs
            .readFileSync(path.join(src, file), "utf8")
            .match(/\bAGENTCTL_(?!SANDBOX_|SETUP_|VERSION\b)[A-Z_]*[A-Z]\b/g) ?? [],
      ),
    );
    const text = renderTopic(topicOf("environment"), 10_000);
    const cloudSuffix = /_(AWS|AZURE|GCP)$/;
    expect([...found].filter((name) => !text.includes(name.replace(cloudSuffix, "")))).toEqual([]);
  });
});
