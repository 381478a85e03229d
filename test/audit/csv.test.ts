import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exportEvents } from "../../src/audit/export.js";
import { appendEvent } from "../../src/audit/log.js";
import type { AuditEvent } from "../../src/core/event.js";
import { collect, makeEvent, makeScratchLog, type ScratchLog } from "./scratch-log.js";

let log: ScratchLog;
beforeEach(() => {
  log = makeScratchLog();
});
afterEach(() => log.remove());

/** RFC 4180, read independently of the library that wrote it. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = "", end = ""] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\r\n") rows.push([]);
  }
  return rows.slice(0, -1);
}

async function exportCsv(): Promise<Record<string, string>[]> {
  const text = (await collect(exportEvents("csv", {}, log.runtime()))).join("");
  const [header = [], ...rows] = parseCsv(text);
  return rows.map((row) => Object.fromEntries(row.map((cell, index) => [header[index] ?? "?", cell])));
}

/** With all that a record may hold, each value of its own; the compiler asks for what is new. */
const WHOLE: Required<AuditEvent> = {
  kind: "lease.end",
  time: "2026-01-31T09:00:00.000Z",
  lease: "l-whole",
  profile: "deploy",
  actor: { kind: "agent", name: "a robot", reason: "it says so" },
  identity: { source: "env", issuer: "https://id", subject: "sub-1", claims: { team: "blue" }, tokenSha256: "5a5a" },
  command: { argv0: "make", path: "/bin/make", argsHash: "7b7b", argv: ["make", "deploy"] },
  intent: "to try it",
  decision: { allowed: true, reasons: ["it may"] },
  error: { code: "CLOUD_DENIED", message: "gcp refuses", facts: { status: 403 } },
  rights: [{ cloud: "gcp", steps: [{ at: "2026-01-31T09:00:01.000Z", text: "gave it Viewer" }] }],
  grants: [
    { cloud: "gcp", channel: "endpoint", principal: "sa-1", usableUntil: "09:10", expiresAt: "09:15", facts: {} },
  ],
  request: { cloud: "azure", reason: "stranger", message: "who is it", peer: { pid: 4_001, program: "curl" } },
  renewals: [{ cloud: "gcp", renewed: 11, failed: 12, firstAt: "09:01", lastAt: "09:02" }],
  refusals: 13,
  passed: ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
  endings: [{ cloud: "gcp", word: "revoked", at: "09:03", detail: "seen to be refused" }],
  revokedBy: { pid: 4_002, user: "ada", at: "2026-01-31T09:04:00Z" },
  endedBy: { by: "watchdog", pid: 4_003, strays: { found: 21, killed: 22, left: 23 } },
  child: { exitCode: 14, signal: "SIGTERM", stoppedAtExpiry: true, endedAt: "2026-01-31T09:05:00.000Z" },
  endpoints: [{ variable: "AWS_ENDPOINT_URL", url: "http://127.0.0.1" }],
  recovered: { bytes: 15, sha256: "9c9c" },
};

function valuesOf(part: unknown): unknown[] {
  return typeof part === "object" && part !== null ? Object.values(part).flatMap(valuesOf) : [part];
}

describe("an export as CSV", () => {
  it("has a column for all that a record may hold", async () => {
    await appendEvent(WHOLE, log.runtime());
    const cells = Object.values((await exportCsv())[0] ?? {}).join("\n");
    for (const value of valuesOf(WHOLE)) expect(cells).toContain(String(value));
  });

  it("says what was given, and who had the lease end", async () => {
    const { rights, revokedBy, endedBy, child } = WHOLE;
    await appendEvent(makeEvent({ rights, revokedBy, endedBy, child }), log.runtime());
    await appendEvent(makeEvent(), log.runtime());
    const [row, without] = await exportCsv();
    expect(row).toMatchObject({ revoked_by: "ada", revoked_by_pid: "4002", revoked_at: "2026-01-31T09:04:00Z" });
    expect(row).toMatchObject({ ended_by: "watchdog", ended_by_pid: "4003", child_ended_at: child.endedAt });
    expect(JSON.parse(row?.["rights"] ?? "")).toEqual(rights);
    expect(JSON.parse(row?.["strays"] ?? "")).toEqual(endedBy.strays);
    expect(without).toMatchObject({ rights: "", revoked_by: "", revoked_by_pid: "", ended_by: "", strays: "" });
  });

  it("writes what has parts as JSON", async () => {
    const grants = [{ cloud: "aws", principal: 'a "role"', usableUntil: "u", expiresAt: "e", facts: { a: 1 } }];
    await appendEvent(
      makeEvent({ grants, decision: { allowed: false, reasons: ["one, two"] }, child: { exitCode: 3 } }),
      log.runtime(),
    );
    const [row] = await exportCsv();
    expect(row).toMatchObject({ seq: "1", kind: "lease.start", allowed: "false", exit_code: "3", intent: "" });
    expect(JSON.parse(row?.["grants"] ?? "")).toEqual(grants);
    expect(JSON.parse(row?.["reasons"] ?? "")).toEqual(["one, two"]);
  });

  const cells: readonly { name: string; intent: string; want: string }[] = [
    { name: "a comma and quotes", intent: 'a, "b"', want: 'a, "b"' },
    { name: "a formula", intent: '=HYPERLINK("http://x")', want: `'=HYPERLINK("http://x")` },
    { name: "a plus", intent: "+1", want: "'+1" },
    { name: "a minus", intent: "-1+cmd|' /C calc'!A0", want: "'-1+cmd|' /C calc'!A0" },
    { name: "an at sign", intent: "@SUM(A1)", want: "'@SUM(A1)" },
    { name: "a full-width equals sign", intent: "＝1", want: "'＝1" },
    { name: "a formula behind a quote", intent: '"=1', want: '"=1' },
    { name: "a formula behind a semicolon", intent: "a;=1;b; -2", want: "a;'=1;b; '-2" },
    { name: "a formula behind a semicolon and quotes", intent: "a;\"'@SUM(A1)", want: `a;"''@SUM(A1)` },
    { name: "what is no formula behind a semicolon", intent: "a; b-c=d", want: "a; b-c=d" },
    { name: "a tab first", intent: "\t=1", want: "\\u0009=1" },
    { name: "a line break", intent: "a\r\n=b", want: "a\\u000d\\u000a=b" },
    { name: "a terminal escape", intent: "\u001b[2J\u009b", want: "\\u001b[2J\\u009b" },
  ];
  it.each(cells)("writes $name so that it does no harm", async ({ intent, want }) => {
    await appendEvent(makeEvent({ intent }), log.runtime());
    expect((await exportCsv())[0]?.["intent"]).toBe(want);
  });

  it("has a header without records too", async () => {
    expect((await collect(exportEvents("csv", {}, log.runtime()))).join("")).toMatch(/^seq,time,kind,.*\r\n$/);
  });
});
