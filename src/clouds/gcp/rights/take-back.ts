import { AgentctlError, toAgentctlError } from "../../../core/errors.js";
import type { EndContext, Ending, EndOrder } from "../../../core/lease.js";
import { pauseFor } from "../../../core/retry.js";
import type { Runtime } from "../../../core/runtime.js";
import { type ExchangeLimits, PATIENT_LIMITS } from "../../exchange/exchange.js";
import { type Look, lookBefore } from "../../look-before.js";
import { openStory, type Story, secondsSince } from "../../story.js";
import { watchRefusal } from "../../watch-refusal.js";
import { withinTime } from "../../within-time.js";
import { endGcpGrant } from "../ending.js";
import type { Asking } from "./ask-rights.js";
import { openFederation } from "./bearers.js";
import { type ChangeLimits, WRITE_GRACE_MS } from "./change-policy.js";
import { boundEnding, failedEnding, removedEnding, revokedEnding } from "./endings.js";
import { openEnders } from "./open-enders.js";
import { openProbe, type Probe } from "./probe.js";
import { describeStaying, nameStaying, type Staying } from "./staying.js";
import { type Taken, takeAll } from "./take-all.js";
import type { Target } from "./undo.js";

export interface TakeBackLimits {
  readonly exchange: ExchangeLimits;
  readonly change: ChangeLimits;
  /** Until everything is taken back. */
  readonly removeMs: number;
  /** Of that, for the grant of an entitlement to end. */
  readonly entitlementMs: number;
  /** After that, until Google is seen to refuse. */
  readonly watchMs: number;
  /** A write that was under way when an agentctl was killed has landed by then; */
  readonly secondLookMs: number;
  /** one of this process, which has waited for it; and a policy that is read shows by then what was written long before. */
  readonly ownSecondLookMs: number;
}

export const TAKE_BACK_LIMITS: TakeBackLimits = {
  exchange: PATIENT_LIMITS,
  change: { attempts: 100, changeMs: 50_000 },
  removeMs: 70_000,
  entitlementMs: 30_000,
  watchMs: 30_000,
  secondLookMs: WRITE_GRACE_MS,
  ownSecondLookMs: 2_000,
};

/** How often the lease's token is tried. */
const WATCHING = { timesInARow: 2, firstPauseMs: 200, longestPauseMs: 3_000 };

const NO_TOKEN = "no token of the lease to see it by";
const NO_ANSWER = "Google gave no answer to see it by";

/** One grant being ended. */
interface Work {
  readonly order: EndOrder;
  readonly target: Target;
  readonly context: EndContext;
  readonly runtime: Runtime;
  readonly limits: TakeBackLimits;
  readonly story: Story;
}

/** Takes back what was given for the lease, and watches it take effect where its token is at hand. Never throws. */
export async function takeBack(
  order: EndOrder,
  target: Target,
  context: EndContext,
  runtime: Runtime,
  limits: TakeBackLimits = TAKE_BACK_LIMITS,
): Promise<Ending> {
  const work = { order, target, context, runtime, limits, story: openStory(runtime) };
  try {
    const probe = openProbe(order, target, runtime);
    const look = lookBefore(probe, context.unwatched);
    const { wasThere, staying } = await takeInTime(work, look);
    const since = runtime.now();
    if (since >= target.boundAt) return boundEnding(order, target, work.story);
    if (!wasThere) return nothingThere(work, since, staying);
    return await observe({ ...work, staying }, probe, look.seen, since);
  } catch (thrown) {
    const error = context.signal.aborted ? interruption(context.signal) : toAgentctlError(thrown);
    work.story.tell(`gave up: ${error.message}`);
    return failedEnding(order, target, error, work.story, runtime.now());
  }
}

