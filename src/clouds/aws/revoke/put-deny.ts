import type { EndOrder } from "../../../core/lease.js";
import type { Runtime } from "../../../core/runtime.js";
import type { Story } from "../../story.js";
import { denyDocument, denyNameOf, readDenyName } from "./deny.js";
import { isRefusedWith } from "./iam-errors.js";
import { tryPruning } from "./prune.js";
import type { RolePolicies } from "./role-policies.js";
import type { Target } from "./undo.js";

/** As long as clocks may differ between two endings of one lease. */
const SAME_SECONDS = 60;

export interface DenyRequest {
  readonly target: Target;
  readonly order: Pick<EndOrder, "usableUntil">;
  readonly clockAheadMs: number;
  readonly signal: AbortSignal;
  readonly story: Story;
}

/**
 * Puts the deny for one lease's sessions on the role, unless it is there already, after making room by pruning.
 * Answers since when it is known to be there (this machine's clock, epoch ms), or `full` where IAM takes no more.
 * @throws {AgentctlError} as `RolePolicies` does
 */
export async function putDeny(
  role: RolePolicies,
  { target, order, clockAheadMs, signal, story }: DenyRequest,
  runtime: Pick<Runtime, "now">,
): Promise<number | "full"> {
  const awsNow = (): number => runtime.now() + clockAheadMs;
  const untilSeconds = Math.floor((order.usableUntil + clockAheadMs) / 1000);
  const there = await tryPruning(role, awsNow(), story, signal);
  const earlier = there.find((name) => isFor(name, target.leaseId, untilSeconds));
  if (earlier !== undefined) {
    story.tell(`the deny ${earlier} is on ${target.roleArn} already`);
    return runtime.now();
  }
  const name = denyNameOf(target.leaseId, untilSeconds);
  const put = () => role.put(name, denyDocument(target.sessionName));
  if (!(await fits(put))) {
    story.tell(`${target.roleArn} holds as many inline policies as fit`);
    await tryPruning(role, awsNow(), story, signal, Number.POSITIVE_INFINITY);
    if (!(await fits(put))) return "full";
  }
  story.tell(`put the deny ${name} on ${target.roleArn}`);
  return runtime.now();
}

/** A deny of an earlier ending does, unless it will be pruned before this one could be. */
function isFor(name: string, leaseId: string, untilSeconds: number): boolean {
  const deny = readDenyName(name);
  return deny?.leaseId === leaseId && deny.untilSeconds >= untilSeconds - SAME_SECONDS;
}

async function fits(put: () => Promise<void>): Promise<boolean> {
  try {
    await put();
    return true;
  } catch (error) {
    if (isRefusedWith(error, "LimitExceeded")) return false;
    throw error;
  }
}
