import { AgentctlError } from "../../../core/errors.js";
import type { Change } from "./change-policy.js";
import { correctionOf, expressionOf, titleOf } from "./lease-title.js";
import { bindingsOf, countConditional, gives, type LeaseBinding, withoutExpired } from "./policy.js";
import { limitHint } from "./policy-client.js";

/** Google's own: bindings with one role and member, and different conditions. */
const MOST_CONDITIONS = 20;
const LONGEST_DESCRIPTION = 250;

/** What one resource gives to one lease. */
export interface Gift {
  readonly resource: string;
  readonly roles: readonly string[];
  /** As a policy names the lease's principal. */
  readonly member: string;
  readonly leaseId: string;
  readonly profileName: string;
  /** By this machine's clock, epoch ms. */
  readonly endsAt: number;
}

export interface Given {
  readonly isNew: boolean;
  readonly pruned: readonly string[];
}

/**
 * The bindings with the gift among them, and without ours that have ended; nothing to write where it is there already.
 * `now` is by this machine's clock, epoch ms.
 * @throws {AgentctlError} BINDING_LIMIT
 */
export function addGift(gift: Gift, bindings: readonly unknown[], googleNow: number, now: number): Change<Given> {
  const { kept, pruned } = withoutExpired(bindings, googleNow, gift.roles);
  // There already: by an earlier try, whose answer was lost, or by another name of the same resource.
  const given = bindingsOf(kept, gift.leaseId);
  const roles = [...new Set(gift.roles)].filter((role) => !given.some((one) => gives(one, role, gift.member)));
  if (roles.length === 0) return { told: { isNew: false, pruned: [] } };
  for (const role of roles) assertRoom(role, gift, kept);
  const endSeconds = endSecondsOf(gift, googleNow - now);
  const ours = roles.map((role) => leaseBinding(role, gift, endSeconds));
  return { bindings: [...kept, ...ours], told: { isNew: true, pruned } };
}

/** Google judges by its own clock, to which ours is corrected only where they differ by more than latency. */
function endSecondsOf({ endsAt }: Gift, aheadMs: number): number {
  return Math.ceil((endsAt + correctionOf(aheadMs)) / 1000);
}

function leaseBinding(role: string, { member, leaseId, profileName }: Gift, endSeconds: number): LeaseBinding {
  return {
    role,
    members: [member],
    condition: {
      title: titleOf(leaseId, endSeconds),
      description: `agentctl, lease ${leaseId} of profile ${profileName}`.slice(0, LONGEST_DESCRIPTION),
      expression: expressionOf(endSeconds),
    },
  };
}

function assertRoom(role: string, { resource, member }: Gift, bindings: readonly unknown[]): void {
  const count = countConditional(bindings, role, member);
  if (count < MOST_CONDITIONS) return;
  const message = `${resource} holds ${count} bindings of ${role} to ${member} with a condition, and Google takes ${MOST_CONDITIONS}`;
  throw new AgentctlError("BINDING_LIMIT", message, {
    hint: limitHint(resource),
    facts: { resource, role, member, bindings: count },
  });
}
