import type { Ending } from "./lease.js";

/** Whether a further try could still take back something of it: its lease stays in the ledger. */
export function isUnfinished(ending: Pick<Ending, "isUnfinished">): boolean {
  return ending.isUnfinished === true;
}
