import { formatExactInstant, formatInstant } from "../../../core/durations.js";
import type { AgentctlError } from "../../../core/errors.js";
import type { Ending, EndOrder } from "../../../core/lease.js";
import { type Story, secondsSince } from "../../story.js";
import type { Unseen } from "../../unseen.js";
import { TOLERATED_MS } from "./lease-title.js";
import { describeStaying, lastEndOf, type Staying } from "./staying.js";
import type { Target } from "./undo.js";

/** Google names no longest time: until when it is usable, only the ends of bindings and tokens tell. */
const DELAY =
  "Google says that such a change takes effect within 2 minutes as a rule, and potentially takes 7 minutes or longer";

/** "If a request isn't approved or denied in 24 hours, the grant status is changed to expired." */
const APPROVAL_MS = 24 * 3_600_000;

/** Taken back `since` (epoch ms), and not seen to be: `unseen` says why; `staying` gives the same. */
export function removedEnding(
  order: EndOrder,
  target: Target,
  { since, unseen, staying }: { readonly since: number; readonly unseen: Unseen; readonly staying: readonly Staying[] },
  story: Story,
): Ending {
  const stays = staying.length === 0 ? [] : [describeStaying(staying, order.principal)];
  const told = [`${takenBack(target)} since ${formatInstant(since)}`, DELAY, ...stays, unseen.text, boundOf(target)];
  const expiresAt = expiryOf(order);
  const lastAt = staying.length === 0 ? target.boundAt : (lastEndOf(staying) ?? expiresAt);
  const at = Math.min(Math.max(target.boundAt, lastAt), expiresAt);
  const detail = [...told, remainder(order, target)].join("; ");
  const { reason } = unseen;
  return { cloud: "gcp", word: "removed", ...timesOf(at, order), detail, reason, steps: story.steps };
}

/** Seen to be refused: `first` at first, `since` the last of it was taken back, both epoch ms. */
export function revokedEnding(
  order: EndOrder,
  target: Target,
  {
    since,
    first,
    permissions,
  }: { readonly since: number; readonly first: number; readonly permissions: readonly string[] },
  story: Story,
): Ending {
  const resource = target.ready?.resource.name ?? "";
  const detail =
    `${takenBack(target)}; testIamPermissions on ${resource} stopped granting ${permissions.join(", ")} to the lease's own ` +
    `token ${secondsSince(since, first)} after that; nothing else was tried; ${remainder(order, target)}`;
  const times = { ...timesOf(first, order), at: formatExactInstant(first) };
  return { cloud: "gcp", word: "revoked", ...times, detail, steps: story.steps };
}

/** Google had ended it by itself before it was taken away. */
export function boundEnding(order: EndOrder, target: Target, story: Story): Ending {
  const detail = `what was given had ended by itself at ${formatInstant(target.boundAt)}; ${remainder(order, target)}`;
  return { cloud: "gcp", word: "expires", ...timesOf(target.boundAt, order), detail, steps: story.steps };
}

/** Not taken back, or not all of it; a further try might, unless it has ended by itself. */
export function failedEnding(order: EndOrder, target: Target, error: AgentctlError, story: Story, now: number): Ending {
  const what = error.code === "INTERRUPTED" ? "interrupted before it was taken back" : error.message;
  const detail = `${what}; tried for ${secondsSince(story.startedAt, now)}; ${boundOf(target)}${unapprovedOf(target)}; ${remainder(order, target)}`;
  // By Google's clock, which may be behind ours.
  const lastAt = target.boundAt + (target.entitlement === undefined ? 0 : APPROVAL_MS);
  return {
    ...untaken(order, target.boundAt, what, detail),
    steps: story.steps,
    ...(now < lastAt + TOLERATED_MS && { isUnfinished: true }),
  };
}

/** Not taken back, and a further try would not help: what should say how makes no sense. */
export function senselessEnding(order: EndOrder, problem: string): Ending {
  return untaken(order, expiryOf(order), problem, `${problem}; ${remainder(order)}`);
}

function untaken(order: EndOrder, boundAt: number, shortfall: string, detail: string): Ending {
  return { cloud: "gcp", word: "failed", ...timesOf(Math.min(boundAt, expiryOf(order)), order), detail, shortfall };
}

function timesOf(at: number, order: EndOrder): { readonly at: string; readonly until?: string } {
  const expiresAt = expiryOf(order);
  return { at: formatInstant(at), ...(expiresAt > at && { until: formatInstant(expiresAt) }) };
}

function expiryOf({ expiresAt, usableUntil }: EndOrder): number {
  return expiresAt ?? usableUntil;
}

/** What was taken from where. */
function takenBack({ resources, entitlement }: Target): string {
  const where = resources.length === 0 ? [] : [`its bindings are off ${resources.map(({ name }) => name).join(", ")}`];
  const grant = entitlement === undefined ? [] : [`its grant of ${entitlement} has ended`];
  return [...where, ...grant].join(", and ");
}

function boundOf({ boundAt }: Target): string {
  return `what was given ends by itself at ${formatInstant(boundAt)} at the latest`;
}

/** A grant's time begins when it is approved, whoever asked for it. */
function unapprovedOf({ entitlement }: Target): string {
  return entitlement === undefined
    ? ""
    : ", but for a grant that still waits for approval: Google lets it be approved for 24 hours";
}

/** What takes a grant back does not take back the right to ask for one. */
function remainder(order: EndOrder, target?: Target): string {
  if (!order.isIssued) return "whether a token was issued is not known; it was handed to nobody";
  const { principal } = order;
  const again = target?.mayAskAgain === true ? `, such as to ask for ${target.entitlement} again` : "";
  return `the token itself lives until ${formatInstant(expiryOf(order))}, for whatever else ${principal} may do${again}`;
}
