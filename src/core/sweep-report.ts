import type { ErrorCode } from "./error-codes.js";
import type { Ending } from "./lease.js";
import type { CloudName } from "./profile.js";
import { isUnfinished, queuedUntil } from "./unfinished.js";

/** What came of ending the leases of others. */
export interface SweepReport {
  readonly leases: readonly SweptLease[];
  /** Names of leftover files of the state directory that were removed. */
  readonly files: readonly string[];
  /** What was found in the clouds themselves, where that was asked for. */
  readonly clouds: readonly CloudSweep[];
  /** What of the clouds could not be swept; the rest was. */
  readonly failures: readonly SweepFailure[];
}

/**
 * `ended`: every grant of it is; `unfinished`: a further try could take back more; `queued`: it could, but its cloud would
 * refuse it before a certain time; `running`: its agentctl is alive; `unknown`: that cannot be told from here; `busy`: another process is ending it; `gone`: it was closed meanwhile.
 */
export const SWEEP_OUTCOMES = [
  "ended",
  "unfinished",
  "queued",
  "running",
  "unknown",
  "unreadable",
  "busy",
  "gone",
] as const;
export type SweepOutcome = (typeof SWEEP_OUTCOMES)[number];

/** What endings make of a lease, the one that is left the most to do first. */
export function outcomeOf(endings: readonly Ending[]): "ended" | "unfinished" | "queued" {
  if (!endings.some(isUnfinished)) return "ended";
  return queuedUntil(endings) === undefined ? "unfinished" : "queued";
}

export interface SweptLease {
  readonly id: string;
  /** Absent where its entry could not be read. */
  readonly profile?: string;
  readonly outcome: SweepOutcome;
  readonly endings: readonly Ending[];
  /** Of one that is queued, who takes back what is left when the time has come; absent where nobody is known to. */
  readonly waiter?: LeaseWaiter;
  /** Processes of its command that were still there, how many had to be killed, and how many run nevertheless. */
  readonly strays?: { readonly found: number; readonly killed: number; readonly left: number };
  /** Why it is not ended, or what else went wrong, in one line. */
  readonly problem?: string;
}

/**
 * A process that waits until a cloud lets the rest of a lease be taken back: `agentctl` in the foreground, or the
 * `watchdog`. `command`: an agentctl whose command goes on, and whose watchdog takes it back after that.
 */
export interface LeaseWaiter {
  readonly is: "agentctl" | "watchdog" | "command";
  readonly pid: number;
}

/** What leases without a ledger left in a cloud, such as the denies on one role. */
export interface CloudSweep {
  readonly cloud: CloudName;
  readonly profile: string;
  /** What was looked through, such as the ARN of the role. */
  readonly where: string;
  readonly removed: readonly string[];
  /** Left in place, since they may still be needed. */
  readonly kept: readonly KeptInSweep[];
}

/** What a sweep of a cloud found and left in place. */
export interface KeptInSweep {
  readonly name: string;
  /** Until when it may be needed (RFC 3339, by the cloud's clock); absent where that cannot be told. */
  readonly until?: string;
  /** Whether it ends by itself then; absent: it does as what leases leave in this cloud does. */
  readonly endsByItself?: boolean;
}

/** A part of a sweep of the clouds that failed, and why. */
export interface SweepFailure {
  /** Absent where the profiles cannot be read at all. */
  readonly profile?: string;
  /** Absent where that profile cannot be. */
  readonly cloud?: CloudName;
  /** Such as an application, a scope or a resource; absent where nothing in the cloud could be swept. */
  readonly part?: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
}
