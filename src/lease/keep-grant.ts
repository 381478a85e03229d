import { callAt } from "../core/call-at.js";
import { type AgentctlError, toAgentctlError } from "../core/errors.js";
import type { Grant } from "../core/lease.js";
import type { CloudName } from "../core/profile.js";
import type { RenewalCount } from "../core/renewal-count.js";
import type { Runtime } from "../core/runtime.js";
import { untilAborted } from "../core/until-aborted.js";
import {
  leaseEnded,
  nextRenewalAt,
  pauseAfter,
  type RenewalBounds,
  requireLonger,
  whyNotRenewed,
} from "./renewal-rules.js";

/** How a grant is renewed, and who is told; the callbacks do not throw, and none is called after the end. */
export interface RenewalRules {
  /** Issues the cloud's grant anew. Settles soon after `signal` is aborted, with the grant if it was issued by then. */
  readonly renew: (cloud: CloudName, signal: AbortSignal) => Promise<Grant>;
  readonly onRenewed: (grant: Grant, previous: Grant) => void;
  /** The first failure of an outage, and the grant that is served meanwhile. */
  readonly onFailed: (held: Grant, error: AgentctlError) => void;
  /** After `onRenewed`, when that was the end of an outage. */
  readonly onRecovered?: (grant: Grant) => void;
}

/** One grant, kept usable for as long as its lease lives. */
export interface KeptGrant {
  readonly grant: Grant;
  readonly renewals: RenewalCount;
  /** @throws {AgentctlError} LEASE_ENDED, TOKEN_EXPIRED, or what the renewal failed with */
  current(): Promise<Grant>;
  /** Resolves when no renewal is under way. */
  settle(): Promise<void>;
}

interface Outage {
  readonly failures: number;
  readonly error: AgentctlError;
  /** From then on an asker who has nothing to use may cause a try (epoch ms). */
  readonly askableAt: number;
}

/** However many ask for a grant that has ended, a cloud that fails is not asked more often than this. */
const ASKED_PAUSE_MS = 1_000;

type KeepRuntime = Pick<Runtime, "now" | "random">;

/** Renews `first`, and what comes after it, ahead of its end and when it is asked for, until `ended` is aborted. */
export function keepGrant(
  first: Grant,
  rules: RenewalRules & RenewalBounds,
  ended: AbortSignal,
  runtime: KeepRuntime,
): KeptGrant {
  let grant = first;
  let renewals: RenewalCount = { cloud: first.cloud, renewed: 0, failed: 0 };
  let outage: Outage | undefined;
  let flight: { readonly work: Promise<Grant>; readonly answer: Promise<Grant> } | undefined;
  let cancelNext = (): void => {};

  function plan(at: number): void {
    if (ended.aborted || whyNotRenewed(grant, rules, runtime.now()) !== undefined) return;
    cancelNext = callAt(at, renewWhenDue, runtime);
  }

  /** Looks again: what allowed a renewal when this was planned may have ended since. */
  function renewWhenDue(): void {
    if (whyNotRenewed(grant, rules, runtime.now()) === undefined) depart();
  }

  /** There is one flight at a time, and none is planned while it is under way. */
  function depart(): Promise<Grant> {
    cancelNext();
    const work = renewOnce().finally(() => {
      flight = undefined;
    });
    const answer = untilAborted(work, ended);
    // Often nobody waits for it; the failure is told by onFailed.
    answer.catch(() => {});
    flight = { work, answer };
    return answer;
  }

  async function renewOnce(): Promise<Grant> {
    let renewed: Grant;
    try {
      renewed = await rules.renew(grant.cloud, ended);
      requireLonger(renewed, grant, runtime.now());
    } catch (thrown) {
      throw noteFailure(toAgentctlError(thrown));
    }
    noteSuccess(renewed);
    return renewed;
  }

  function noteFailure(error: AgentctlError): AgentctlError {
    if (ended.aborted) return error;
    const [now, before] = [runtime.now(), outage];
    const failures = (before?.failures ?? 0) + 1;
    outage = { failures, error, askableAt: now + ASKED_PAUSE_MS };
    renewals = { ...renewals, failed: renewals.failed + 1 };
    plan(now + pauseAfter(failures, runtime.random()));
    if (before === undefined) rules.onFailed(grant, error);
    return error;
  }

  function noteSuccess(renewed: Grant): void {
    const [now, previous, before] = [runtime.now(), grant, outage];
    grant = renewed;
    outage = undefined;
    renewals = { ...renewals, renewed: renewals.renewed + 1, firstAt: renewals.firstAt ?? now, lastAt: now };
    if (ended.aborted) return;
    plan(nextRenewalAt(grant, now));
    rules.onRenewed(grant, previous);
    if (before !== undefined) rules.onRecovered?.(grant);
  }

  function renewForAsker(now: number): Promise<Grant> {
    const reason = whyNotRenewed(grant, rules, now);
    if (reason !== undefined) throw reason;
    if (outage !== undefined && now < outage.askableAt) throw outage.error;
    return depart();
  }

  plan(nextRenewalAt(first, runtime.now()));
  ended.addEventListener("abort", () => cancelNext(), { once: true });
  return {
    get grant() {
      return grant;
    },
    get renewals() {
      return renewals;
    },
    current: async () => {
      ended.throwIfAborted();
      const now = runtime.now();
      if (now >= rules.deadlineAt) throw leaseEnded(rules.deadlineAt);
      return now < grant.usableUntil ? grant : (flight?.answer ?? renewForAsker(now));
    },
    settle: async () => {
      await flight?.work.catch(() => {});
    },
  };
}
