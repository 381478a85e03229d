/** The states of a grant; after `DENIED`, `EXPIRED`, `ENDED`, `REVOKED` and `WITHDRAWN` none comes. */
export type GrantState =
  | "APPROVAL_AWAITED"
  | "DENIED"
  | "EXPIRED"
  | "SCHEDULED"
  | "ACTIVATING"
  | "ACTIVE"
  | "ENDED"
  | "REVOKING"
  | "REVOKED"
  | "WITHDRAWING"
  | "WITHDRAWN";

const TERMINAL: readonly GrantState[] = ["DENIED", "EXPIRED", "ENDED", "REVOKED", "WITHDRAWN"];
const BEING_ENDED: readonly GrantState[] = ["REVOKING", "WITHDRAWING"];

export interface GrantEvent {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** As the timeline names it, with what it holds. */
  readonly what: Readonly<Record<string, unknown>>;
}

export interface GrantRequest {
  /** Who asks, as a binding names it, and as Google shows it. */
  readonly member: string;
  readonly requester: string;
  readonly seconds: number;
  readonly justification?: string;
  readonly requestId?: string;
}

/** A time of more rights, from its request to its end. Times are milliseconds since the epoch. */
export interface PamGrant {
  readonly name: string;
  readonly entitlement: string;
  readonly request: GrantRequest;
  readonly createdAt: number;
  readonly state: GrantState;
  readonly events: readonly GrantEvent[];
  /** When it changes by itself next; absent: never. */
  readonly nextAt?: number;
  readonly accessGrantedAt?: number;
  readonly accessRemovedAt?: number;
  readonly endsAt?: number;
  /** Somebody else has taken its bindings out of the policy. */
  readonly externallyModified?: boolean;
  readonly revocation?: { readonly actor: string; readonly reason?: string };
}

/** Whether it stands in the way of another one of the same requester. */
export function isOpen({ state }: PamGrant): boolean {
  return !TERMINAL.includes(state);
}

/** Whether it may be revoked or withdrawn now: it is neither over nor being ended already. */
export function canBeEnded(grant: PamGrant): boolean {
  return isOpen(grant) && !BEING_ENDED.includes(grant.state);
}

/** The project, folder or organization that an entitlement is of. */
export function holderNameOf(entitlement: string): string {
  return entitlement.split("/").slice(0, 2).join("/");
}
