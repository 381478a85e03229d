import { createHash } from "node:crypto";
import { formatInstant } from "../../../core/durations.js";

const MARK = /^agentctl lease (l-[0-9A-Za-z]{16}) until (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$/;

/** One role on one scope, for one application of the pool. */
export interface Target {
  readonly leaseId: string;
  readonly clientId: string;
  /** As the profile has it: a name, or an id. */
  readonly role: string;
  readonly scope: string;
}

/** The same, as Azure knows it. */
export interface Subject extends Target {
  /** The service principal's object id. */
  readonly principalId: string;
  /** The whole resource id. */
  readonly roleDefinitionId: string;
}

/** With a number where earlier requests to take it back came to nothing: their names are used up. */
export type Verb = "give" | "take" | `take ${number}`;

/**
 * The name of the request that gives, or takes back, what a lease has: always the same, so that a second try and an
 * ending that knows nothing else find it. A UUID made like version 5, from SHA-256.
 */
export function requestNameOf({ leaseId, clientId, role, scope }: Target, verb: Verb): string {
  const parts = ["agentctl", verb, leaseId, clientId.toLowerCase(), role.toLowerCase(), scope.toLowerCase()];
  const bytes = createHash("sha256").update(JSON.stringify(parts)).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** What is written where people look: whose it is, and until when. */
export function markOf(leaseId: string, endsAt: number): string {
  return `agentctl lease ${leaseId} until ${formatInstant(endsAt)}`;
}

/** Reads what `markOf` wrote; undefined for what others wrote. */
export function readMark(text: unknown): { readonly leaseId: string; readonly endsAt: number } | undefined {
  const [, leaseId, until] = MARK.exec(typeof text === "string" ? text : "") ?? [];
  return leaseId === undefined ? undefined : { leaseId, endsAt: Date.parse(String(until)) };
}

/** Such as `Reader on /subscriptions/…`. */
export function nameTarget({ role, scope }: Pick<Target, "role" | "scope">): string {
  return `${role} on ${scope}`;
}
