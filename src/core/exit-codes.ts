import type { ErrorCode } from "./error-codes.js";

/** agentctl's own exit codes (sysexits where one fits). A child's own code always wins over these. */
export const EXIT = {
  ok: 0,
  usage: 64,
  unavailable: 69,
  defect: 70,
  io: 74,
  protocol: 76,
  denied: 77,
  config: 78,
  notTakenBack: 79,
  notExecutable: 126,
  notFound: 127,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The one place that says which exit code an error leaves the process with. */
export const EXIT_BY_ERROR: Readonly<Record<ErrorCode, ExitCode>> = {
  USAGE: EXIT.usage,

  UNREACHABLE: EXIT.unavailable,
  THROTTLED: EXIT.unavailable,
  SERVICE_FAILED: EXIT.unavailable,
  ASSIGNMENT_BUSY: EXIT.unavailable,
  NOT_READY: EXIT.unavailable,

  DEFECT: EXIT.defect,

  STATE_UNWRITABLE: EXIT.io,
  KEYCHAIN_UNUSABLE: EXIT.io,
  AUDIT_UNWRITABLE: EXIT.io,
  AUDIT_BROKEN: EXIT.protocol,
  RECEIPT_UNWRITABLE: EXIT.io,
  OUTPUT_UNWRITABLE: EXIT.io,
  LOCK_HELD: EXIT.io,
  WATCHDOG_UNUSABLE: EXIT.io,

  BAD_ANSWER: EXIT.protocol,
  TOKEN_MALFORMED: EXIT.protocol,
  TOKEN_EXPIRED: EXIT.protocol,
  TOKEN_AUDIENCE: EXIT.protocol,

  ACTOR_DENIED: EXIT.denied,
  COMMAND_DENIED: EXIT.denied,
  CLOUD_DENIED: EXIT.denied,
  LEASE_ENDED: EXIT.denied,
  IDENTITY_DENIED: EXIT.denied,
  TRUST_TOO_WIDE: EXIT.denied,
  BINDING_LIMIT: EXIT.denied,

  CONFIG_NOT_FOUND: EXIT.config,
  CONFIG_SYNTAX: EXIT.config,
  CONFIG_INVALID: EXIT.config,
  CONFIG_FORBIDDEN: EXIT.config,
  PROFILE_UNKNOWN: EXIT.config,
  POLICY_INVALID: EXIT.config,
  POLICY_TOO_LONG: EXIT.config,
  NO_IDENTITY: EXIT.config,
  ENDPOINT_INVALID: EXIT.config,
  ESCALATION_POSSIBLE: EXIT.config,
  PLATFORM: EXIT.config,

  NOT_TAKEN_BACK: EXIT.notTakenBack,

  COMMAND_NOT_EXECUTABLE: EXIT.notExecutable,
  COMMAND_NOT_FOUND: EXIT.notFound,

  INTERRUPTED: EXIT.ok,
};

/** The signal numbers that `128 + n` is made of; the same on Linux and macOS for every signal named here except USR1/USR2. */
export function exitCodeOfSignal(signalNumber: number): number {
  return 128 + signalNumber;
}
