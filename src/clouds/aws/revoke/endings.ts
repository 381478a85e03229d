import { formatExactInstant, formatInstant } from "../../../core/durations.js";
import type { AgentctlError } from "../../../core/errors.js";
import type { Ending, EndOrder } from "../../../core/lease.js";
import { type Story, secondsSince } from "../../story.js";
import type { Unseen } from "../../unseen.js";
import { endByTime, latestUse, remainders } from "../ending.js";
import { isFenceNear, NEAR_SECONDS } from "./near-fence.js";
import type { Target } from "./undo.js";

const DELAY = "AWS says that such a change takes effect within minutes, usually within seconds";

/** Seen to be refused: `first` refused at, `since` the deny was put, both epoch ms. */
export function revokedEnding(order: EndOrder, target: Target, since: number, first: number, story: Story): Ending {
  const detail =
    `STS in ${target.stsRegion} refused the session because of the deny on ${target.roleArn}, ` +
    `${secondsSince(since, first)} after it was put there; ${remainders(order)}`;
  const at = formatExactInstant(first);
  return { cloud: "aws", word: "revoked", at, until: formatInstant(latestUse(order)), detail, steps: story.steps };
}

/** Taken back, and not seen to be: `unseen` says why. */
export function removedEnding(order: EndOrder, target: Target, since: number, unseen: Unseen, story: Story): Ending {
  const fence = formatInstant(order.usableUntil);
  const detail =
    `a deny for this session is on ${target.roleArn} since ${formatInstant(since)}; ${DELAY}; ${unseen.text}; ` +
    `at ${fence}, at the latest, the session's own policy denies every authorized call; ${remainders(order)}`;
  return { ...timesOf(order), word: "removed", detail, reason: unseen.reason, steps: story.steps };
}

/** Not taken back, although a further try might have it. */
export function failedEnding(order: EndOrder, error: AgentctlError, story: Story, now: number): Ending {
  const what = error.code === "INTERRUPTED" ? "interrupted before it was taken back" : error.message;
  return {
    ...untaken(order, what),
    steps: story.steps,
    ...(!isFenceNear(order, now) && { isUnfinished: true }),
  };
}

/** Not taken back, and nobody has it: its keys were handed to no one, and nobody needs to come back for them. */
export function lostEnding(order: EndOrder, error: AgentctlError, story: Story, now: number): Ending {
  const byTime = endByTime(order, { now: () => now });
  const detail = `its keys were never handed out, and are lost; it was not taken back (${error.message}): ${byTime.detail}`;
  return { ...byTime, detail, steps: story.steps };
}

/** Not taken back, and a further try would not help: what should say how makes no sense. */
export function senselessEnding(order: EndOrder, problem: string): Ending {
  return untaken(order, problem);
}

/** Not to be taken back any more: its own fence comes as soon as a deny would be sure to. */
export function nearEnding(order: EndOrder, target: Target, now: number): Ending {
  const rest = `the session's own fence is less than ${NEAR_SECONDS}s away`;
  const passed = "the session's own fence has passed";
  const text = `put no deny on ${target.roleArn}: ${order.usableUntil > now ? rest : passed}`;
  return { ...endByTime(order, { now: () => now }), steps: [{ at: new Date(now).toISOString(), text }] };
}

/** Why the role gets no deny, where a further try would not help either. */
export type NoDeny = "full" | "unbounded";

const NO_DENY: Readonly<Record<NoDeny, string>> = {
  full: "holds as many denies as fit",
  unbounded: "has no permissions boundary, without which no policy is put on it",
};

/** No deny was put, and none will be: the fence is what ends it. */
export function undeniedEnding(order: EndOrder, target: Target, why: NoDeny, story: Story, now: number): Ending {
  const byTime = endByTime(order, { now: () => now });
  const detail = `${target.roleArn} ${NO_DENY[why]}: ${byTime.detail}`;
  return { ...byTime, detail, steps: story.steps, shortfall: `the role ${NO_DENY[why]}` };
}

/** The reason, what it leaves, and until when. */
function untaken(order: EndOrder, shortfall: string): Ending {
  const times = timesOf(order);
  const left = `it can be used until ${times.at}, and some of it until ${times.until}`;
  return { ...times, word: "failed", detail: `${shortfall}; ${left}`, shortfall };
}

/** Such as `AWS was asked 3 times in 2.1s`. */
export function describeTries({ tries, startedAt }: Story, now: number): string {
  if (tries === 0) return "AWS was not asked";
  return `AWS was asked ${tries === 1 ? "once" : `${tries} times`} in ${secondsSince(startedAt, now)}`;
}

function timesOf(order: EndOrder) {
  return { cloud: "aws", at: formatInstant(order.usableUntil), until: formatInstant(latestUse(order)) } as const;
}
