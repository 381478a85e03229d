import { formatDuration, formatInstant } from "../../core/durations.js";
import type { Ending, EndOrder, Facts, GrantPlan, GrantTerms } from "../../core/lease.js";
import type { AwsSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";

/** A session assumed from this one lasts an hour at most, whatever its role allows: AWS's limit on chaining. */
const LONGEST_DERIVED_MS = 3_600_000;
/** What keys last, fence or no fence, where their own expiry is not known: counted from their last useful moment. */
const SHORTEST_SESSION_MS = 900_000;

/** What the child may make of its session, in the word that the grant's facts carry. */
export type DerivedSessions = "denied" | "listed" | "allowed";

export function derivedSessionsOf(settings: AwsSettings): DerivedSessions {
  const allowed = settings.allowDerivedSessions;
  if (typeof allowed === "boolean") return allowed ? "allowed" : "denied";
  return allowed.length > 0 ? "listed" : "denied";
}

/** How a grant with these settings will end, before there is one. */
export function planEnding(settings: AwsSettings, terms: GrantTerms): GrantPlan["ending"] {
  const limits = limitsOf(derivedSessionsOf(settings), settings.fenceForwarded);
  const when =
    terms.channel === "env"
      ? "after the deadline"
      : `${formatDuration(terms.lifetimeSeconds)} after it was issued, and never later than the deadline`;
  return {
    word: "fenced",
    detail: `the session's own policy denies every authorized call ${when}; ${limits.join("; ")}`,
  };
}

/**
 * How a grant ends by itself: `fenced`, or `expires` where AWS's own expiry comes before the fence.
 */
export function endByTime(order: EndOrder, runtime: Pick<Runtime, "now">): Ending {
  const { usableUntil, expiresAt = usableUntil, grant } = order;
  const at = formatInstant(usableUntil);
  const fencedAt = Date.parse(String(grant?.facts["fencedAt"]));
  if (expiresAt < fencedAt) {
    const verb = runtime.now() > expiresAt ? "AWS ended" : "AWS ends";
    return { cloud: "aws", word: "expires", at, detail: `${verb} the session by itself; nothing ends it earlier` };
  }
  const since = runtime.now() > usableUntil ? "has denied" : "denies";
  const whether = order.isIssued ? "" : "it was asked for and handed to nobody; ";
  return {
    cloud: "aws",
    word: "fenced",
    at,
    until: formatInstant(latestUse(order)),
    detail: `${whether}the session's own policy ${since} every authorized call after this time; ${remainders(order)}`,
  };
}

/** Until when something of the session works, at the latest, if nothing takes it back. */
export function latestUse({ usableUntil, expiresAt, undo }: EndOrder): number {
  const keysEnd = expiresAt ?? usableUntil + SHORTEST_SESSION_MS;
  return derivedOf(undo) === "listed" ? Math.max(keysEnd, usableUntil + LONGEST_DERIVED_MS) : keysEnd;
}

/** What works on after the session's authorized calls were stopped. */
export function remainders({ undo }: EndOrder): string {
  return limitsOf(derivedOf(undo), undo["fenceForwarded"] === true).join("; ");
}

function derivedOf(undo: Facts): DerivedSessions {
  const derived = undo["derivedSessions"];
  return derived === "denied" || derived === "listed" ? derived : "allowed";
}

function limitsOf(derived: DerivedSessions, fenceForwarded: boolean): string[] {
  const limits = ["GetCallerIdentity, and logins that rest on it, work until the keys expire"];
  if (!fenceForwarded) limits.push("what AWS does on the session's behalf may go on until then too");
  if (derived === "listed") limits.push("a session assumed further from it lasts up to an hour more");
  if (derived === "allowed") limits.push("sessions, keys and policies made with it are not ended with it");
  return limits;
}
