import * as fs from "node:fs";
import path from "node:path";
import { CommanderError } from "commander";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { appendEvent } from "../../src/audit/log.js";
import { registerAudit } from "../../src/cli/audit.js";
import type { AuditEvent } from "../../src/core/event.js";
import { appendCounted, makeEvent, makeScratchLog, type ScratchLog } from "../audit/scratch-log.js";
import { thrownBy } from "../thrown.js";
import { runCommand } from "./run-command.js";

let log: ScratchLog;
beforeEach(() => {
  log = makeScratchLog();
});
afterEach(() => log.remove());

const NOW = Date.UTC(2026, 0, 31, 12);
const audit = (...argv: string[]) =>
  runCommand(registerAudit, ["audit", ...argv], log.runtime({ now: () => NOW, cwd: log.stateDir }));

const STORY: readonly AuditEvent[] = [
  makeEvent({
    lease: "l-0123456789ABCDEF",
    actor: { kind: "automation", reason: "CI is set" },
    command: { argv0: "terraform", argsHash: "00" },
    decision: { allowed: true, reasons: [] },
    grants: [
      {
        cloud: "aws",
        principal: "arn:aws:iam::1:role/r",
        usableUntil: "2026-01-31T09:30:00Z",
        expiresAt: "x",
        facts: {},
      },
    ],
  }),
  makeEvent({
    kind: "lease.end",
    time: "2026-01-31T11:00:00.000Z",
    command: { argv0: "terraform" },
    child: { exitCode: 143, signal: "SIGTERM" },
    endings: [{ cloud: "aws", word: "fenced", at: "2026-01-31T09:30:00Z", detail: "" }],
  }),
  makeEvent({
    kind: "lease.refused",
    time: "2026-01-31T11:30:00.000Z",
    decision: { allowed: false, reasons: [] },
    error: { code: "ACTOR_DENIED", message: "not for\n2026-01-31T11:30:00Z  lease.start \u001b[2J" },
  }),
];

const HELD = {
  cloud: "aws",
  channel: "endpoint",
  principal: "arn:r",
  usableUntil: "2026-01-31T09:30:00Z",
  expiresAt: "2026-01-31T09:45:00Z",
  facts: {},
};

