import type { EndOrder, Facts, GrantTerms } from "../../../core/lease.js";
import type { AzureSettings } from "../../../core/profile.js";
import { isScope, type Readiness, type Rights, rightsOf, SHORTEST_MS } from "./rights-settings.js";

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TENANT = /^[\w.-]{1,253}$/;
const MINUTE_MS = 60_000;
/** What asking takes at the most, with all its tries. */
const REQUEST_MS = 60_000;
const LEASE_ID = /^l-[0-9A-Za-z]{16}$/;

/** What a lease may have been given, to whom, and who takes it back. */
export interface Possession {
  readonly leaseId: string;
  readonly tenantId: string;
  readonly granterClientId: string;
  readonly audiences: readonly string[];
  /** Any of them may have been given it. */
  readonly clientIds: readonly string[];
  readonly assignments: readonly { readonly role: string; readonly scope: string }[];
  /** When time-bound assignments have ended by themselves, at the latest; epoch ms. */
  readonly endsAt: number;
  /** Plain assignments may have been given in their place. */
  readonly allowUnbounded: boolean;
  /** What was seen working. */
  readonly ready?: Readiness;
}

/** What the time for giving follows from. */
export type GivingTerms = Pick<GrantTerms, "endsAt" | "lifetimeSeconds" | "latestEndsAt">;

/** What a grant's order says about the rights that were given for it. */
export type Undoing =
  | { readonly kind: "nothing" }
  | { readonly kind: "leave" | "take-back"; readonly possession: Possession }
  | { readonly kind: "senseless"; readonly problem: string };

/**
 * What taking the rights back needs to know; `readUndoing` reads it again.
 * @throws {AgentctlError} CONFIG_INVALID
 */
export function undoOf(settings: AzureSettings, terms: GrantTerms): Facts {
  const rights = rightsOf(settings);
  if (rights === undefined) return {};
  const { granterClientId, clientIds, assignments, allowUnbounded, ready } = rights;
  return {
    tenantId: settings.tenantId,
    granterClientId,
    clientIds,
    roles: assignments.map(({ role }) => role),
    scopes: assignments.map(({ scope }) => scope),
    endsAt: boundAtOf(rights, terms),
    allowUnbounded,
    revoke: terms.revoke,
    audiences: settings.audiences,
    ...(ready !== undefined && { permissions: ready.permissions, at: ready.at }),
  };
}

/**
 * When time-bound assignments have ended by themselves, at the latest (epoch ms, this machine's clock, a whole second): they
 * last for whole minutes, and Azure may count them from when it has heard of one.
 */
export function boundAtOf(rights: Pick<Rights, "waitSeconds">, terms: GivingTerms): number {
  const lastsUntil = Math.max(terms.latestEndsAt, lastGivingAt(rights, terms) + SHORTEST_MS);
  return Math.ceil((lastsUntil + MINUTE_MS + REQUEST_MS) / 1000) * 1000;
}

/**
 * After this nothing more is assigned for the lease (epoch ms): it would end later than was told, since Azure assigns for no
 * less than five minutes.
 */
export function lastGivingAt({ waitSeconds }: Pick<Rights, "waitSeconds">, terms: GivingTerms): number {
  const plannedAt = terms.endsAt - terms.lifetimeSeconds * 1000;
  return Math.max(terms.latestEndsAt - SHORTEST_MS, plannedAt + waitSeconds * 1000 + REQUEST_MS);
}

/** Reads what `undoOf` wrote. It may come from a file, so nothing of it is believed. */
export function readUndoing({ undo, leaseId }: Pick<EndOrder, "undo" | "leaseId">): Undoing {
  const { granterClientId, tenantId, clientIds, roles, scopes, endsAt, audiences, permissions, at, revoke } = undo;
  if (granterClientId === undefined) return { kind: "nothing" };
  if (!LEASE_ID.test(leaseId)) return senseless("the lease's id");
  if (typeof tenantId !== "string" || !TENANT.test(tenantId)) return senseless("the tenant");
  if (!isGuid(granterClientId)) return senseless("the granter");
  if (!isList(clientIds, isGuid)) return senseless("the application");
  if (!isList(roles, isText) || !isList(scopes, isScope) || roles.length !== scopes.length) {
    return senseless("what was assigned");
  }
  if (!isList(audiences, isText)) return senseless("the audience");
  if (typeof endsAt !== "number" || !Number.isSafeInteger(endsAt)) return senseless("the end");
  const allowUnbounded = undo["allowUnbounded"] === true;
  const assignments = roles.map((role, index) => ({ role, scope: scopes[index] ?? "" }));
  const possession = {
    leaseId,
    tenantId,
    granterClientId,
    audiences,
    clientIds,
    assignments,
    endsAt,
    allowUnbounded,
    ...(isList(permissions, isText) && isScope(at) && { ready: { permissions, at } }),
  };
  // What does not end by itself is never left.
  return { kind: revoke === "none" && !allowUnbounded ? "leave" : "take-back", possession };
}

function isList(value: unknown, isOne: (one: unknown) => one is string): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every(isOne);
}

function isGuid(value: unknown): value is string {
  return typeof value === "string" && GUID.test(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function senseless(what: string): Undoing {
  return { kind: "senseless", problem: `${what}, as it was kept to take the rights back by, makes no sense` };
}
