import path from "node:path";
import { type ProcessOwner, parseOwner } from "../core/process-owner.js";
import { ACTOR_KINDS, type ActorKind } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { stateDir } from "../core/state-dir.js";

export const LEASE_STATES = ["issuing", "running", "ending"] as const;
export type LeaseState = (typeof LEASE_STATES)[number];

/** Times in milliseconds since the epoch; absent until the grant was issued. */
export interface LedgerGrant {
  readonly cloud: string;
  readonly principal: string;
  readonly usableUntil?: number;
  readonly expiresAt?: number;
}

/** What the ledger holds of one open lease: all that someone else needs to say what it is, and no secret. */
export interface LeaseEntry {
  readonly version: 1;
  readonly id: string;
  readonly profile: string;
  readonly state: LeaseState;
  /** The agentctl process that has to end it. */
  readonly owner: ProcessOwner;
  readonly openedAt: number;
  readonly deadlineAt: number;
  readonly actor: ActorKind;
  /** The command's first word. */
  readonly command: string;
  readonly privateDir: string;
  readonly grants: readonly LedgerGrant[];
}

export function leasesDir(runtime: Pick<Runtime, "env" | "cwd">): string {
  return path.join(stateDir(runtime), "leases");
}

/** Reads the text of a ledger file; undefined when it is not whole or not of this version. */
export function parseEntry(text: string): LeaseEntry | undefined {
  try {
    return toEntry(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function toEntry(value: unknown): LeaseEntry | undefined {
  const { version, id, profile, state, owner, openedAt, deadlineAt, actor, command, privateDir, grants } =
    toObject(value);
  const parsedOwner = parseOwner(owner);
  if (version !== 1 || parsedOwner === undefined || !Array.isArray(grants) || !grants.every(isGrant)) return undefined;
  if (!isOneOf(LEASE_STATES, state) || !isOneOf(ACTOR_KINDS, actor)) return undefined;
  if (typeof id !== "string" || typeof profile !== "string") return undefined;
  if (typeof command !== "string" || typeof privateDir !== "string") return undefined;
  if (!isInstant(openedAt) || !isInstant(deadlineAt)) return undefined;
  return { version, id, profile, state, owner: parsedOwner, openedAt, deadlineAt, actor, command, privateDir, grants };
}

function toObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function isGrant(value: unknown): value is LedgerGrant {
  const { cloud, principal, usableUntil, expiresAt } = toObject(value);
  if (typeof cloud !== "string" || typeof principal !== "string") return false;
  return [usableUntil, expiresAt].every((time) => time === undefined || isInstant(time));
}

/** Within what a Date can hold, so that it can be shown. */
function isInstant(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && Math.abs(value) <= 8.64e15;
}

function isOneOf<T extends string>(values: readonly T[], value: unknown): value is T {
  return (values as readonly unknown[]).includes(value);
}
