import { AgentctlError, toAgentctlError } from "../../../core/errors.js";
import type { EndContext, Ending, EndOrder } from "../../../core/lease.js";
import type { Runtime } from "../../../core/runtime.js";
import { type Look, lookBefore } from "../../look-before.js";
import { openStory, type Story, secondsSince } from "../../story.js";
import { watchRefusal } from "../../watch-refusal.js";
import { withinTime } from "../../within-time.js";
import { EXCHANGE_LIMITS, type ExchangeLimits } from "../limits.js";
import { interruptionOf } from "../service-errors.js";
import { asRevoker } from "./as-revoker.js";
import {
  describeTries,
  failedEnding,
  lostEnding,
  type NoDeny,
  removedEnding,
  revokedEnding,
  undeniedEnding,
} from "./endings.js";
import { openProbe, type Probe, type Seen } from "./probe.js";
import { putDeny } from "./put-deny.js";
import { revokerSessionName } from "./revoker.js";
import { requireSamePlace } from "./same-place.js";
import type { Target } from "./undo.js";

export interface TakeBackLimits {
  readonly exchange: ExchangeLimits;
  /** Until the deny is on the role. */
  readonly putMs: number;
  /** After that, until the session is seen to be refused. */
  readonly watchMs: number;
}

export const TAKE_BACK_LIMITS: TakeBackLimits = {
  // About a quarter of a minute of an AWS that is away.
  exchange: { ...EXCHANGE_LIMITS, attempts: 16 },
  putMs: 40_000,
  watchMs: 30_000,
};

/** How often the session is tried. */
const WATCHING = { timesInARow: 2, firstPauseMs: 150, longestPauseMs: 2_000 };
/** The deny must not wait long for the look at how things were without it. */
const PROBE_LIMITS = { attempts: 2, connectMs: 2_000, exchangeMs: 4_000 };

const NO_KEYS = "no keys of the lease to see it by";

/** One grant being taken back. */
interface Work {
  readonly order: EndOrder;
  readonly target: Target;
  readonly context: EndContext;
  readonly runtime: Runtime;
  readonly limits: TakeBackLimits;
  readonly story: Story;
}

/** Puts a deny for the lease's sessions on their role, and watches it take effect where it holds their keys. Never throws. */
export async function takeBack(
  order: EndOrder,
  target: Target,
  context: EndContext,
  runtime: Runtime,
  limits: TakeBackLimits = TAKE_BACK_LIMITS,
): Promise<Ending> {
  const work = { order, target, context, runtime, limits, story: openStory(runtime) };
  let probe: Probe | undefined;
  try {
    requireSamePlace(target, runtime);
    if (order.grant !== undefined) probe = openProbe(order.grant, target.stsRegion, runtime, PROBE_LIMITS);
    const look = lookBefore(probe, context.unwatched);
    const since = await putInTime(work, look);
    if (typeof since === "string") return undeniedEnding(order, target, since, work.story, runtime.now());
    return await observe(work, probe, look.seen, since);
  } catch (thrown) {
    const error = context.signal.aborted ? interruptionOf(context.signal, { service: "IAM" }) : toAgentctlError(thrown);
    work.story.tell(`gave up: ${describeTries(work.story, runtime.now())}`);
    if (order.isHandedOut === false) return lostEnding(order, error, work.story, runtime.now());
    return failedEnding(order, error, work.story, runtime.now());
  } finally {
    probe?.close();
  }
}

/** The revoker's session, and with it the deny, which is put only when the look is over. */
async function putInTime(work: Work, look: Look<Seen>): Promise<number | NoDeny> {
  const { order, target, context, runtime, limits, story } = work;
  const late = new AgentctlError("UNREACHABLE", `AWS had not taken it back within ${limits.putMs / 1000}s`);
  const request = { ...target, sessionName: revokerSessionName(target.leaseId) };
  const mintToken: EndContext["mintToken"] = (audiences) => context.mintToken(audiences);
  const putAs = (signal: AbortSignal) => {
    const asking = { mintToken, signal, limits: limits.exchange, onTry: story.countTry };
    return asRevoker(request, asking, runtime, async (role, clockAheadMs) => {
      story.tell(`assumed ${target.revokerRoleArn}`);
      const looking = target.acceptEscalation || role.hasBoundary();
      const [isBounded] = await Promise.all([looking, look.finish(signal)]);
      if (!isBounded) return "unbounded";
      return putDeny(role, { target, order, clockAheadMs, signal, story }, runtime);
    });
  };
  const wait = { since: story.startedAt, until: story.startedAt + limits.putMs };
  context.onProgress(`asking ${target.revokerRoleArn} to take the session back`, wait);
  return withinTime(limits.putMs, context.signal, putAs, late);
}

async function observe(work: Work, probe: Probe | undefined, before: Seen, since: number): Promise<Ending> {
  const { order, target, context, runtime, limits, story } = work;
  const removed = (text: string, reason: string) => removedEnding(order, target, since, { text, reason }, story);
  const where = `STS in ${target.stsRegion}`;
  if (probe === undefined) return removed("whoever took it back had no keys of it to see that", NO_KEYS);
  if (context.unwatched.aborted || context.signal.aborted)
    return removed("nobody waited to see that", "not waited for");
  if (before === "nothing") {
    return removed(`${where} gave no answer by which that could be seen`, "STS gave no answer to see it by");
  }
  if (before !== "open") {
    return removed(`${where} denied the session's call, by which that is seen, before`, "refused before already");
  }
  const text = `waiting to see the session refused, by ${where}`;
  const watching = { ...WATCHING, since, watchMs: limits.watchMs, text };
  const isDenied = async (signal: AbortSignal) => (await probe.ask(signal)) === "denied";
  const first = await watchRefusal(isDenied, watching, context, runtime);
  if (first !== undefined) {
    story.tell(`refused by ${where}, ${secondsSince(since, first)} after the deny was put`);
    return revokedEnding(order, target, since, first, story);
  }
  const waited = secondsSince(since, runtime.now());
  story.tell(`not seen to be refused by ${where} within ${waited}`);
  return removed(
    `${where} was not seen to refuse the session within ${waited}`,
    `watched for ${waited}, and not seen refused`,
  );
}
