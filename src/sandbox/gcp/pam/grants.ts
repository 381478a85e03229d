import { randomUUID } from "node:crypto";
import type { LivePolicies } from "../policy/live-policies.js";
import type { GcpWorld } from "../world.js";
import { giveAccess, hasAccess, removeAccess } from "./access.js";
import { type GrantRequest, type GrantState, isOpen, type PamGrant } from "./grant.js";

const APPROVAL_MS = 86_400_000;

export interface GrantDelays {
  /** From a request, or its approval, until the roles are given; default 0. */
  readonly activationMs: number;
  /** From a revocation or a withdrawal until the roles are gone; default 0. */
  readonly revocationMs: number;
}

export interface PamGrants {
  /** Brings every grant to where it is now, its bindings in the policies included. */
  advance(): void;
  all(): readonly PamGrant[];
  find(name: string): PamGrant | undefined;
  request(entitlement: string, request: GrantRequest): PamGrant;
  /** Of a grant that can be ended. */
  revoke(name: string, actor: string, reason?: string): PamGrant;
  /** Likewise, by whoever asked for it. */
  withdraw(name: string): PamGrant;
  /** What an approver says of a grant that waits for it. */
  decide(name: string, decision: "approve" | "deny"): void;
  delays(): GrantDelays;
  setDelays(delays: Partial<GrantDelays>): void;
}

/** @param now Privileged Access Manager's own time */
export function createPamGrants(world: GcpWorld, policies: LivePolicies, now: () => number): PamGrants {
  const grants = new Map<string, PamGrant>();
  let delays: GrantDelays = { activationMs: 0, revocationMs: 0 };
  const keep = (grant: PamGrant): PamGrant => {
    grants.set(grant.name, grant);
    return grant;
  };
  const schedule = (grant: PamGrant, at: number): PamGrant => {
    const scheduled = { scheduledActivationTime: new Date(at).toISOString() };
    return enter(grant, "SCHEDULED", at, { scheduled }, at + Math.floor(delays.activationMs / 2));
  };
  /** The next state of a grant whose time for it has come. */
  const step = (grant: PamGrant, at: number): PamGrant => {
    if (grant.state === "APPROVAL_AWAITED") return enter(grant, "EXPIRED", at, { expired: {} });
    if (grant.state === "SCHEDULED") {
      return enter(grant, "ACTIVATING", at, undefined, at + Math.ceil(delays.activationMs / 2));
    }
    if (grant.state === "ACTIVATING") {
      const endsAt = at + grant.request.seconds * 1000;
      const active = { ...enter(grant, "ACTIVE", at, { activated: {} }, endsAt), endsAt, accessGrantedAt: at };
      giveAccess(active, world, policies, at);
      return active;
    }
    removeAccess(grant, world, policies, at);
    const accessRemovedAt = grant.accessGrantedAt === undefined ? {} : { accessRemovedAt: at };
    if (grant.state === "ACTIVE") return { ...enter(grant, "ENDED", at, { ended: {} }), ...accessRemovedAt };
    if (grant.state === "WITHDRAWING")
      return { ...enter(grant, "WITHDRAWN", at, { withdrawn: {} }), ...accessRemovedAt };
    return { ...enter(grant, "REVOKED", at, { revoked: grant.revocation ?? {} }), ...accessRemovedAt };
  };
  const advance = (): void => {
    for (const name of grants.keys()) {
      let grant = grants.get(name);
      while (grant !== undefined) {
        if (isTouched(grant)) grant = keep(markTouched(grant, now()));
        if (grant.nextAt === undefined || grant.nextAt > now()) break;
        grant = keep(step(grant, grant.nextAt));
      }
    }
  };
  const isTouched = (grant: PamGrant): boolean =>
    grant.state === "ACTIVE" && grant.externallyModified !== true && !hasAccess(grant, world, policies);
  return {
    advance,
    all: () => [...grants.values()],
    find: (name) => grants.get(name),
    request: (entitlement, request) => {
      const at = now();
      const name = `${entitlement}/grants/${randomUUID()}`;
      const isAwaiting = world.entitlements[entitlement]?.approval === "manual";
      const expireTime = new Date(at + APPROVAL_MS).toISOString();
      const events = [{ at, what: { requested: isAwaiting ? { expireTime } : {} } }];
      const grant: PamGrant = { name, entitlement, request, createdAt: at, state: "APPROVAL_AWAITED", events };
      return keep(isAwaiting ? { ...grant, nextAt: at + APPROVAL_MS } : schedule(grant, at));
    },
    revoke: (name, actor, reason) => {
      const grant = mustFind(grants, name);
      const revocation = { actor, ...(reason !== undefined && { reason }) };
      return keep({ ...enter(grant, "REVOKING", now(), undefined, now() + delays.revocationMs), revocation });
    },
    withdraw: (name) =>
      keep(enter(mustFind(grants, name), "WITHDRAWING", now(), undefined, now() + delays.revocationMs)),
    decide: (name, decision) => {
      const grant = mustFind(grants, name);
      if (grant.state !== "APPROVAL_AWAITED") throw new Error(`the grant is ${grant.state}`);
      const actor = "approver@example.com";
      if (decision === "deny") keep(enter(grant, "DENIED", now(), { denied: { actor } }));
      else keep(schedule(enter(grant, "SCHEDULED", now(), { approved: { actor } }), now()));
    },
    delays: () => delays,
    setDelays: (changes) => {
      delays = { ...delays, ...changes };
    },
  };
}

/** Whether the requester has one that stands in the way of another. */
export function findOpenGrant(grants: PamGrants, entitlement: string, member: string): PamGrant | undefined {
  return grants
    .all()
    .find((grant) => grant.entitlement === entitlement && grant.request.member === member && isOpen(grant));
}

function enter(
  { nextAt: _done, ...grant }: PamGrant,
  state: GrantState,
  at: number,
  event?: Readonly<Record<string, unknown>>,
  nextAt?: number,
): PamGrant {
  const events = event === undefined ? grant.events : [...grant.events, { at, what: event }];
  return { ...grant, state, events, ...(nextAt !== undefined && { nextAt }) };
}

function markTouched(grant: PamGrant, at: number): PamGrant {
  return {
    ...grant,
    externallyModified: true,
    events: [...grant.events, { at, what: { externallyModified: {} } }],
  };
}

function mustFind(grants: ReadonlyMap<string, PamGrant>, name: string): PamGrant {
  const grant = grants.get(name);
  if (grant === undefined) throw new Error(`there is no grant ${name}`);
  return grant;
}
