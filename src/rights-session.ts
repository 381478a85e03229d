import type { Account } from "./audit/index.js";
import { hasRights, openRights, type RightsListener } from "./clouds/index.js";
import type { EndStep, Wait } from "./core/lease.js";
import type { CloudName } from "./core/profile.js";
import { type HeldLease, noteRevoked } from "./held-session.js";
import { beginTerms, leaseQueuedUntil, leaseRevoked } from "./lease/index.js";
import { issueContext } from "./renewal-session.js";
import type { Interruption } from "./run/index.js";

/**
 * Gives the principals what the profile names for the time of the lease, and waits until it works: then that time begins.
 * A revocation ends the waiting as an interrupt does. What was asked for here is ended with the lease, however this ends,
 * and what was done is on the account by then.
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
  const note = openNote(held);
  const context = {
    ...issueContext(prepared.identity, signal),
    onProgress: (text: string, wait?: Wait) => {
      note(text);
      observe({ kind: "progress", text, wait });
    },
    onNotice: (text: string) => observe({ kind: "notice", text }),
    freedAt: (leaseId: string) => leaseQueuedUntil(leaseId, runtime),
  };
  try {
    const { profile, plans } = prepared;
    const listener: RightsListener = {
      onAsking: (cloud) => void held.askedForRights.add(cloud),
      onStep: (cloud, step) => {
        account.rights = addStep(account.rights, cloud, step);
      },
    };
    const opened = await openRights(profile, plans, prepared.terms, context, runtime, listener);
    const terms = beginTerms(prepared.terms, runtime);
    held.prepared = { ...prepared, profile: opened.profile, terms };
    account.terms = terms;
    entry.update({ deadlineAt: terms.deadlineAt, waitsFor: null });
    observe({ kind: "progress" });
    observe({ kind: "begun", terms, clouds: opened.clouds });
  } catch (thrown) {
    // No cloud is to be named for it.
    throw revoked.signal.aborted ? revoked.signal.reason : thrown;
  } finally {
    observe({ kind: "progress" });
    stopWatching();
  }
}

/** What is waited for is in the ledger for others to see: written when it changes, and not over and over where clouds take turns. */
function openNote({ entry, recorder, runtime }: HeldLease): (text: string) => void {
  let [noted, notedAt] = ["", Number.NEGATIVE_INFINITY];
  return (text) => {
    if (text === noted || runtime.now() - notedAt < NOTED_MS) return;
    [noted, notedAt] = [text, runtime.now()];
    recorder.attempt(() => entry.update({ waitsFor: text }));
  };
}

const NOTED_MS = 1_000;

type Rights = NonNullable<Account["rights"]>;

function addStep(rights: Rights = [], cloud: CloudName, step: EndStep): Rights {
  const steps = rights.find((one) => one.cloud === cloud)?.steps;
  if (steps === undefined) return [...rights, { cloud, steps: [step] }];
  return rights.map((one) => (one.cloud === cloud ? { cloud, steps: [...steps, step] } : one));
}
