import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BIN, DEMO_PROFILE, eventually, openStage, outcomeOf, type Stage } from "./agentctl.js";

let stage: Stage;
let logFile: string;
/** Three runs: one that succeeds, one that fails, one that is refused. Five records. */
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(`${DEMO_PROFILE}
  guarded: { extends: demo, commands: ["true"] }
`);
  await stage.run(["run", "-p", "demo", "--quiet", "--", "true"]);
  await stage.run(["run", "-p", "guarded", "--quiet", "--", "sh", "-c", "exit 3"]);
  await stage.run(["run", "-p", "demo", "--quiet", "--actor", "agent:tester", "--", "sh", "-c", "exit 3"]);
  logFile = path.join(stage.stateDir, "audit/audit.jsonl");
});
afterAll(() => stage.close());

const audit = (...args: string[]) => stage.run(["audit", ...args]);
const sequenceOf = (stdout: string): number[] =>
  stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { seq: number }).seq);

/** A state directory of its own with the log as `change` leaves it. */
function changedLog(name: string, change: (text: string) => string): { readonly AGENTCTL_STATE_DIR: string } {
  const dir = path.join(stage.dir, name);
  fs.mkdirSync(path.join(dir, "audit"), { recursive: true });
  fs.writeFileSync(path.join(dir, "audit/audit.jsonl"), change(fs.readFileSync(logFile, "utf8")));
  return { AGENTCTL_STATE_DIR: dir };
}

describe("audit log", () => {
  test.each([
    { name: "nothing", args: [], want: [1, 2, 3, 4, 5] },
    { name: "--profile", args: ["-p", "demo"], want: [1, 2, 4, 5] },
    { name: "--kind", args: ["--kind", "lease.end"], want: [2, 5] },
    { name: "--actor", args: ["--actor", "agent"], want: [4, 5] },
    { name: "--decision", args: ["--decision", "denied"], want: [3] },
    { name: "--last", args: ["-n", "2"], want: [4, 5] },
    { name: "--since", args: ["--since", "1h"], want: [1, 2, 3, 4, 5] },
    { name: "--until", args: ["--until", "2020-01-01"], want: [] },
    { name: "several", args: ["-p", "demo", "--kind", "lease.start", "-n", "1"], want: [4] },
  ])("--json, filtered by $name", async ({ args, want }) => {
    const outcome = await audit("log", "--json", ...args);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(sequenceOf(outcome.stdout)).toEqual(want);
  });

  test("one lease's story", async () => {
    const lease = stage.auditRecords()[0]?.["lease"] as string;
    const outcome = await audit("log", "--lease", lease);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    const lines = outcome.stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(
      /Z {2}lease\.start {11}l-\w{16} {2}demo +\w+ +command true: aws as arn:aws:sts::\S+ until \S+Z$/,
    );
    expect(lines[1]).toMatch(
      /Z {2}lease\.end {13}l-\w{16} {2}demo +\w+ +command true: exit 0; aws: (fenced|expires) at \S+Z$/,
    );
  });

  test("a reader that has had enough is no error", async () => {
    const env = changedLog("long", (text) => text.repeat(400));
    const child = stage.start(["audit", "log", "--json"], { env });
    child.stdout?.once("data", () => child.stdout?.destroy());
    expect(await outcomeOf(child)).toMatchObject({ code: 0, signal: null, stderr: "" });
  });

  test("--follow shows what is new, until it is interrupted", async () => {
    const follower = stage.start(["audit", "log", "--follow", "--json", "-n", "1"], { detached: true });
    let seen = "";
    follower.stdout?.on("data", (text) => {
      seen += String(text);
    });
    const ended = outcomeOf(follower);
    await eventually(() => seen.endsWith("\n"));
    expect(sequenceOf(seen)).toEqual([5]);
    const state = { AGENTCTL_STATE_DIR: path.join(stage.dir, "followed") };
    fs.cpSync(stage.stateDir, state.AGENTCTL_STATE_DIR, { recursive: true });
    await stage.run(["run", "-p", "nowhere", "--", "true"]);
    await eventually(() => seen.split("\n").length === 3);
    follower.kill("SIGINT");
    expect(await ended).toMatchObject({ code: null, signal: "SIGINT", stderr: "" });
    expect(JSON.parse(seen.split("\n")[1] ?? "")).toMatchObject({ seq: 6, error: { code: "PROFILE_UNKNOWN" } });
    // The other tests count on five records.
    fs.copyFileSync(path.join(state.AGENTCTL_STATE_DIR, "audit/audit.jsonl"), logFile);
  });
});

describe("audit verify", () => {
  test("says that all holds, and knows a head of before", async () => {
    const outcome = await audit("verify");
    const head = /^ok: 5 records, head ([0-9a-f]{64})\n$/.exec(outcome.stdout)?.[1] ?? "none";
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(await audit("verify", "--head", head)).toMatchObject({ code: 0 });
    expect(JSON.parse((await audit("verify", "--json")).stdout)).toEqual({ ok: true, records: 5, head });
  });

  const cutSecond = (text: string): string => text.replace(/^(.*\n).*\n/, "$1");
  test.each([
    { name: "an edit", change: (text: string) => text.replace('"exitCode":0', '"exitCode":1'), line: 2 },
    { name: "a record that is missing", change: cutSecond, line: 2 },
    { name: "a line that is no record", change: (text: string) => `${text}hello\n`, line: 6 },
  ])("finds $name, and its line", async ({ name, change, line }) => {
    const env = changedLog(name, change);
    const outcome = await stage.run(["audit", "verify"], { env });
    expect(outcome).toMatchObject({ code: 76, stdout: "" });
    expect(outcome.stderr).toMatch(
      new RegExp(`^agentctl: error\\[AUDIT_BROKEN\\]: .*line ${line}: .*\nagentctl: hint: `),
    );
  });

  test("misses a head that the log no longer holds", async () => {
    const outcome = await audit("verify", "--head", "0123456789abcdef".repeat(4));
    expect(outcome).toMatchObject({ code: 76, stdout: "" });
    expect(outcome.stderr).toContain("error[AUDIT_BROKEN]");
  });
});