/** Takes it back only when the look is over. */
async function takeInTime(work: Work, look: Look<unknown>): Promise<Taken> {
  const { order, target, context, runtime, limits, story } = work;
  const late = new AgentctlError("UNREACHABLE", `Google had not taken it back within ${limits.removeMs / 1000}s`);
  return withinTime(
    limits.removeMs,
    [context.signal],
    async (signal) => {
      const asking: Asking = { signal, runtime, limits: limits.exchange };
      const wait = { since: story.startedAt, until: story.startedAt + limits.removeMs };
      context.onProgress(`asking ${target.granter ?? "Google"} to take back what was given`, wait);
      const federation = await openFederation(target.who, (audiences) => context.mintToken(audiences), asking);
      const enders = await openEnders(target.who, target, federation, asking);
      // Whoever asked for a grant may withdraw it without the granter.
      if (enders.refusal !== undefined) story.tell(`could not be ${target.granter}: ${enders.refusal.message}`);
      await look.finish(signal);
      const taken = await takeAll(work, enders, asking);
      if (taken.isWhole || (order.isIssued && !taken.isMissing)) return taken;
      // Whoever gave it may have been killed while it did; and what was given can be missing in what Google shows.
      const isLanded = order.isIssued || order.isHandedOut === false;
      await pauseFor(isLanded ? limits.ownSecondLookMs : limits.secondLookMs, signal, runtime);
      const second = await takeAll(work, enders, asking);
      story.tell(`looked twice, for what may have been ${order.isIssued ? "missing in Google's answer" : "under way"}`);
      return { ...second, wasThere: taken.wasThere || second.wasThere };
    },
    late,
  );
}

/** Never given, or taken away by somebody before: where a token was issued, it had been given. */
function nothingThere({ order, target, runtime, story }: Work, since: number, staying: readonly Staying[]): Ending {
  story.tell("nothing of this lease was there to be taken back");
  const unseen = { text: "nothing of it was there any more", reason: "it was gone before" };
  if (order.isIssued) return removedEnding(order, target, { since, unseen, staying }, story);
  return { ...endGcpGrant(order, runtime), steps: story.steps };
}

async function observe(
  { order, target, context, runtime, limits, story, staying }: Work & Pick<Taken, "staying">,
  probe: Probe | undefined,
  before: readonly string[] | "nothing",
  since: number,
): Promise<Ending> {
  const removed = (text: string, reason: string) =>
    removedEnding(order, target, { since, unseen: { text, reason }, staying }, story);
  if (staying.some(({ isSure }) => isSure)) {
    story.tell(`did not wait to see it refused: ${describeStaying(staying, order.principal)}`);
    return removed("so nothing is refused that could be seen", nameStaying(staying));
  }
  if (target.ready === undefined)
    return removed("no permission was named by which that could be seen", "no gcp.ready to see it by");
  if (probe === undefined) return removed("whoever took it back had no token of it to see that", NO_TOKEN);
  if (context.unwatched.aborted || context.signal.aborted)
    return removed("nobody waited to see that", "not waited for");
  const where = `testIamPermissions on ${target.ready.resource.name}`;
  if (before === "nothing") {
    return removed(`${where} gave the lease's own token no answer by which that could be seen`, NO_ANSWER);
  }
  if (before.length === 0) {
    return removed(`${where} granted the lease's own token nothing before either`, "it did not work before either");
  }
  const text = `waiting to see the role gone: ${before.join(", ")} on ${target.ready.resource.name}`;
  const watching = { ...WATCHING, since, watchMs: limits.watchMs, text };
  const isRefused = async (signal: AbortSignal) => {
    const granted = await probe.ask(signal);
    return granted !== "nothing" && !before.some((permission) => granted.includes(permission));
  };
  const first = await watchRefusal(isRefused, watching, context, runtime);
  if (first !== undefined && first >= target.boundAt) return boundEnding(order, target, story);
  if (first !== undefined) {
    story.tell(`no longer granted, ${secondsSince(since, first)} after it was taken back`);
    return revokedEnding(order, target, { since, first, permissions: before }, story);
  }
  const waited = secondsSince(since, runtime.now());
  story.tell(`still granted ${waited} after it was taken back`);
  return removed(`${where} was not seen to refuse within ${waited}`, `watched for ${waited}, and not seen gone`);
}

function interruption(signal: AbortSignal): AgentctlError {
  if (signal.reason instanceof AgentctlError) return signal.reason;
  return new AgentctlError("INTERRUPTED", "interrupted while what was given was taken back");
}
