import { formatInstant } from "../../../core/durations.js";
import { fieldOf, textOf } from "../../exchange/wire.js";
import { correctionOf } from "./lease-title.js";
import { endsAsTitled, gives, leaseOf } from "./policy.js";

const MOST_NAMED = 3;

/** A binding that gives the lease's principal what the lease's own gave, and stays. */
export interface Staying {
  readonly resource: string;
  readonly role: string;
  /** Absent where it is no lease's. */
  readonly leaseId?: string;
  /** By this machine's clock, epoch ms; absent where it has no end, or that cannot be told. */
  readonly endsAt?: number;
  /** Whether it gives the role for sure: what a condition of somebody else's comes to is not known. */
  readonly isSure: boolean;
}

export interface StayingQuestion {
  readonly resource: string;
  readonly leaseId: string;
  readonly roles: readonly string[];
  readonly members: readonly string[];
}

/** What of the bindings gives one of the members one of the roles, other than the lease's own. */
export function findStaying(
  { resource, leaseId, roles, members }: StayingQuestion,
  bindings: readonly unknown[],
  googleNow: number,
  now: number,
): readonly Staying[] {
  const rest = bindings.filter((binding) => leaseOf(binding)?.leaseId !== leaseId);
  return roles.flatMap((role) =>
    rest
      .filter((binding) => members.some((member) => gives(binding, role, member)))
      .map((binding) => ({ resource, role, ...readStay(binding, googleNow, now) }))
      .filter(({ endsAt }) => endsAt === undefined || endsAt > now),
  );
}

function readStay(binding: unknown, googleNow: number, now: number): Omit<Staying, "resource" | "role"> {
  const lease = leaseOf(binding);
  if (lease !== undefined && endsAsTitled(binding, lease)) {
    const endsAt = lease.endSeconds * 1000 - correctionOf(googleNow - now);
    return { leaseId: lease.leaseId, endsAt, isSure: true };
  }
  const condition = fieldOf(binding, "condition");
  return { isSure: condition === undefined || textOf(condition, "expression")?.trim() === "true" };
}

/** When the last of it ends (epoch ms); undefined where that cannot be told. */
export function lastEndOf(staying: readonly Staying[]): number | undefined {
  const ends = staying.map(({ endsAt }) => endsAt ?? Number.POSITIVE_INFINITY);
  const last = Math.max(...ends);
  return Number.isFinite(last) ? last : undefined;
}

/** Such as `roles/viewer on //… stays with jit@… by another lease, l-…, until T`. */
export function describeStaying(staying: readonly Staying[], principal: string): string {
  const surestFirst = [...staying].sort((one, other) => Number(other.isSure) - Number(one.isSure));
  const named = surestFirst.slice(0, MOST_NAMED).map((one) => describeOne(one, principal));
  const more = staying.length - named.length;
  return [...named, ...(more > 0 ? [`${more} more such binding${more === 1 ? " stays" : "s stay"}`] : [])].join(
    ", and ",
  );
}

/** The same in a few words: whoever gives it for sure, such as `lease l-… still gives it`. */
export function nameStaying(staying: readonly Staying[]): string {
  const sure = staying.filter(({ isSure }) => isSure);
  const { leaseId } = sure.find((one) => one.leaseId === undefined) ?? sure[0] ?? {};
  return `${leaseId === undefined ? "a binding that is not agentctl's" : `lease ${leaseId}`} still gives it`;
}

function describeOne({ resource, role, leaseId, endsAt, isSure }: Staying, principal: string): string {
  const until = endsAt === undefined ? "" : `, until ${formatInstant(Math.ceil(endsAt / 1000) * 1000)}`;
  if (leaseId !== undefined) return `${principal} keeps ${role} on ${resource} by another lease, ${leaseId}${until}`;
  return isSure
    ? `${principal} keeps ${role} on ${resource} by a binding that is not agentctl's`
    : `${principal} may keep ${role} on ${resource} by a binding with a condition, which is not agentctl's`;
}
