import { endGrants, orderOf, orderOfPlan } from "./clouds/index.js";
import { formatInstant } from "./core/durations.js";
import type { EndContext, Ending, EndOrder } from "./core/lease.js";
import { pauseFor } from "./core/retry.js";
import type { Runtime } from "./core/runtime.js";
import { isUnfinished, lastRetryOf } from "./core/unfinished.js";
import type { HeldLease } from "./held-session.js";

/** Ends the grants of a lease that this process holds, once: whoever comes second waits for the same. Never throws. */
export function endOnce(held: HeldLease): Promise<readonly Ending[]> {
  held.ending ??= endAll(held);
  return held.ending;
}

async function endAll(held: HeldLease): Promise<readonly Ending[]> {
  const { prepared, account, observe, runtime, entry, recorder, kept } = held;
  if (kept !== undefined) account.grants = kept.grants;
  const grants = account.grants ?? [];
  const orders = ordersOf(held);
  const others = prepared.plans.filter(({ cloud }) => !orders.some((order) => order.cloud === cloud));
  const without = others.map(({ cloud }) => cloud);
  if (orders.length > 0) recorder.attempt(() => entry.update({ state: "ending", grants, without }));
  const context: EndContext = {
    mintToken: prepared.identity.mintToken,
    unwatched: held.unwatched.signal,
    signal: held.left.signal,
    onProgress: (text, wait) => observe({ kind: "progress", text, wait }),
  };
  const first = await endGrants(orders, context, runtime);
  const endings = prepared.profile.revoke === "required" ? await endQueued(first, orders, context, held) : first;
  observe({ kind: "progress" });
  const told = endings.filter((ending, index) => isWorthTelling(ending, orders[index] as EndOrder));
  account.endings = told;
  const { isHandedOut = false } = held;
  for (const ending of told) observe({ kind: "ended", ending, isHandedOut });
  return told;
}

/** What is held, and what was asked for in clouds that give rights first. */
function ordersOf({ prepared, account, askedForRights, isHandedOut = false }: HeldLease): readonly EndOrder[] {
  const { plans, terms } = prepared;
  const grants = account.grants ?? [];
  const unissued = plans.filter(
    ({ cloud }) => askedForRights.has(cloud) && !grants.some((grant) => grant.cloud === cloud),
  );
  return [
    ...grants.map((grant) => ({ ...orderOf(grant, plans, terms), isHandedOut })),
    ...unissued.map((plan) => orderOfPlan(plan, terms)),
  ];
}

/** That what was never issued, and given no rights, ends by itself is no news. */
function isWorthTelling(ending: Ending, { isIssued }: EndOrder): boolean {
  return isIssued || isUnfinished(ending) || ending.word !== "expires";
}

/**
 * What has to be taken back, and what its cloud takes back only later, is waited for; an interrupt leaves it to the
 * lease's watchdog, and so does a cloud that goes on refusing.
 */
async function endQueued(
  first: readonly Ending[],
  orders: readonly EndOrder[],
  context: EndContext,
  held: HeldLease,
): Promise<readonly Ending[]> {
  const { entry, recorder, observe, runtime } = held;
  const { unwatched, signal, onProgress } = context;
  let endings = first;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const until = lastRetryOf(endings);
    if (until === undefined || unwatched.aborted || signal.aborted) break;
    const noted = endings;
    recorder.attempt(() => entry.update({ state: "ending", endings: noted }));
    const clouds = endings.filter(isUnfinished).map(({ cloud }) => cloud);
    const since = runtime.now();
    const what = `waiting to take back what ${clouds.join(" and ")} gave`;
    observe({
      kind: "notice",
      text: `${what}, until ${formatInstant(until)}; an interrupt leaves that to the watchdog`,
    });
    onProgress(what, { since, until });
    held.closing = "waiting";
    await waitUntil(until, AbortSignal.any([unwatched, signal]), runtime);
    if (unwatched.aborted || signal.aborted) break;
    held.closing = "ending";
    const due = orders.filter((_, index) => isUnfinished(endings[index] as Ending));
    const again = await endGrants(due, context, runtime);
    endings = endings.map((ending) => continueEnding(ending, again));
  }
  return endings;
}

const MOST_ROUNDS = 3;
/** A machine that sleeps, and a clock that is set, are noticed. */
const LOOK_MS = 5_000;

async function waitUntil(time: number, signal: AbortSignal, runtime: Runtime): Promise<void> {
  for (let left = time - runtime.now(); left > 0 && !signal.aborted; left = time - runtime.now()) {
    await pauseFor(Math.min(left, LOOK_MS), signal, runtime);
  }
}

/** With the steps of the earlier try first. */
function continueEnding(ending: Ending, again: readonly Ending[]): Ending {
  const next = again.find(({ cloud }) => cloud === ending.cloud);
  if (!isUnfinished(ending) || next === undefined) return ending;
  return { ...next, steps: [...(ending.steps ?? []), ...(next.steps ?? [])] };
}
