import type { Claims } from "./identity.js";
import type { Ending, EndStep, Facts } from "./lease.js";
import type { ActorKind } from "./profile.js";

export const EVENT_KINDS = [
  "lease.start",
  "lease.end",
  "lease.refused",
  "lease.failed",
  "lease.revoked",
  "grant.renewed",
  "grant.renewal_failed",
  "endpoint.refused",
  "endpoint.unverified",
  "log.recovered",
] as const;
/** Who finishes the lease of an agentctl that died, or that does not answer; `run`: beside a command of its own. */
export type LeaseFinisher = "watchdog" | "sweep" | "revoke" | "run";
export type EventKind = (typeof EVENT_KINDS)[number];

/**
 * One record of the audit log, before the chain adds `seq` and `prev`. Holds no secret: no token
 * (at most its SHA-256), and of the command's arguments a keyed hash unless `audit.argv: full`.
 */
export interface AuditEvent {
  readonly kind: EventKind;
  /** RFC 3339 with milliseconds. */
  readonly time: string;
  readonly lease?: string;
  readonly profile?: string;
  readonly actor?: { readonly kind: ActorKind; readonly name?: string; readonly reason: string };
  readonly identity?: {
    readonly source: string;
    readonly issuer: string;
    readonly subject: string;
    readonly claims: Claims;
    readonly tokenSha256: string;
  };
  readonly command?: {
    readonly argv0: string;
    readonly path?: string;
    /** HMAC-SHA-256 of the other arguments under the state directory's key. */
    readonly argsHash?: string;
    /** Only with `audit.argv: full`. */
    readonly argv?: readonly string[];
  };
  readonly intent?: string;
  readonly decision?: { readonly allowed: boolean; readonly reasons: readonly string[] };
  readonly error?: { readonly code: string; readonly message: string; readonly facts?: Facts };
  /** What was done to give the principals rights for the time of the lease; times in RFC 3339 with milliseconds. */
  readonly rights?: readonly { readonly cloud: string; readonly steps: readonly EndStep[] }[];
  readonly grants?: readonly {
    readonly cloud: string;
    /** Absent in records of before grants could go by the endpoint. */
    readonly channel?: string;
    readonly principal: string;
    readonly usableUntil: string;
    readonly expiresAt: string;
    readonly facts: Facts;
  }[];
  /** To the lease's endpoint: refused, and why; or answered, and why it could not be told whose it was. */
  readonly request?: {
    readonly cloud?: string;
    readonly reason: string;
    readonly message: string;
    readonly peer?: { readonly pid: number; readonly program?: string };
  };
  /** At the lease's end, for each cloud whose grant could be renewed; times in RFC 3339. */
  readonly renewals?: readonly {
    readonly cloud: string;
    readonly renewed: number;
    readonly failed: number;
    readonly firstAt?: string;
    readonly lastAt?: string;
  }[];
  /** At the lease's end: how many requests to its endpoint were refused. */
  readonly refusals?: number;
  /** Names of credentials or means to mint an identity that the child was given on request. */
  readonly passed?: readonly string[];
  readonly endings?: readonly Ending[];
  /** Who asked, from outside, for the lease to end; its agentctl was alive. */
  readonly revokedBy?: { readonly pid: number; readonly user?: string; readonly at: string };
  /** Who ended it, where that was not the agentctl that had opened it, and what of its command was still there. */
  readonly endedBy?: {
    readonly by: LeaseFinisher;
    readonly pid: number;
    readonly strays?: { readonly found: number; readonly killed: number; readonly left: number };
  };
  readonly child?: {
    readonly exitCode: number;
    readonly signal?: string;
    readonly stoppedAtExpiry?: boolean;
    /** RFC 3339 with milliseconds; absent in records of before it was kept. */
    readonly endedAt?: string;
  };
  readonly endpoints?: readonly { readonly variable: string; readonly url: string }[];
  readonly recovered?: { readonly bytes: number; readonly sha256: string };
}
