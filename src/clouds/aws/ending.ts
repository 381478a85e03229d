import { formatDuration, formatInstant } from "../../core/durations.js";
import type { Ending, EndOrder, GrantPlan, GrantTerms } from "../../core/lease.js";
import type { AwsSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";

/** A session assumed from this one lasts an hour at most, whatever its role allows: AWS's limit on chaining. */
const LONGEST_DERIVED_MS = 3_600_000;

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
  const { usableUntil, expiresAt = usableUntil, undo, grant } = order;
  const at = formatInstant(usableUntil);
  const fencedAt = Date.parse(String(grant?.facts["fencedAt"]));
  if (expiresAt < fencedAt) {
    const verb = runtime.now() > expiresAt ? "AWS ended" : "AWS ends";
    return { cloud: "aws", word: "expires", at, detail: `${verb} the session by itself; nothing ends it earlier` };
  }
  const derived = (undo["derivedSessions"] ?? "allowed") as DerivedSessions;
  const since = runtime.now() > usableUntil ? "has denied" : "denies";
  const limits = limitsOf(derived, undo["fenceForwarded"] === true);
  return {
    cloud: "aws",
    word: "fenced",
    at,
    until: formatInstant(latestUse(usableUntil, expiresAt, derived)),
    detail: `the session's own policy ${since} every authorized call after this time; ${limits.join("; ")}`,
  };
}

function latestUse(usableUntil: number, expiresAt: number, derived: DerivedSessions): number {
  return derived === "listed" ? Math.max(expiresAt, usableUntil + LONGEST_DERIVED_MS) : expiresAt;
}

function limitsOf(derived: DerivedSessions, fenceForwarded: boolean): string[] {
  const limits = ["GetCallerIdentity, and logins that rest on it, work until the keys expire"];
  if (!fenceForwarded) limits.push("what AWS does on the session's behalf may go on until then too");
  if (derived === "listed") limits.push("a session assumed further from it lasts up to an hour more");
  if (derived === "allowed") limits.push("sessions, keys and policies made with it are not ended with it");
  return limits;
}
