import { createHash } from "node:crypto";
import { formatInstant } from "../../../core/durations.js";
import { fieldOf, textOf } from "../../exchange/wire.js";

/** The states that nothing comes after. */
const OVER: readonly string[] = ["DENIED", "ACTIVATION_FAILED", "EXPIRED", "REVOKED", "ENDED", "WITHDRAWN"];
/** Google gives a grant for no less. */
const SHORTEST_SECONDS = 1_800;
const MARK = /^agentctl lease (l-[0-9A-Za-z]{16}) (?:.* until (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$)?/;

/** A grant of Privileged Access Manager, as far as it matters here. */
export interface EntitlementGrant {
  readonly name: string;
  readonly state: string;
  /** Who asked for it, as Google shows them. */
  readonly requester: string;
  /** Of the lease that it was asked for, where it was asked for by an agentctl. */
  readonly leaseId?: string;
  /** The last moment at which that lease can be open, where it says so; epoch ms, by the clock of whoever asked. */
  readonly leaseEndsAt?: number;
  /** When it ends by itself, by Google's clock, where it has begun. */
  readonly endsAt?: number;
}

const NAME =
  /^(?:projects|folders|organizations)\/[^/\s]+\/locations\/[^/\s]+\/entitlements\/[^/\s]+\/grants\/[^/\s]+$/;

/** Throws a plain Error for what is no grant. */
export function readGrant(json: unknown): EntitlementGrant {
  const name = textOf(json, "name");
  const state = textOf(json, "state");
  if (name === undefined || !NAME.test(name) || state === undefined) throw new Error("there is no grant in it");
  const endsAt = endOf(json);
  return {
    name,
    state,
    requester: textOf(json, "requester") ?? "somebody",
    ...readMark(textOf(fieldOf(json, "justification"), "unstructuredJustification") ?? ""),
    ...(endsAt !== undefined && { endsAt }),
  };
}

/** Whether it gives nothing any more, and never will. */
export function isOver({ state }: EntitlementGrant): boolean {
  return OVER.includes(state);
}

/** By which a lease's grant is found again, by whoever ends it, and until when it may be needed; epoch ms. */
export function justificationOf(leaseId: string, profileName: string, endsAt: number): string {
  return `agentctl lease ${leaseId} of profile ${profileName} until ${formatInstant(Math.ceil(endsAt / 1000) * 1000)}`;
}

/** The same for every try of one lease: Google makes one grant of it. A UUID of version 8, whose bits are one's own. */
export function requestIdOf(leaseId: string): string {
  const hex = createHash("sha256").update(`agentctl entitlement grant ${leaseId}`).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** What is asked for, for a lease that ends in `ms` at the latest. */
export function requestedSeconds(ms: number): number {
  return Math.max(SHORTEST_SECONDS, Math.ceil(ms / 1000));
}

function readMark(justification: string): Pick<EntitlementGrant, "leaseId" | "leaseEndsAt"> {
  const [, leaseId, until] = MARK.exec(justification) ?? [];
  if (leaseId === undefined) return {};
  return { leaseId, ...(until !== undefined && { leaseEndsAt: Date.parse(until) }) };
}

/** From the moment that the access was given, for as long as was asked for. */
function endOf(json: unknown): number | undefined {
  const began = Date.parse(textOf(fieldOf(json, "auditTrail"), "accessGrantTime") ?? "");
  const seconds = Number.parseFloat(textOf(json, "requestedDuration") ?? "");
  return Number.isNaN(began) || Number.isNaN(seconds) ? undefined : began + seconds * 1000;
}
