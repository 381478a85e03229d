import { callAt } from "../core/call-at.js";
import { AgentctlError } from "../core/errors.js";
import type { Grant, LeaseTerms } from "../core/lease.js";
import type { CloudName } from "../core/profile.js";
import type { RenewalCount } from "../core/renewal-count.js";
import type { Runtime } from "../core/runtime.js";
import { type KeptGrant, keepGrant, type RenewalRules } from "./keep-grant.js";
import { leaseEnded, leaseStopped } from "./renewal-rules.js";

export interface KeepInput extends RenewalRules {
  /** All of the lease's; those that go by the endpoint are renewed. */
  readonly grants: readonly Grant[];
  readonly terms: Pick<LeaseTerms, "deadlineAt">;
  /** When the identity's last token ends (epoch ms): nothing is renewed from then on. */
  readonly mintableUntil?: number;
}

/** The grants of a lease while it lives. */
export interface KeptGrants {
  /**
   * The grant to answer with: the one held while it is usable, else what the renewal under way brings.
   * @throws {AgentctlError} LEASE_ENDED; TOKEN_EXPIRED when the identity has no token to renew with; or what the
   * renewal failed with
   */
  current(cloud: CloudName): Promise<Grant>;
  /** The newest of each cloud, in their order: what is to be ended, after `stop`. */
  readonly grants: readonly Grant[];
  /** One for each cloud whose grant goes by the endpoint. */
  readonly renewals: readonly RenewalCount[];
  /**
   * Renews nothing any more, and aborts what is under way. Resolves when that has settled: a grant that it still
   * brought is among `grants` then. Whoever asks from now on is told `reason`, or that the command has ended; of several
   * the first is told. Never rejects.
   */
  stop(reason?: AgentctlError): Promise<void>;
}

/**
 * Keeps what the endpoint answers with usable until the lease's deadline: renewed ahead of its end by the wall clock,
 * and when it is asked for after it. A renewal that fails is tried again, while what is still good is served.
 */
export function keepGrants(input: KeepInput, runtime: Pick<Runtime, "now" | "random">): KeptGrants {
  const { grants, terms, ...rules } = input;
  const ended = new AbortController();
  const cancelDeadline = callAt(terms.deadlineAt, () => ended.abort(leaseEnded(terms.deadlineAt)), runtime);
  const kept = new Map<CloudName, KeptGrant>();
  for (const grant of grants.filter(({ channel }) => channel === "endpoint")) {
    kept.set(grant.cloud, keepGrant(grant, { ...rules, deadlineAt: terms.deadlineAt }, ended.signal, runtime));
  }
  return {
    current: async (cloud) => {
      const found = kept.get(cloud);
      if (found === undefined) throw new AgentctlError("DEFECT", `no ${cloud} grant goes by the endpoint`);
      return found.current();
    },
    get grants() {
      return grants.map((grant) => kept.get(grant.cloud)?.grant ?? grant);
    },
    get renewals() {
      return [...kept.values()].map(({ renewals }) => renewals);
    },
    stop: async (reason = leaseStopped()) => {
      cancelDeadline();
      ended.abort(reason);
      await Promise.all([...kept.values()].map((each) => each.settle()));
    },
  };
}
