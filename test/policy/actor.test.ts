import { describe, expect, test } from "vitest";
import { detectActor } from "../../src/policy/index.js";
import { captureOutput } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";

function detect(
  declared: string | undefined,
  env: Record<string, string>,
  terminal: "none" | "stdin" | "stderr" = "none",
) {
  return detectActor(declared, { env, stdinIsTTY: terminal === "stdin", stderr: captureOutput(terminal === "stderr") });
}

describe("an actor that is declared", () => {
  const rows = [
    { name: "a kind", declared: "human", want: { kind: "human", reason: "declared with --actor" } },
    { name: "a kind and a name", declared: "agent:reviewer-2", want: { kind: "agent", name: "reviewer-2" } },
    { name: "a name like an address", declared: "human:jo@example.org", want: { name: "jo@example.org" } },
    {
      name: "against CI's mark",
      declared: "human",
      env: { CI: "true" },
      want: { kind: "human", reason: "declared with --actor" },
    },
    {
      name: "against an agent's mark, which is recorded",
      declared: "human",
      env: { CLAUDECODE: "1" },
      want: { kind: "human", reason: "declared with --actor, though CLAUDECODE is set" },
    },
    { name: "in line with it", declared: "agent", env: { CLAUDECODE: "1" }, want: { reason: "declared with --actor" } },
  ];
  test.each(rows)("$name", ({ declared, env, want }) => {
    expect(detect(declared, env ?? {})).toMatchObject(want);
  });

  const bad = [
    "",
    "robot",
    "Human",
    ":jo",
    "human:",
    "human:a b",
    "human:a\nb",
    "agent:-x",
    `agent:${"x".repeat(65)}`,
    "agent:a:b",
  ];
  test.each(bad)("is refused: %j", async (declared) => {
    expect(await thrownBy(() => detect(declared, {}))).toMatchObject({ code: "USAGE", exitCode: 64 });
  });
});

describe("an actor that is detected", () => {
  const rows = [
    {
      name: "Claude Code",
      env: { CLAUDECODE: "1" },
      want: { kind: "agent", name: "claude-code", reason: "CLAUDECODE is set" },
    },
    { name: "Cursor", env: { CURSOR_AGENT: "1" }, want: { kind: "agent", name: "cursor" } },
    {
      name: "Cursor's extension host",
      env: { CURSOR_EXTENSION_HOST_ROLE: "agent-exec" },
      want: { kind: "agent", name: "cursor" },
    },
    { name: "Gemini CLI", env: { GEMINI_CLI: "1" }, want: { kind: "agent", name: "gemini-cli" } },
    { name: "Codex", env: { CODEX_SANDBOX: "seatbelt" }, want: { kind: "agent", name: "codex" } },
    { name: "OpenCode", env: { OPENCODE: "1" }, want: { kind: "agent", name: "opencode" } },
    {
      name: "Amp, which also sets CLAUDECODE",
      env: { CLAUDECODE: "1", AMP_CURRENT_THREAD_ID: "T-1" },
      want: { name: "amp" },
    },
    { name: "Goose, by the shared variable", env: { AGENT: "goose" }, want: { kind: "agent", name: "goose" } },
    { name: "one that names itself", env: { AI_AGENT: "devin@1" }, want: { kind: "agent", name: "devin@1" } },
    {
      name: "one whose name is not fit for a record",
      env: { AI_AGENT: "a b\n" },
      want: { kind: "agent", reason: "AI_AGENT is set" },
    },
    { name: "an agent in CI is an agent", env: { CI: "true", GEMINI_CLI: "1" }, want: { kind: "agent" } },
    {
      name: "an agent on a terminal is an agent",
      env: { CLAUDECODE: "1" },
      terminal: "stdin",
      want: { kind: "agent" },
    },
    {
      name: "GitHub Actions",
      env: { CI: "true", GITHUB_ACTIONS: "true" },
      want: { kind: "automation", reason: "GITHUB_ACTIONS is set" },
    },
    {
      name: "any CI, even with a terminal",
      env: { CI: "1" },
      terminal: "stdin",
      want: { kind: "automation", reason: "CI is set" },
    },
    { name: "stdin a terminal", env: {}, terminal: "stdin", want: { kind: "human", reason: "stdin is a terminal" } },
    { name: "stderr a terminal", env: {}, terminal: "stderr", want: { kind: "human", reason: "stderr is a terminal" } },
    { name: "no terminal", env: {}, want: { kind: "automation", reason: "neither stdin nor stderr is a terminal" } },
    {
      name: "a mark that says no",
      env: { CI: "false", CLAUDECODE: "0", AI_AGENT: "" },
      terminal: "stdin",
      want: { kind: "human" },
    },
    { name: "an AGENT of another meaning", env: { AGENT: "jenkins-7" }, terminal: "stdin", want: { kind: "human" } },
    { name: "a person's Cursor terminal", env: { CURSOR_TRACE_ID: "x" }, terminal: "stdin", want: { kind: "human" } },
    {
      name: "a person's settings of an agent",
      env: { CODEX_HOME: "/x", AIDER_MODEL: "m" },
      terminal: "stdin",
      want: { kind: "human" },
    },
  ] as const;
  test.each(rows)("$name", ({ env, want, ...row }) => {
    const actor = detect(undefined, env, "terminal" in row ? row.terminal : "none");
    expect(actor).toMatchObject(want);
    expect(actor.reason).not.toBe("");
    if (actor.name !== undefined) expect(actor.name).toMatch(/^[\w.@+-]+$/);
  });
});