describe("audit log", () => {
  beforeEach(async () => {
    for (const event of STORY) await appendEvent(event, log.runtime());
  });

  it("lists one line a record, aligned, and lets no value break out of its line", async () => {
    const { stdout, stderr } = await audit("log");
    expect(stdout.split("\n")).toEqual([
      "2026-01-31T09:00:00Z  lease.start           l-0123456789ABCDEF  deploy            automation  command terraform: aws as arn:aws:iam::1:role/r until 2026-01-31T09:30:00Z",
      "2026-01-31T11:00:00Z  lease.end             l-1                 deploy            -           command terraform: exit 143 (SIGTERM); aws: fenced since 2026-01-31T09:30:00Z",
      "2026-01-31T11:30:00Z  lease.refused         l-1                 deploy            -           ACTOR_DENIED: not for\\u000a2026-01-31T11:30:00Z  lease.start \\u001b[2J",
      "",
    ]);
    expect(stderr).toBe("");
  });

  const cases: readonly { name: string; argv: readonly string[]; want: readonly number[] }[] = [
    { name: "--since a duration ago", argv: ["--since", "90m"], want: [2, 3] },
    { name: "--since a time", argv: ["--since", "2026-01-31T12:15:00+01:00"], want: [3] },
    { name: "--until a date, the whole day of it", argv: ["--until", "2026-01-31"], want: [1, 2, 3] },
    { name: "--until the day before", argv: ["--until", "2026-01-30"], want: [] },
    { name: "--kind", argv: ["--kind", "lease.end"], want: [2] },
    { name: "--actor", argv: ["--actor", "automation"], want: [1] },
    { name: "--decision", argv: ["--decision", "denied"], want: [3] },
    { name: "--profile", argv: ["-p", "other"], want: [] },
    { name: "--lease", argv: ["--lease", "l-1"], want: [2, 3] },
    { name: "-n", argv: ["-n", "2"], want: [2, 3] },
  ];
  it.each(cases)("filters by $name", async ({ argv, want }) => {
    const { stdout } = await audit("log", "--json", ...argv);
    const lines = stdout.split("\n").filter(Boolean);
    expect(lines.map((line) => JSON.parse(line).seq)).toEqual(want);
  });

  const endpoint: readonly { name: string; event: Partial<AuditEvent>; want: string }[] = [
    {
      name: "a renewal",
      event: { kind: "grant.renewed", grants: [HELD] },
      want: "aws as arn:r until 2026-01-31T09:30:00Z",
    },
    {
      name: "a renewal that failed",
      event: {
        kind: "grant.renewal_failed",
        error: { code: "UNREACHABLE", message: "nobody answers" },
        grants: [HELD],
      },
      want: "UNREACHABLE: nobody answers; aws as arn:r until 2026-01-31T09:30:00Z",
    },
    {
      name: "a refused request, and whose it was",
      event: {
        kind: "endpoint.refused",
        request: { cloud: "gcp", reason: "stranger", message: "not of the command", peer: { pid: 7, program: "curl" } },
      },
      want: "gcp: stranger: not of the command; asked by process 7 (curl)",
    },
    {
      name: "a request that got no further than the door",
      event: { kind: "endpoint.refused", request: { reason: "browser", message: "it has an Origin\u001b[2J" } },
      want: "browser: it has an Origin\\u001b[2J",
    },
    {
      name: "a request that was answered, though it could not be told whose it was",
      event: {
        kind: "endpoint.unverified",
        request: { cloud: "aws", reason: "undetermined", message: "it cannot be told" },
      },
      want: "aws: answered though undetermined: it cannot be told",
    },
    {
      name: "the end of a lease with an endpoint",
      event: {
        kind: "lease.end",
        command: { argv0: "sh" },
        child: { exitCode: 0 },
        renewals: [
          { cloud: "aws", renewed: 3, failed: 0 },
          { cloud: "gcp", renewed: 2, failed: 5 },
        ],
        refusals: 2,
        endings: [{ cloud: "aws", word: "fenced", at: "T", detail: "" }],
      },
      want: "command sh: exit 0; aws renewals: 3; gcp renewals: 2 (failed tries: 5); refused requests: 2; aws: fenced at T",
    },
    {
      name: "the end of one where nothing was asked amiss",
      event: {
        kind: "lease.end",
        child: { exitCode: 0 },
        renewals: [{ cloud: "aws", renewed: 0, failed: 0 }],
        refusals: 0,
      },
      want: "exit 0; aws renewals: 0",
    },
  ];
  const others: typeof endpoint = [
    {
      name: "a command that is called like a cloud",
      event: { kind: "lease.start", command: { argv0: "aws" }, grants: [HELD, { ...HELD, cloud: "gcp" }] },
      want: "command aws: aws as arn:r until 2026-01-31T09:30:00Z; gcp as arn:r until 2026-01-31T09:30:00Z",
    },
    {
      name: "the end of a lease that no command was started in",
      event: {
        kind: "lease.end",
        command: { argv0: "agentctl" },
        grants: [HELD],
        endings: [{ cloud: "aws", word: "fenced", at: "T", detail: "" }],
      },
      want: "agentctl: no command was started; aws: fenced at T",
    },
    {
      name: "a failure after a grant, and how that ends",
      event: {
        kind: "lease.failed",
        command: { argv0: "sh" },
        error: { code: "CLOUD_DENIED", message: "no" },
        grants: [HELD],
        endings: [
          { cloud: "aws", word: "fenced", at: "T", detail: "" },
          { cloud: "gcp", word: "expires", at: "U", detail: "" },
        ],
      },
      want: "command sh: CLOUD_DENIED: no; aws: fenced at T; gcp: expires at U",
    },
  ];
  it.each([...endpoint, ...others])("shows in one line $name", async ({ event, want }) => {
    await appendEvent(makeEvent(event), log.runtime());
    const { stdout } = await audit("log", "-n", "1");
    expect(stdout).toBe(
      `2026-01-31T09:00:00Z  ${event.kind?.padEnd(20)}  ${"l-1".padEnd(18)}  ${"deploy".padEnd(16)}  -           ${want}\n`,
    );
  });

  it("filters by the kinds of the endpoint's records", async () => {
    await appendEvent(
      makeEvent({ kind: "endpoint.refused", request: { reason: "browser", message: "" } }),
      log.runtime(),
    );
    const { stdout } = await audit("log", "--json", "--kind", "endpoint.refused");
    expect(
      stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line).seq),
    ).toEqual([4]);
  });

  it("shows a log that was tampered with as far as it can, and says so", async () => {
    const forged = { seq: 4, prev: "", kind: "x\u001b", time: "t", actor: 7, grants: "g", endings: [null], child: {} };
    const forgedRequest = { seq: 5, prev: "", kind: "endpoint.refused", time: "t", request: null };
    const forgedEnd = {
      seq: 6,
      prev: "",
      kind: "lease.end",
      time: "t",
      child: {},
      renewals: [null],
      refusals: "\u001b",
    };
    const forgedChild = { seq: 7, prev: "", kind: "lease.end", time: "t", child: null, command: null, error: null };
    const lines = [forged, forgedRequest, forgedEnd, forgedChild].map((record) => `${JSON.stringify(record)}\n`);
    fs.appendFileSync(log.file, `garbage\n${lines.join("")}`);
    const { stdout, stderr } = await audit("log");
    expect(stdout.split("\n").filter(Boolean)).toHaveLength(7);
    expect(stdout).not.toContain("\u001b");
    expect(stderr).toBe(
      "agentctl: warning: 1 line of the log is not a record; agentctl audit verify says where it breaks\n",
    );
  });
});

