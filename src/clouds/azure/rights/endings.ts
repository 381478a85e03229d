import { formatExactInstant, formatInstant } from "../../../core/durations.js";
import type { Ending, EndOrder } from "../../../core/lease.js";
import { type Story, secondsSince } from "../../story.js";
import type { Unseen } from "../../unseen.js";
import { endAzureGrant } from "../ending.js";
import { nameTarget } from "./names.js";
import type { Readiness } from "./rights-settings.js";
import type { Fate } from "./take-one.js";
import type { Possession } from "./undo.js";

/** "up to 10 minutes for changes to take effect": Azure RBAC's troubleshooting guide. */
const DELAY_MS = 10 * 60_000;
const DELAY = "Azure says that such a change takes effect within 10 minutes";
const BY_ITSELF = "the assignments were given for a time, which is over: Azure ended them by itself";

/** What ended, and how it was told. */
export interface Ended {
  readonly order: EndOrder;
  readonly possession: Possession;
  readonly story: Story;
}

export interface Removal {
  readonly since: number;
  readonly endsAt: number;
  readonly isFound: boolean;
  readonly staying: readonly string[];
}

/** Seen: the lease's own token had none of the permissions from `first` on (epoch ms). */
export function revokedEnding(ended: Ended, ready: Readiness, since: number, first: number): Ending {
  const permissions = ready.permissions.join(", ");
  const detail =
    `Azure Resource Manager lets the lease's own token have none of ${permissions} at ${ready.at}, ` +
    `${secondsSince(since, first)} after the assignments were taken back; nothing else was tried; ${tokenWords(ended.order)}`;
  const at = formatExactInstant(Math.min(first, tokenEndOf(ended.order)));
  return { ...timesOf(ended.order, first), at, word: "revoked", detail, steps: ended.story.steps };
}

/**
 * Taken back at `since`, or found to be by then, and not seen to be: `unseen` says why. At `endsAt` it would have ended
 * by itself (epoch ms); `staying` gives the same, for as long as anybody knows.
 */
export function removedEnding(ended: Ended, { since, endsAt, isFound, staying }: Removal, unseen: Unseen): Ending {
  const what = isFound ? "the assignments had been taken back before" : "the assignments were taken back at";
  const detail = `${what} ${formatInstant(since)}; ${DELAY}; ${unseen.text}; ${tokenWords(ended.order)}`;
  return {
    ...timesOf(ended.order, staying.length > 0 ? tokenEndOf(ended.order) : Math.min(since + DELAY_MS, endsAt)),
    word: "removed",
    detail,
    reason: unseen.reason,
    steps: ended.story.steps,
  };
}

/** To be taken back later: Azure would refuse it before. */
export function queuedEnding(ended: Ended, early: readonly Extract<Fate, { kind: "early" }>[]): Ending {
  const endsAt = Math.max(...early.map((fate) => fate.endsAt));
  const isOverFirst = early.every((fate) => fate.endsAt <= fate.retryAt);
  const retryAt = formatInstant((isOverFirst ? endsAt : Math.max(...early.map((fate) => fate.retryAt))) + 999);
  const why = `Azure takes no assignment back within 5 minutes of giving it`;
  const end = `ends by itself at ${formatInstant(endsAt)} at the latest`;
  const queued = isOverFirst
    ? `it ${end}, before it could be taken back`
    : `it is queued on the ledger, to be taken back from ${retryAt} on`;
  const detail = `${why}; ${queued}${isOverFirst ? "" : `, and ${end}`}; ${tokenWords(ended.order)}`;
  return {
    ...timesOf(ended.order, endsAt),
    word: "expires",
    detail,
    steps: ended.story.steps,
    shortfall: `${why}; ${queued}`,
    isUnfinished: true,
    retryAt,
  };
}

/** Not taken back, although a further try might have it; where it is for a lock it may not end by itself either. */
export function failedEnding(ended: Ended, problem: string, now: number, isLocked = false): Ending {
  const { order, possession, story } = ended;
  const isLasting = possession.allowUnbounded || isLocked;
  const times = story.tries === 1 ? "once" : `${story.tries} times`;
  const tried = `Azure was asked ${times} in ${secondsSince(story.startedAt, now)}`;
  return {
    ...untaken(order, possession, { shortfall: problem, what: `${problem}; ${tried}`, isLasting }),
    steps: story.steps,
    ...((isLasting || possession.endsAt > now) && { isUnfinished: true }),
  };
}

/** Not taken back, and a further try would not help: what should say how makes no sense. */
export function senselessEnding(order: EndOrder, problem: string): Ending {
  const detail = `${problem}; assignments that were time-bound end by themselves; ${tokenWords(order)}`;
  return { ...timesOf(order, tokenEndOf(order)), word: "failed", detail, shortfall: problem };
}

/** Nothing was given: it ends as a grant without rights does. */
export function neverEnding({ order, story }: Pick<Ended, "order" | "story">, runtime: { now(): number }): Ending {
  story.tell("found nothing that was assigned for this lease");
  return { ...endAzureGrant(order, runtime), steps: story.steps };
}

/** Time-bound assignments that nobody takes back, or had not to any more. */
export function endRightsByTime({ order, possession }: Pick<Ended, "order" | "possession">, now: number): Ending {
  const { endsAt } = possession;
  const assigned = possession.assignments.map(nameTarget).join(", ");
  const detail =
    endsAt <= now
      ? `${BY_ITSELF}, at ${formatInstant(endsAt)} at the latest; ${DELAY}; ${tokenWords(order)}`
      : `Azure ends ${assigned} by itself at ${formatInstant(endsAt)} at the latest, and nothing ends it earlier; ${tokenWords(order)}`;
  return { ...timesOf(order, endsAt), word: "expires", detail };
}

interface Untaken {
  readonly shortfall: string;
  readonly what: string;
  /** It may never end by itself. */
  readonly isLasting: boolean;
}

function untaken(order: EndOrder, possession: Possession, { shortfall, what, isLasting }: Untaken): Ending {
  const at = isLasting ? tokenEndOf(order) : possession.endsAt;
  const detail = `${what}; ${boundWords(possession, isLasting)}; ${tokenWords(order)}`;
  return { ...timesOf(order, at), word: "failed", detail, shortfall };
}

function boundWords({ endsAt, allowUnbounded }: Possession, isLasting: boolean): string {
  if (allowUnbounded) return "a plain assignment does not end by itself";
  if (isLasting) return "while a lock is there the assignments may not end by themselves either";
  return `the assignments end by themselves at ${formatInstant(endsAt)} at the latest`;
}

/** Calls stop at `stopsAt`, and never later than the last token ends, where that is known. */
function timesOf(order: EndOrder, stopsAt: number): Pick<Ending, "cloud" | "at" | "until"> {
  const tokenEnd = tokenEndOf(order);
  const isKnown = order.isIssued || order.expiresAt !== undefined;
  const at = formatInstant(isKnown ? Math.min(stopsAt, tokenEnd) : stopsAt);
  return { cloud: "azure", at, ...(order.isIssued && tokenEnd > stopsAt && { until: formatInstant(tokenEnd) }) };
}

function tokenEndOf({ expiresAt, usableUntil }: EndOrder): number {
  return expiresAt ?? usableUntil;
}

function tokenWords(order: EndOrder): string {
  if (!order.isIssued) return "no token was handed out";
  const end = formatInstant(tokenEndOf(order));
  return `the tokens themselves live until ${end}, for whatever else the application may do`;
}
