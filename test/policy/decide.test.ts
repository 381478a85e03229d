import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Actor } from "../../src/core/identity.js";
import type { Profile } from "../../src/core/profile.js";
import { decide } from "../../src/policy/index.js";
import { fakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";

let root: string;

/** bin/ is on PATH; opt/ is not. `link` is `tool` by another way, `alias` the same file by another name. */
beforeAll(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-policy-")));
  for (const dir of ["bin", "opt", "project/scripts"]) fs.mkdirSync(path.join(root, dir), { recursive: true });
  for (const file of ["bin/tool", "bin/many", "opt/tool", "opt/other", "project/scripts/deploy"]) {
    fs.writeFileSync(path.join(root, file), "");
  }
  fs.symlinkSync("many", path.join(root, "bin/list"));
  fs.symlinkSync("many", path.join(root, "bin/remove"));
  fs.symlinkSync(path.join(root, "bin"), path.join(root, "linked-bin"));
  fs.symlinkSync(path.join(root, "bin/many"), path.join(root, "opt/sneaky"));
});
afterAll(() => fs.rmSync(root, { recursive: true }));

const AUTOMATION: Actor = { kind: "automation", reason: "CI is set" };

function makeProfile(overrides: Partial<Profile>): Profile {
  return {
    name: "deploy",
    file: path.join(root, "project/agentctl.yaml"),
    ttlSeconds: 3600,
    credentialTtlSeconds: 900,
    peerCheck: "auto",
    onExpiry: "warn",
    graceSeconds: 30,
    revoke: "auto",
    deliver: "auto",
    identitySource: "auto",
    clouds: {},
    env: { pass: [], set: {} },
    auditArgv: "first",
    auditSinks: [],
    ...overrides,
  };
}

function decideFor(
  overrides: Partial<Profile>,
  executable = "bin/tool",
  args: readonly string[] = [],
  actor = AUTOMATION,
) {
  const resolve = (name: string): string | undefined => {
    const file = path.join(root, "bin", name);
    return fs.existsSync(file) ? file : undefined;
  };
  const command = { argv: [executable, ...args] as const, path: path.join(root, executable) };
  const identity = { source: "env", issuer: "https://issuer.example", subject: "someone" };
  return decide({ profile: makeProfile(overrides), actor, command, identity, resolve }, fakeRuntime());
}

describe("actors", () => {
  const rows: readonly {
    name: string;
    actors: Profile["actors"];
    kind: Actor["kind"];
    allowed: boolean;
    says: string;
  }[] = [
    {
      name: "any, where the profile is silent",
      actors: undefined,
      kind: "agent",
      allowed: true,
      says: "every kind of actor",
    },
    { name: "one that is listed", actors: ["human", "agent"], kind: "agent", allowed: true, says: "human, agent" },
    {
      name: "one that is not",
      actors: ["human", "automation"],
      kind: "agent",
      allowed: false,
      says: "not for an agent: it is for human, automation",
    },
    {
      name: "none, where the list is empty",
      actors: [],
      kind: "human",
      allowed: false,
      says: "not for a human: it is for nobody",
    },
  ];
  test.each(rows)("$name", async ({ actors, kind, allowed, says }) => {
    const overrides = actors === undefined ? {} : { actors };
    const attempt = () => decideFor(overrides, "bin/tool", [], { kind, reason: "a test" });
    if (allowed) {
      expect(attempt().reasons.join("\n")).toContain(says);
      return;
    }
    const error = await thrownBy(attempt);
    expect(error).toMatchObject({ code: "ACTOR_DENIED", exitCode: 77 });
    expect(error.message).toContain(says);
    expect(error.hint).toContain("a test");
    expect(error.hint).not.toContain("--actor");
  });
});

