import { AgentctlError, toAgentctlError } from "../../../core/errors.js";
import type { EndContext, Ending, EndOrder } from "../../../core/lease.js";
import { pauseFor } from "../../../core/retry.js";
import type { Runtime } from "../../../core/runtime.js";
import { type ExchangeLimits, PATIENT_LIMITS } from "../../exchange/exchange.js";
import { type Look, lookBefore } from "../../look-before.js";
import { openStory, secondsSince } from "../../story.js";
import { watchRefusal } from "../../watch-refusal.js";
import { withinTime } from "../../within-time.js";
import type { Arm } from "./arm.js";
import {
  type Ended,
  endRightsByTime,
  failedEnding,
  neverEnding,
  queuedEnding,
  removedEnding,
  revokedEnding,
} from "./endings.js";
import { isForLock } from "./locks.js";
import { nameTarget, type Target } from "./names.js";
import { openProbe, type Probe, type Seen } from "./probe.js";
import { GRANTER_SETTING } from "./rights-settings.js";
import { signIn } from "./sign-in.js";
import { findStaying } from "./staying.js";
import { type Fate, takeOne } from "./take-one.js";
import type { Possession } from "./undo.js";

export interface TakeBackLimits {
  readonly exchange: ExchangeLimits;
  /** Until all is taken back. */
  readonly takeMs: number;
  /** After that, until the lease's token is seen to have nothing of it. */
  readonly watchMs: number;
}

export const TAKE_BACK_LIMITS: TakeBackLimits = {
  exchange: PATIENT_LIMITS,
  takeMs: 70_000,
  watchMs: 30_000,
};

/** How often the lease's token is tried. */
const WATCHING = { timesInARow: 3, firstPauseMs: 500, longestPauseMs: 5_000 };
/** The taking back must not wait long for the look at how things were before. */
const PROBE_LIMITS: ExchangeLimits = { attempts: 2, requestMs: 4_000 };
/** What a killed agentctl had sent may come to be on record a while after it is looked for; */
const SECOND_LOOK_MS = 8_000;
/** what this process sent, it has waited for, and what a token was issued for was there before: Azure may not show it yet. */
const OWN_SECOND_LOOK_MS = 3_000;
const NOT_SHOWN = "Azure shows nothing that was assigned for this lease, which was given it";
/** Azure's clock need not be this machine's. */
const OVER_MS = 60_000;

interface Work extends Ended {
  readonly context: EndContext;
  readonly runtime: Runtime;
  readonly limits: TakeBackLimits;
}

/** Takes back what a lease was given, and watches it take effect where it holds its token. Never throws. */
export async function takeRightsBack(
  order: EndOrder,
  possession: Possession,
  context: EndContext,
  runtime: Runtime,
  limits: TakeBackLimits = TAKE_BACK_LIMITS,
): Promise<Ending> {
  const work = { order, possession, context, runtime, limits, story: openStory(runtime) };
  if (!possession.allowUnbounded && possession.endsAt + OVER_MS < runtime.now()) {
    return endRightsByTime(work, runtime.now());
  }
  try {
    const probe = openProbe(order.grant, possession.ready, runtime, PROBE_LIMITS);
    const look = lookBefore(probe, context.unwatched);
    const { arm, fates } = await takeInTime(work, look);
    const from = ofKind(fates, "removed").map((fate) => fate.from);
    const staying = order.isIssued ? await findStaying(arm, from, context.signal) : [];
    return await conclude({ ...work, staying }, fates, probe, look.seen);
  } catch (thrown) {
    const error = context.signal.aborted ? interruptionOf(context.signal) : toAgentctlError(thrown);
    work.story.tell(`gave up: ${error.message}`);
    return failedEnding(work, problemOf(error), runtime.now());
  }
}

/** Takes back all that there is, each on its own, only when the look is over. */
function takeInTime(work: Work, look: Look<Seen>): Promise<{ readonly arm: Arm; readonly fates: readonly Fate[] }> {
  const { order, possession, context, runtime, limits, story } = work;
  const { granterClientId, tenantId, audiences } = possession;
  const late = new AgentctlError("UNREACHABLE", `Azure had not taken it back within ${limits.takeMs / 1000}s`);
  const mintToken: EndContext["mintToken"] = (wanted) => context.mintToken(wanted);
  const wait = { since: story.startedAt, until: story.startedAt + limits.takeMs };
  context.onProgress(`asking application ${granterClientId} to take the assignments back`, wait);
  const takeAll = async (signal: AbortSignal) => {
    const signingIn = { mintToken, signal, limits: limits.exchange, onTry: story.countTry };
    const granter = { tenantId, clientId: granterClientId, audiences, setting: GRANTER_SETTING };
    const { arm } = await signIn(granter, signingIn, runtime);
    await look.finish(signal);
    const take = (one: Target) => takeOne(arm, one, { ...possession, story }, runtime);
    const targets = targetsOf(possession);
    const fates = await Promise.all(targets.map(take));
    if (isWhole(possession, fates)) return { arm, fates };
    const isLanded = order.isIssued || order.isHandedOut === false;
    await pauseFor(isLanded ? OWN_SECOND_LOOK_MS : SECOND_LOOK_MS, signal, runtime);
    const again = fates.map((fate, index) => (fate.kind === "never" ? take(targets[index] as Target) : fate));
    return { arm, fates: await Promise.all(again) };
  };
  return withinTime(limits.takeMs, [context.signal], takeAll, late);
}

