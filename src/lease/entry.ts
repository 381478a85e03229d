import path from "node:path";
import type { Ending, Facts } from "../core/lease.js";
import type { CommandProcess } from "../core/process-list.js";
import type { ProcessOwner } from "../core/process-owner.js";
import type { ActorKind, Channel, CloudName } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { stateDir } from "../core/state-dir.js";

/** `ended`: its grants are, and its command still runs. */
export const LEASE_STATES = ["issuing", "running", "ending", "ended"] as const;
export type LeaseState = (typeof LEASE_STATES)[number];

/** What an entry of another version holds is not guessed at. */
export const ENTRY_VERSION = 2;

/** Times in milliseconds since the epoch. */
export interface LedgerGrant {
  readonly cloud: CloudName;
  readonly channel: Channel;
  /** As planned, and as the cloud named it once it was issued. */
  readonly principal: string;
  /** One line a right that is given to the principal for the lease, first of all; absent where none is. */
  readonly rights?: readonly string[];
  /** What ending it needs, as its cloud's room planned it; no secret. */
  readonly undo: Facts;
  /** These three are absent until it was issued; renewals move them. */
  readonly issuedAt?: number;
  readonly usableUntil?: number;
  readonly expiresAt?: number;
  /** How often it was issued anew. */
  readonly renewed?: number;
  /** Absent until it was ended, or that was tried. */
  readonly ending?: Ending;
}

/** What the ledger holds of one open lease: all that someone else needs to end it and to tell of it, and no secret. */
export interface LeaseEntry {
  readonly version: typeof ENTRY_VERSION;
  readonly id: string;
  readonly profile: string;
  readonly state: LeaseState;
  /** The agentctl process that has to end it. */
  readonly owner: ProcessOwner;
  readonly openedAt: number;
  readonly deadlineAt: number;
  /** Where rights are given for it first: what is done or waited for until they work, and its time begins; absent from then on. */
  readonly waitsFor?: string;
  readonly actor: ActorKind;
  /** Whom it was given to; the source is where a sweep gets its own proof from. */
  readonly identity: { readonly source: string; readonly issuer: string; readonly subject: string };
  /** The command's first word. */
  readonly command: string;
  /** The lease's command, once it runs. */
  readonly child?: CommandProcess;
  /** Seconds between SIGTERM and SIGKILL, should the command have to be ended. */
  readonly graceSeconds: number;
  readonly privateDir: string;
  /** Where the receipt was asked for, and the file beside it that holds its place. */
  readonly receipt?: { readonly file: string; readonly temporary: string };
  readonly grants: readonly LedgerGrant[];
}

export function leasesDir(runtime: Pick<Runtime, "env" | "cwd">): string {
  return path.join(stateDir(runtime), "leases");
}

/**
 * `json`: the lease's entry; `revoke`: the mark that asks for its end; `lock`: of whoever ends it for another; `queue`: of
 * whoever waits until its cloud lets it be ended.
 */
export function leaseFile(
  id: string,
  kind: "json" | "revoke" | "lock" | "queue",
  runtime: Pick<Runtime, "env" | "cwd">,
): string {
  return path.join(leasesDir(runtime), `${id}.${kind}`);
}
