import { hasRights, openRights } from "./clouds/index.js";
import type { CloudName } from "./core/profile.js";
import { type HeldLease, noteRevoked } from "./held-session.js";
import { beginTerms, leaseRevoked } from "./lease/index.js";
import { issueContext } from "./renewal-session.js";
import type { Interruption } from "./run/index.js";

/**
 * Gives the principals what the profile names for the time of the lease, and waits until it works: then that time begins.
 * A revocation ends the waiting as an interrupt does. What was asked for here is ended with the lease, however this ends.
 * @throws {AgentctlError} what `openRights` throws; LEASE_ENDED when it was revoked; STATE_UNWRITABLE
 */
export async function giveRights(held: HeldLease, interruption: Interruption): Promise<void> {
  const { prepared, account, entry, observe, runtime } = held;
  if (!(await hasRights(prepared.profile))) return;
  const revoked = new AbortController();
  const signal = AbortSignal.any([interruption.signal, revoked.signal]);
  const stopWatching = entry.onRevoked((request) => {
    noteRevoked(held, request);
    revoked.abort(leaseRevoked(request.at));
  });
  const context = {
    ...issueContext(prepared.identity, signal),
    onProgress: (text: string) => observe({ kind: "progress", text }),
    onNotice: (text: string) => observe({ kind: "notice", text }),
  };
  try {
    const { profile, plans } = prepared;
    const onAsking = (cloud: CloudName) => void held.askedForRights.add(cloud);
    const opened = await openRights(profile, plans, prepared.terms, context, runtime, onAsking);
    const terms = beginTerms(prepared.terms, runtime);
    held.prepared = { ...prepared, profile: opened.profile, terms };
    account.terms = terms;
    account.rights = opened.rights;
    entry.update({ deadlineAt: terms.deadlineAt });
    observe({ kind: "progress" });
    observe({ kind: "begun", terms, clouds: opened.rights.map(({ cloud }) => cloud) });
  } catch (thrown) {
    // No cloud is to be named for it.
    throw revoked.signal.aborted ? revoked.signal.reason : thrown;
  } finally {
    observe({ kind: "progress" });
    stopWatching();
  }
}