describe("commands", () => {
  const rows: readonly { name: string; commands?: string[]; run: string; args?: string[]; allowed: boolean }[] = [
    { name: "any, where the profile is silent", run: "opt/other", allowed: true },
    { name: "none, where the list is empty", commands: [], run: "bin/tool", allowed: false },
    { name: "a name that PATH gives", commands: ["tool plan *"], run: "bin/tool", args: ["plan", "-x"], allowed: true },
    { name: "any of several patterns", commands: ["list", "tool *"], run: "bin/tool", args: ["x"], allowed: true },
    { name: "other arguments", commands: ["tool plan *"], run: "bin/tool", args: ["apply"], allowed: false },
    { name: "another program of the same name", commands: ["tool *"], run: "opt/tool", allowed: false },
    { name: "the same file by a linked directory", commands: ["tool *"], run: "linked-bin/tool", allowed: true },
    { name: "another program of the same file", commands: ["list *"], run: "bin/remove", allowed: false },
    {
      name: "another program of the same file, by path",
      commands: ["ROOT/bin/list *"],
      run: "bin/remove",
      allowed: false,
    },
    { name: "a name that PATH does not give", commands: ["other *"], run: "opt/other", allowed: false },
    { name: "an absolute path", commands: ["ROOT/opt/other *"], run: "opt/other", args: ["x"], allowed: true },
    { name: "another absolute path", commands: ["ROOT/opt/tool *"], run: "bin/tool", allowed: false },
    { name: "an absolute path through a link", commands: ["ROOT/linked-bin/tool"], run: "bin/tool", allowed: true },
    {
      name: "a path from the configuration's directory",
      commands: ["./scripts/deploy"],
      run: "project/scripts/deploy",
      allowed: true,
    },
    { name: "a wildcard in a name", commands: ["to*"], run: "bin/tool", allowed: true },
    { name: "a wildcard in a name, off PATH", commands: ["ot*"], run: "opt/other", allowed: false },
    { name: "a wildcard in a path", commands: ["ROOT/opt/*"], run: "opt/other", allowed: true },
    {
      name: "a wildcard in a path, of a linked directory",
      commands: ["ROOT/linked-bin/to*"],
      run: "bin/tool",
      allowed: true,
    },
    { name: "a wildcard in a relative path", commands: ["./scripts/*"], run: "project/scripts/deploy", allowed: true },
    { name: "a link out of a path with a wildcard", commands: ["ROOT/opt/*"], run: "opt/sneaky", allowed: false },
    { name: "a way out of a path with a wildcard", commands: ["ROOT/opt/*"], run: "opt/../bin/tool", allowed: false },
    { name: "a lone wildcard", commands: ["*"], run: "opt/other", args: ["x"], allowed: true },
    {
      name: "any program, one argument",
      commands: ["* --version"],
      run: "opt/other",
      args: ["--version"],
      allowed: true,
    },
    {
      name: "any program, another argument",
      commands: ["* --version"],
      run: "opt/other",
      args: ["--delete"],
      allowed: false,
    },
    {
      name: "a pattern for what is not there",
      commands: ["ROOT/none/* x"],
      run: "bin/tool",
      args: ["x"],
      allowed: false,
    },
  ];
  test.each(rows)("$name", async ({ commands, run, args, allowed }) => {
    const patterns = commands?.map((pattern) => pattern.replace("ROOT", root));
    const attempt = () => decideFor(patterns === undefined ? {} : { commands: patterns }, run, args);
    if (allowed) expect(attempt()).toMatchObject({ allowed: true, actor: AUTOMATION });
    else expect(await thrownBy(attempt)).toMatchObject({ code: "COMMAND_DENIED", exitCode: 77 });
  });

  test("a refusal tells what is permitted, and no argument", async () => {
    const error = await thrownBy(() => decideFor({ commands: ["tool plan *"] }, "bin/tool", ["--password=SECRET"]));
    expect(error.message).toBe(`profile "deploy" does not permit ${root}/bin/tool with these arguments`);
    expect(error.hint).toBe('it permits "tool plan *"');
    expect(JSON.stringify(error)).not.toContain("SECRET");
  });

  test("a pattern that cannot be read is an error of the configuration", async () => {
    expect(await thrownBy(() => decideFor({ commands: ["tool 'x"] }))).toMatchObject({ code: "CONFIG_INVALID" });
  });
});

test("a decision tells who asked, by which identity, and what permitted it", () => {
  const decision = decideFor({ actors: ["agent"], commands: ["tool *"] }, "bin/tool", [], {
    kind: "agent",
    name: "amp",
    reason: "x is set",
  });
  expect(decision.reasons).toEqual([
    'asked by an agent "amp" (x is set)',
    "identity someone of https://issuer.example, by env",
    "profile deploy is for agent",
    `${root}/bin/tool and its arguments fit the permitted "tool *"`,
  ]);
});
