import { formatInstant } from "../../core/durations.js";
import type { Ending, Grant } from "../../core/lease.js";
import type { Runtime } from "../../core/runtime.js";

/** How the grant ended, or will: nothing takes a workload's token back, whatever happens to the lease. */
export function endGcpGrant(grant: Grant, runtime: Pick<Runtime, "now">): Ending {
  const at = formatInstant(grant.expiresAt);
  if (runtime.now() > grant.expiresAt) {
    return { cloud: "gcp", word: "expires", at, detail: "Google ended the token by itself; nothing ended it earlier" };
  }
  const detail =
    "Google cannot take the token back: until then it can be used by whoever holds it, though the lease has ended";
  return { cloud: "gcp", word: "expires", at, detail };
}
