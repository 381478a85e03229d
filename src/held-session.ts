import type { Account, HappeningRecorder, Receipt } from "./audit/index.js";
import { formatInstant } from "./core/durations.js";
import type { Ending } from "./core/lease.js";
import type { Prepared } from "./core/prepared.js";
import type { CloudName } from "./core/profile.js";
import type { Observe } from "./core/run-request.js";
import type { Runtime } from "./core/runtime.js";
import type { Delivery } from "./deliver/index.js";
import type { KeptGrants, OpenLease, RevokeRequest, Watchdog } from "./lease/index.js";
import type { ClosingStage } from "./run/index.js";

/** A lease while it is open, with what has to be taken down at its end as far as it stands. */
export interface HeldLease {
  /** With the terms that it began with, and whom of a pool it is, once rights for it work. */
  prepared: Prepared;
  readonly account: Account;
  readonly receipt: Receipt;
  readonly observe: Observe;
  readonly runtime: Runtime;
  readonly entry: OpenLease;
  readonly watchdog: Watchdog;
  readonly recorder: HappeningRecorder;
  /** Aborted when the lease is revoked while its command runs. */
  readonly revoked: AbortController;
  readonly unwatched: AbortController;
  readonly left: AbortController;
  readonly sweepStop: AbortController;
  /** Where rights were asked for, whatever came of it. */
  readonly askedForRights: Set<CloudName>;
  /** True once the command could have its credentials. */
  isHandedOut?: boolean;
  hasLeft?: boolean;
  /** How far its end is, once that has begun. */
  closing: ClosingStage;
  kept?: KeptGrants;
  delivery?: Delivery;
  ending?: Promise<readonly Ending[]>;
  /** The end ahead of the command's under way, by a revocation or the deadline, and the sweep beside it. Neither rejects. */
  earlyEnd?: Promise<void>;
  sweeping?: Promise<void>;
}

export function hold(
  parts: Pick<
    HeldLease,
    "prepared" | "account" | "receipt" | "observe" | "runtime" | "entry" | "watchdog" | "recorder"
  >,
): HeldLease {
  return {
    ...parts,
    askedForRights: new Set(),
    closing: "ending",
    revoked: new AbortController(),
    unwatched: new AbortController(),
    left: new AbortController(),
    sweepStop: new AbortController(),
  };
}

/** Puts on the account, and tells, who wants the lease to end. */
export function noteRevoked({ account, observe }: HeldLease, request: RevokeRequest): void {
  account.revokedBy = { ...request, at: formatInstant(request.at) };
  const who = request.user === undefined ? `process ${request.pid}` : `${request.user} (process ${request.pid})`;
  observe({ kind: "warning", text: `the lease was revoked by ${who}` });
}
