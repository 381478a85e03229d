import { guidOf } from "../guid.js";
import { objectIdOf } from "../principals.js";
import { roleIdOf } from "../roles.js";
import { isSameScope } from "../scope.js";
import type { AzureWorld } from "../world.js";

/** The services that ask what a principal may do; each learns of a change in its own time. */
export const AZURE_AUTHORIZERS = ["arm", "blob"] as const;
export type AzureAuthorizer = (typeof AZURE_AUTHORIZERS)[number];

/** Whom a role is assigned to, and where; there is one assignment of each at a time. */
export interface AssignmentKey {
  readonly scope: string;
  /** The role definition's GUID. */
  readonly roleId: string;
  /** The object id of a service principal. */
  readonly principalId: string;
}

/** One role assignment. Times in milliseconds since the epoch, by Resource Manager's clock. */
export interface Assignment extends AssignmentKey {
  /** A GUID. */
  readonly name: string;
  readonly condition?: string;
  readonly description?: string;
  /** An object id; absent for what was there from the start. */
  readonly createdBy?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly startsAt: number;
  readonly endsAt?: number;
  /** Until then it is being made: it is told of nowhere but in its request. */
  readonly provisionedAt?: number;
  /** What Privileged Identity Management knows it by; absent where it was assigned without that. */
  readonly schedule?: { readonly id: string; readonly requestName: string };
}

/** The role assignments of the world, and those that come and go. */
export interface Assignments {
  /** Those that have not ended, as Resource Manager itself tells them: a change at once. */
  current(): readonly Assignment[];
  find(key: AssignmentKey): Assignment | undefined;
  /** Whether one with this key ended so short a time ago that Privileged Identity Management takes it for one still. */
  isReleasing(key: AssignmentKey): boolean;
  add(assignment: Assignment): void;
  /** In the place of the one of the same name. */
  replace(assignment: Assignment): void;
  end(name: string): void;
  /** Those by which a service judges what a principal may do now. */
  seenBy(service: AzureAuthorizer, principalId: string): readonly Assignment[];
  /** How long until a change counts, in milliseconds; 0 lets what is under way count at once. */
  setPropagation(delayMs: number, service?: AzureAuthorizer): void;
  propagation(): Readonly<Record<AzureAuthorizer, number>>;
  /** How long after its end an assignment stands in the way of the same one anew, in milliseconds. */
  setRelease(delayMs: number): void;
  release(): number;
  /** How long after its start an assignment cannot be taken back by Privileged Identity Management, in milliseconds. */
  setMinimumAge(ageMs: number): void;
  minimumAge(): number;
  /** How long Privileged Identity Management takes to make an assignment that it was asked for, in milliseconds. */
  setProvisioning(delayMs: number): void;
  provisioning(): number;
}

/** Privileged Identity Management's own. */
const MINIMUM_AGE_MS = 300_000;

interface Entry {
  assignment: Assignment;
  /** What each service has learned; what has come stays. */
  readonly seen: Record<AzureAuthorizer, { start: boolean; end: boolean }>;
}

/** @param now Resource Manager's own time, which starts, ends and propagation are counted in */
export function createAssignments(world: AzureWorld, now: () => number): Assignments {
  const entries = fromWorld(world).map((assignment) => ({
    assignment,
    seen: { arm: { start: true, end: false }, blob: { start: true, end: false } },
  }));
  const all: Entry[] = entries;
  const byDefault = world.rolePropagationMs ?? 0;
  const delays = { arm: byDefault, blob: byDefault };
  let releaseMs = world.roleReleaseMs ?? 0;
  let provisioningMs = world.roleProvisioningMs ?? 0;
  let minimumAgeMs = world.roleMinimumAgeMs ?? MINIMUM_AGE_MS;
  const catchUp = (): void => {
    for (const entry of all) for (const service of AZURE_AUTHORIZERS) learn(entry, service, now() - delays[service]);
  };
  const isOver = ({ endsAt }: Assignment): boolean => endsAt !== undefined && endsAt <= now();
  const current = (): Assignment[] => all.map(({ assignment }) => assignment).filter((one) => !isOver(one));
  const replace = (assignment: Assignment): void => {
    catchUp();
    const entry = all.find(({ assignment: one }) => one.name === assignment.name && !isOver(one));
    if (entry !== undefined) entry.assignment = assignment;
  };
  return {
    current,
    find: (key) => current().find((one) => isSameKey(one, key)),
    isReleasing: (key) =>
      all.some(({ assignment: one }) => isSameKey(one, key) && isOver(one) && (one.endsAt ?? 0) + releaseMs > now()),
    add: (assignment) => {
      catchUp();
      const seen = { arm: { start: false, end: false }, blob: { start: false, end: false } };
      const isMadeLater = assignment.schedule !== undefined && provisioningMs > 0;
      const provisionedAt = isMadeLater && { provisionedAt: now() + provisioningMs };
      all.push({ assignment: { ...assignment, ...provisionedAt }, seen });
    },
    replace,
    end: (name) => {
      for (const one of current()) if (one.name === name) replace({ ...one, endsAt: now() });
    },
    seenBy: (service, principalId) => {
      catchUp();
      return all
        .filter(({ seen }) => seen[service].start && !seen[service].end)
        .flatMap(({ assignment }) => (assignment.principalId === principalId.toLowerCase() ? [assignment] : []));
    },
    setPropagation: (delayMs, service) => {
      catchUp();
      for (const name of service === undefined ? AZURE_AUTHORIZERS : [service]) delays[name] = delayMs;
    },
    propagation: () => ({ ...delays }),
    setRelease: (delayMs) => {
      releaseMs = delayMs;
    },
    release: () => releaseMs,
    setMinimumAge: (ageMs) => {
      minimumAgeMs = ageMs;
    },
    minimumAge: () => minimumAgeMs,
    setProvisioning: (delayMs) => {
      provisioningMs = delayMs;
    },
    provisioning: () => provisioningMs,
  };
}

function learn(
  { assignment: { startsAt, provisionedAt = 0, endsAt }, seen }: Entry,
  service: AzureAuthorizer,
  until: number,
): void {
  if (Math.max(startsAt, provisionedAt) <= until) seen[service].start = true;
  if (endsAt !== undefined && endsAt <= until) seen[service].end = true;
}

function isSameKey(one: AssignmentKey, other: AssignmentKey): boolean {
  const isSame = one.roleId === other.roleId.toLowerCase() && one.principalId === other.principalId.toLowerCase();
  return isSame && isSameScope(one.scope, other.scope);
}

function fromWorld(world: AzureWorld): Assignment[] {
  return Object.entries(world.apps).flatMap(([clientId, app]) =>
    app.roles.map(({ role, scope, condition }) => {
      const principalId = objectIdOf(clientId, app).toLowerCase();
      const name = guidOf(`${principalId} ${role} ${scope}`);
      const times = { createdAt: 0, updatedAt: 0, startsAt: 0 };
      return {
        name,
        scope,
        roleId: roleIdOf(role),
        principalId,
        ...times,
        ...(condition !== undefined && { condition }),
      };
    }),
  );
}