describe("audit log that shows nothing", () => {
  it("says that the log is empty, or that nothing in it fits", async () => {
    expect((await audit("log", "--kind", "lease.end")).stderr).toBe("agentctl: the audit log is empty\n");
    await appendCounted(1, log.runtime());
    expect((await audit("log", "--kind", "lease.end")).stderr).toBe("agentctl: no such records\n");
  });
});

describe("bad options", () => {
  const cases: readonly (readonly string[])[] = [
    ["log", "--since", "yesterday"],
    ["log", "--since", "2026-01-31T09:00:00"],
    ["log", "--since", "2026-02-30"],
    ["log", "--until", "2026-02-30T09:00:00Z"],
    ["log", "--until", ""],
  ];
  it.each(cases)("%s %s %s is a usage error", async (...argv) => {
    expect((await thrownBy(() => audit(...argv))).code).toBe("USAGE");
  });

  const refused: readonly (readonly string[])[] = [
    ["log", "--kind", "x"],
    ["log", "--actor", "x"],
    ["log", "--decision", "x"],
    ["log", "-n", "0"],
    ["log", "-n", "two"],
    ["verify", "--head", "abc"],
    ["export", "--format", "xml"],
  ];
  it.each(refused)("%s %s %s is refused by the parser", async (...argv) => {
    await expect(audit(...argv)).rejects.toBeInstanceOf(CommanderError);
  });
});

describe("audit verify", () => {
  it("says what holds", async () => {
    await appendCounted(3, log.runtime());
    const { stdout } = await audit("verify");
    const head = /^ok: 3 records, head ([0-9a-f]{64})\n$/.exec(stdout)?.[1] ?? "";
    expect(JSON.parse((await audit("verify", "--json", "--head", head.toUpperCase())).stdout)).toEqual({
      ok: true,
      records: 3,
      head,
      headFoundAt: 3,
    });
  });

  it("says of which record the hash given is", async () => {
    await appendCounted(1, log.runtime());
    const { head } = JSON.parse((await audit("verify", "--json")).stdout) as { head: string };
    await appendCounted(2, log.runtime());
    const { stdout } = await audit("verify", "--head", head);
    expect(stdout).toMatch(/^ok: 3 records, head [0-9a-f]{64}; the hash given is that of record 1\n$/);
  });

  it("fails where the chain breaks, and says where", async () => {
    await appendCounted(3, log.runtime());
    fs.writeFileSync(log.file, log.read().toString("utf8").replace("number 1", "number 9"));
    const runtime = log.runtime();
    const error = await thrownBy(() => runCommand(registerAudit, ["audit", "verify", "--json"], runtime));
    expect(error).toMatchObject({ code: "AUDIT_BROKEN", exitCode: 76, facts: { line: 1, kind: "edited" } });
    expect(JSON.parse(runtime.stdout.text())).toMatchObject({
      ok: false,
      records: 0,
      problem: { line: 1, kind: "edited" },
    });
  });
});

describe("audit export", () => {
  it("writes to stdout unless a file is given", async () => {
    await appendCounted(2, log.runtime());
    expect((await audit("export")).stdout).toBe(log.read().toString("utf8"));
    const { stdout } = await audit("export", "--format", "csv", "--output", "out.csv");
    expect(stdout).toBe("");
    expect(fs.readFileSync(path.join(log.stateDir, "out.csv"), "utf8").split("\r\n")).toHaveLength(4);
  });
});

describe("help", () => {
  it.each(["log", "verify", "export"])("of audit %s has at least two examples", async (command) => {
    const runtime = log.runtime();
    await runCommand(registerAudit, ["audit", command, "--help"], runtime).catch(() => {});
    expect(runtime.stdout.text().match(/^ {2}agentctl audit /gm)?.length).toBeGreaterThanOrEqual(2);
  });
});