/** Whether one of the applications had all that can have been given: nothing more of it can be under way. */
function isWhole({ clientIds, assignments }: Possession, fates: readonly Fate[]): boolean {
  const size = assignments.length;
  return clientIds.some((_client, index) =>
    fates.slice(index * size, (index + 1) * size).every(({ kind }) => kind !== "never" && kind !== "failed"),
  );
}

function targetsOf({ leaseId, clientIds, assignments }: Possession) {
  return clientIds.flatMap((clientId) => assignments.map((assignment) => ({ leaseId, clientId, ...assignment })));
}

/** The weakest word of all that became of the assignments. */
function conclude(
  work: Work & { readonly staying: readonly string[] },
  fates: readonly Fate[],
  probe: Probe | undefined,
  before: Seen,
): Ending | Promise<Ending> {
  const { context, runtime, story } = work;
  const failed = ofKind(fates, "failed");
  for (const { error, target } of failed) story.tell(`could not take ${nameTarget(target)} back: ${error.message}`);
  if (failed[0] !== undefined) {
    const error = context.signal.aborted ? interruptionOf(context.signal) : failed[0].error;
    const isLocked = failed.some((fate) => isForLock(fate.error));
    return failedEnding(work, problemOf(error), runtime.now(), isLocked);
  }
  const early = ofKind(fates, "early");
  if (early.length > 0) return queuedEnding(work, early);
  if (fates.every(({ kind }) => kind === "never")) {
    // Who was issued a token had been given it by then; a plain assignment can have been deleted by others.
    const isMissing = work.order.isIssued && !work.possession.allowUnbounded;
    return isMissing ? failedEnding(work, NOT_SHOWN, runtime.now()) : neverEnding(work, runtime);
  }
  if (ofKind(fates, "gone").length > 0) story.tell("found that it was taken back before");
  if (fates.every(({ kind }) => kind === "never" || kind === "over")) {
    const endsAt = Math.max(...ofKind(fates, "over").map((fate) => fate.endsAt));
    return {
      ...endRightsByTime({ ...work, possession: { ...work.possession, endsAt } }, runtime.now()),
      steps: story.steps,
    };
  }
  const isFound = ofKind(fates, "removed").length === 0;
  return observe({ ...work, endsAt: lastEndOf(fates), isFound }, probe, before);
}

/** When all that was taken back would have ended by itself; never for what would not have. */
function lastEndOf(fates: readonly Fate[]): number {
  const ends = [...ofKind(fates, "removed"), ...ofKind(fates, "gone")].map((fate) => fate.endsAt);
  return Math.max(...ends.map((endsAt) => endsAt ?? Number.POSITIVE_INFINITY));
}

async function observe(
  work: Work & { readonly endsAt: number; readonly isFound: boolean; readonly staying: readonly string[] },
  probe: Probe | undefined,
  before: Seen,
): Promise<Ending> {
  const { context, runtime, limits, story } = work;
  const since = runtime.now();
  const removed = (text: string, reason: string) => removedEnding(work, { since, ...work }, { text, reason });
  if (work.staying.length > 0) {
    story.tell(`did not wait to see it refused: ${work.staying.join(", and ")}`);
    const text = `${work.staying.join(", and ")}, so nothing is refused that could be seen`;
    return removed(text, "another assignment still gives it");
  }
  if (probe === undefined) {
    const reason =
      work.possession.ready === undefined ? "no azure.ready to see it by" : "no token of the lease to see it by";
    return removed("whoever took it back had nothing to see that with", reason);
  }
  if (context.unwatched.aborted || context.signal.aborted) {
    return removed("nobody waited to see that", "not waited for");
  }
  if (before !== "open") {
    return removed("Azure gave no answer before by which that could be seen", "Azure gave no answer to see it by");
  }
  const { permissions, at } = probe.ready;
  const text = `waiting to see the role gone: ${permissions.join(", ")} at ${at}`;
  const watching = { ...WATCHING, since, watchMs: limits.watchMs, text };
  const isClosed = async (signal: AbortSignal) => (await probe.ask(signal)) === "closed";
  const first = await watchRefusal(isClosed, watching, context, runtime);
  if (first !== undefined && first >= work.endsAt) {
    return {
      ...endRightsByTime({ ...work, possession: { ...work.possession, endsAt: work.endsAt } }, first),
      steps: story.steps,
    };
  }
  if (first !== undefined) {
    story.tell(`seen by the lease's own token, ${secondsSince(since, first)} after it was taken back`);
    return revokedEnding(work, probe.ready, since, first);
  }
  const waited = secondsSince(since, runtime.now());
  story.tell(`not seen by the lease's own token within ${waited}`);
  return removed(
    `the lease's own token was not seen to lose it within ${waited}`,
    `watched for ${waited}, and not seen gone`,
  );
}

function ofKind<Kind extends Fate["kind"]>(fates: readonly Fate[], kind: Kind): Extract<Fate, { kind: Kind }>[] {
  return fates.filter((fate): fate is Extract<Fate, { kind: Kind }> => fate.kind === kind);
}

function problemOf({ code, message }: AgentctlError): string {
  return code === "INTERRUPTED" ? "interrupted before it was taken back" : message;
}

function interruptionOf({ reason }: AbortSignal): AgentctlError {
  return reason instanceof AgentctlError ? reason : new AgentctlError("INTERRUPTED", "interrupted");
}