describe("audit export", () => {
  test("JSON Lines are the records as they stand", async () => {
    expect(await audit("export")).toMatchObject({ code: 0, stdout: fs.readFileSync(logFile, "utf8"), stderr: "" });
  });

  test("a time range, as CSV with a header", async () => {
    const end = stage.auditRecords()[3]?.["time"] as string;
    const outcome = await audit("export", "--format", "csv", "--since", "1h", "--until", end);
    const rows = outcome.stdout.trimEnd().split(/\r?\n/);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(rows[0]).toMatch(/^seq,time,kind,lease,profile,/);
    expect(rows.slice(1).map((row) => row.split(",", 3)[2])).toEqual(["lease.start", "lease.end", "lease.refused"]);
  });

  test("into a file that only this user can read, whole or not at all", async () => {
    const file = path.join(stage.dir, "export.jsonl");
    expect(await audit("export", "--output", file)).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(fs.readFileSync(file, "utf8")).toBe(fs.readFileSync(logFile, "utf8"));
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    const outcome = await audit("export", "--output", path.join(stage.dir, "none/export.jsonl"));
    expect(outcome).toMatchObject({ code: 74, stdout: "" });
    expect(outcome.stderr).toMatch(/^agentctl: error\[STATE_UNWRITABLE\]: .*\nagentctl: hint: .*--output/);
  });

  test.runIf(fs.existsSync("/dev/full"))("half an export on a full disk is an error", async () => {
    const full = fs.openSync("/dev/full", "w");
    const child = stage.start(["audit", "export"], { stdout: full });
    const outcome = await outcomeOf(child);
    fs.closeSync(full);
    expect(outcome).toMatchObject({ code: 74 });
    expect(outcome.stderr).toBe("agentctl: error[OUTPUT_UNWRITABLE]: cannot write to stdout: the disk is full\n");
  });
});

describe("with nothing on record yet", () => {
  const empty = (args: readonly string[]) =>
    stage.run(args, { env: { AGENTCTL_STATE_DIR: path.join(stage.dir, "nothing") } });

  test.each([
    { args: ["audit", "log"], stdout: "", stderr: "agentctl: the audit log is empty\n" },
    { args: ["audit", "log", "--json"], stdout: "", stderr: "" },
    { args: ["audit", "verify"], stdout: `ok: 0 records, head ${"0".repeat(64)}\n`, stderr: "" },
    { args: ["audit", "export"], stdout: "", stderr: "" },
    { args: ["lease", "list"], stdout: "", stderr: "agentctl: no open leases\n" },
    { args: ["lease", "list", "--json"], stdout: "[]\n", stderr: "" },
  ])("$args", async ({ args, stdout, stderr }) => {
    expect(await empty(args)).toEqual({ code: 0, signal: null, stdout, stderr });
    expect(fs.existsSync(path.join(stage.dir, "nothing"))).toBe(false);
  });
});

test("lease list shows a lease while its command runs", async () => {
  const [ready, go] = [path.join(stage.dir, "ready"), path.join(stage.dir, "go")];
  const env = { AGENTCTL_STATE_DIR: path.join(stage.dir, "running") };
  const script = `: > ${ready}; while [ ! -e ${go} ]; do sleep 0.1; done`;
  const child = stage.start(["run", "-p", "demo", "--quiet", "--", "sh", "-c", script], { env });
  const ended = outcomeOf(child);
  await eventually(() => fs.existsSync(ready));
  const human = await stage.run(["lease", "list"], { env });
  const json = await stage.run(["lease", "list", "--json"], { env });
  fs.writeFileSync(go, "");
  expect(await ended).toMatchObject({ code: 0 });
  expect(human.stdout).toMatch(
    /^ID +PROFILE +STATE +AGE +ENDS IN +GRANTS +PID\nl-\w{16} +demo +running +\d+s +(15m|14m\d+s) +aws: agentctl-demo\/agentctl-l-\w{16} +\d+\n$/,
  );
  expect(JSON.parse(json.stdout)).toMatchObject([
    { state: "running", profile: "demo", pid: child.pid, command: "sh", grants: [{ cloud: "aws" }] },
  ]);
  expect((await stage.run(["lease", "list", "--json"], { env })).stdout).toBe("[]\n");
});

describe("a reader that is slow", () => {
  test.each([{ words: "log --json" }, { words: "export --format csv" }])(
    "is given all of audit $words",
    async ({ words }) => {
      const [first = "", ...rest] = fs.readFileSync(logFile, "utf8").split("\n");
      const env = changedLog(`long-${words.slice(0, 3)}`, () => [...Array(400).fill(first), ...rest].join("\n"));
      // More than a pipe holds, of which nothing is taken for a while.
      const script = `"$@" audit ${words} | { sleep 1; cat; }`;
      const { stdout } = await stage.runIn("sh", ["-c", script, "sh", process.execPath, BIN], { env });
      expect(stdout.split("\n").filter(Boolean).length).toBeGreaterThanOrEqual(400);
    },
  );
});
