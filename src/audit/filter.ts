import type { EventKind } from "../core/event.js";
import type { ActorKind } from "../core/profile.js";
import type { AuditRecord } from "./chain.js";

/** Which records are asked for: those that every given part fits. */
export interface EventFilter {
  readonly profile?: string;
  readonly lease?: string;
  readonly actor?: ActorKind;
  readonly kind?: EventKind;
  /** Milliseconds since the epoch, inclusive. */
  readonly since?: number;
  /** Milliseconds since the epoch, exclusive. */
  readonly until?: number;
  readonly decision?: "allowed" | "denied";
}

export function matchesFilter(record: AuditRecord, filter: EventFilter): boolean {
  return (
    (filter.profile === undefined || record.profile === filter.profile) &&
    (filter.lease === undefined || record.lease === filter.lease) &&
    (filter.actor === undefined || record.actor?.kind === filter.actor) &&
    (filter.kind === undefined || record.kind === filter.kind) &&
    (filter.decision === undefined || record.decision?.allowed === (filter.decision === "allowed")) &&
    isWithin(Date.parse(record.time), filter)
  );
}

function isWithin(time: number, { since, until }: EventFilter): boolean {
  return (since === undefined || time >= since) && (until === undefined || time < until);
}
