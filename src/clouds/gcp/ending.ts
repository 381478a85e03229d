import { formatInstant } from "../../core/durations.js";
import type { Ending, EndOrder } from "../../core/lease.js";
import type { Runtime } from "../../core/runtime.js";

const NEVER_HANDED_OUT = "it was asked for and handed to nobody; what was issued was lost with the agentctl that asked";

/**
 * How the grant ended, or will: nothing takes a workload's token back, whatever happens to the lease. Where rights were
 * given for it and are not taken back, `boundAt` (epoch ms) is when they end by themselves.
 */
export function endGcpGrant(order: EndOrder, runtime: Pick<Runtime, "now">, boundAt?: number): Ending {
  const expiresAt = order.expiresAt ?? order.usableUntil;
  const rights =
    boundAt === undefined ? "" : `; what was given for the lease ends by itself at ${formatInstant(boundAt)}`;
  const detail = `${detailOf(order, runtime.now() > expiresAt)}${rights}`;
  const reason = boundAt === undefined ? {} : { reason: "revoke: none" };
  return { cloud: "gcp", word: "expires", at: formatInstant(expiresAt), detail, ...reason };
}

function detailOf({ isIssued }: EndOrder, isOver: boolean): string {
  if (!isIssued) return NEVER_HANDED_OUT;
  if (isOver) return "Google ended the token by itself; nothing ended it earlier";
  return "Google cannot take the token back: until then it can be used by whoever holds it, though the lease has ended";
}
