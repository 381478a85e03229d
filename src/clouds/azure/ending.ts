import { formatInstant } from "../../core/durations.js";
import type { Ending, EndOrder } from "../../core/lease.js";
import type { Runtime } from "../../core/runtime.js";

const NEVER_HANDED_OUT = "it was asked for and handed to nobody; what was issued was lost with the agentctl that asked";

/** How the grant ended, or will: nothing takes a token back, whatever happens to the lease. */
export function endAzureGrant(order: EndOrder, runtime: Pick<Runtime, "now">): Ending {
  const expiresAt = order.expiresAt ?? order.usableUntil;
  const at = formatInstant(expiresAt);
  if (!order.isIssued) return { cloud: "azure", word: "expires", at, detail: NEVER_HANDED_OUT };
  if (runtime.now() > expiresAt) {
    return { cloud: "azure", word: "expires", at, detail: "Azure ended the token by itself; nothing ended it earlier" };
  }
  const detail =
    "Azure cannot take a token back: until then it can be used by whoever holds it, though the lease has ended";
  return { cloud: "azure", word: "expires", at, detail };
}
