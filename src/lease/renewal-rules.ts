import { formatInstant } from "../core/durations.js";
import { AgentctlError } from "../core/errors.js";
import type { Grant } from "../core/lease.js";
import { renewalDueAt } from "../core/renewal-time.js";

/** What a renewal cannot go beyond, in milliseconds since the epoch. */
export interface RenewalBounds {
  /** The lease's own end. */
  readonly deadlineAt: number;
  /** When the last token of the identity ends; absent where there is always another one. */
  readonly mintableUntil?: number;
}

/**
 * Clouds count in whole seconds, Google twice over (the lifetime that it is asked for, and the end that it tells): a
 * grant that ends less than this before its lease lasts as long as the lease.
 */
const ROUNDING_MS = 2_000;
/** A cloud that gives grants of no length is asked no more often than this. */
const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** When a grant that has just been issued is due for renewal (epoch ms). */
export function nextRenewalAt(grant: Grant, now: number): number {
  return Math.max(renewalDueAt(grant), now + SHORTEST_PAUSE_MS);
}

/** How long to wait after so many failures in a row; `random` in [0, 1) parts leases that failed together. */
export function pauseAfter(failures: number, random: number): number {
  const ceiling = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** (failures - 1));
  return ceiling * (0.5 + random / 2);
}

/** Why a grant is not renewed any more, in the words for whoever needs it once it has ended; undefined when it is. */
export function whyNotRenewed(grant: Grant, bounds: RenewalBounds, now: number): AgentctlError | undefined {
  const { deadlineAt, mintableUntil } = bounds;
  if (now >= deadlineAt || grant.usableUntil >= deadlineAt - ROUNDING_MS) return leaseEnded(deadlineAt);
  if (mintableUntil !== undefined && now >= mintableUntil) return identityEnded(grant, mintableUntil);
  return undefined;
}

export function leaseEnded(deadlineAt: number): AgentctlError {
  return new AgentctlError("LEASE_ENDED", `the lease ended at ${formatInstant(deadlineAt)}`, {
    hint: "its length is the ttl of the profile; run the command again for a new lease",
  });
}

export function leaseStopped(): AgentctlError {
  return new AgentctlError("LEASE_ENDED", "the lease ended with its command", {
    hint: "what goes on after its command has no credentials any more",
  });
}

/** `at` in milliseconds since the epoch. */
export function leaseRevoked(at: number): AgentctlError {
  return new AgentctlError("LEASE_ENDED", `the lease was revoked at ${formatInstant(at)}`, {
    hint: "run the command again for a new lease",
  });
}

function identityEnded({ cloud, usableUntil }: Grant, mintableUntil: number): AgentctlError {
  const ended = `the ${cloud} grant ended at ${formatInstant(usableUntil)}`;
  const why = `the identity's token ended at ${formatInstant(mintableUntil)} and there is no other`;
  return new AgentctlError("TOKEN_EXPIRED", `${ended} and is not renewed: ${why}`, {
    hint: "use an identity source that gives new tokens (github-actions, token-file, kubernetes), or a token that lasts longer",
  });
}

/**
 * Takes a renewal that renews nothing for a failure, or it would be asked for again and again.
 * @throws {AgentctlError} BAD_ANSWER
 */
export function requireLonger(renewed: Grant, held: Grant, now: number): void {
  if (renewed.usableUntil > Math.max(held.usableUntil, now)) return;
  const [given, had] = [formatInstant(renewed.usableUntil), formatInstant(held.usableUntil)];
  const message =
    renewed.usableUntil > held.usableUntil
      ? `the renewed ${held.cloud} grant had ended, at ${given}, before it was there`
      : `the renewed ${held.cloud} grant lasts until ${given}, and the one before until ${had}`;
  throw new AgentctlError("BAD_ANSWER", message, { hint: "what is held is used until its end; another try follows" });
}
