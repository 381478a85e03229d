import { describe, expect, test } from "vitest";
import { AgentctlError, type ErrorCode, firstLine, systemErrorCode, toAgentctlError } from "../../src/core/errors.js";
import { EXIT, EXIT_BY_ERROR, exitCodeOfSignal } from "../../src/core/exit-codes.js";

/** Written out again on purpose: these numbers are a promise to scripts. */
const PROMISED: Readonly<Record<ErrorCode, number>> = {
  USAGE: 64,
  UNREACHABLE: 69,
  THROTTLED: 69,
  SERVICE_FAILED: 69,
  ASSIGNMENT_BUSY: 69,
  NOT_READY: 69,
  DEFECT: 70,
  STATE_UNWRITABLE: 74,
  KEYCHAIN_UNUSABLE: 74,
  AUDIT_UNWRITABLE: 74,
  RECEIPT_UNWRITABLE: 74,
  OUTPUT_UNWRITABLE: 74,
  LOCK_HELD: 74,
  WATCHDOG_UNUSABLE: 74,
  AUDIT_BROKEN: 76,
  BAD_ANSWER: 76,
  TOKEN_MALFORMED: 76,
  TOKEN_EXPIRED: 76,
  TOKEN_AUDIENCE: 76,
  ACTOR_DENIED: 77,
  COMMAND_DENIED: 77,
  CLOUD_DENIED: 77,
  IDENTITY_DENIED: 77,
  TRUST_TOO_WIDE: 77,
  LEASE_ENDED: 77,
  BINDING_LIMIT: 77,
  CONFIG_NOT_FOUND: 78,
  CONFIG_SYNTAX: 78,
  CONFIG_INVALID: 78,
  CONFIG_FORBIDDEN: 78,
  PROFILE_UNKNOWN: 78,
  POLICY_INVALID: 78,
  POLICY_TOO_LONG: 78,
  NO_IDENTITY: 78,
  ENDPOINT_INVALID: 78,
  ESCALATION_POSSIBLE: 78,
  PLATFORM: 78,
  NOT_TAKEN_BACK: 79,
  COMMAND_NOT_EXECUTABLE: 126,
  COMMAND_NOT_FOUND: 127,
  INTERRUPTED: 0,
};

describe("exit codes", () => {
  test.each(Object.entries(PROMISED))("%s leaves with %i", (code, exitCode) => {
    expect(new AgentctlError(code as ErrorCode, "x").exitCode).toBe(exitCode);
  });

  test("no error is without a promise", () => {
    expect(Object.keys(EXIT_BY_ERROR).sort()).toEqual(Object.keys(PROMISED).sort());
  });

  test("a code of its own is kept for what was interrupted", () => {
    expect(new AgentctlError("INTERRUPTED", "x", { exitCode: 130 }).exitCode).toBe(130);
  });

  test("only what could not be taken back leaves with its code", () => {
    const codes = Object.entries(EXIT_BY_ERROR).filter(([, exitCode]) => exitCode === EXIT.notTakenBack);
    expect(codes.map(([code]) => code)).toEqual(["NOT_TAKEN_BACK"]);
  });

  test("a signal is 128 and its number", () => {
    expect(exitCodeOfSignal(15)).toBe(143);
  });
});

describe("toAgentctlError", () => {
  test("leaves our own errors as they are", () => {
    const error = new AgentctlError("USAGE", "x", { hint: "y", facts: { a: 1 } });
    expect(toAgentctlError(error)).toBe(error);
  });

  const rows = [
    { name: "an Error", thrown: new TypeError("boom\nat line 2"), message: "unexpected: boom" },
    { name: "a text", thrown: "boom", message: "unexpected: boom" },
    { name: "nothing", thrown: undefined, message: "unexpected: undefined" },
  ];
  test.each(rows)("$name is a defect, told in one line", ({ thrown, message }) => {
    const error = toAgentctlError(thrown);
    expect(error).toMatchObject({ code: "DEFECT", message, exitCode: 70 });
    expect(error.cause).toBe(thrown);
    expect(error.hint).toContain("report");
  });
});

describe("the small readers", () => {
  test("firstLine cuts at the line's end and at 300 characters", () => {
    expect(firstLine("a\nb")).toBe("a");
    expect(firstLine("x".repeat(400))).toHaveLength(301);
  });

  const rows = [
    { name: "a system error", thrown: Object.assign(new Error("x"), { code: "ENOENT" }), want: "ENOENT" },
    { name: "an error with another kind of code", thrown: Object.assign(new Error("x"), { code: 7 }), want: undefined },
    { name: "no error", thrown: { code: "ENOENT" }, want: undefined },
  ];
  test.each(rows)("systemErrorCode of $name", ({ thrown, want }) => {
    expect(systemErrorCode(thrown)).toBe(want);
  });
});
