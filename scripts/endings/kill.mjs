// The ways in which `npm run endings` kills an agentctl.
import { kill, treeOf } from "./processes.mjs";
import { leaseOwners } from "./state.mjs";
import { until } from "./wait.mjs";

/** As a shell, and as what it becomes. */
export const WATCHDOG = /agentctl-watchdog|--as-watchdog/;

export function killBy(how, trial) {
  const { pid } = trial;
  // It stands still while it is looked around.
  kill(pid, "SIGSTOP");
  if (how === "both") killWatchdog(trial, WATCHDOG);
  for (const each of how === "tree" ? treeOf(pid).reverse() : [pid]) kill(each);
}

export function killWatchdog(trial, pattern) {
  for (const { pid, command } of trial.processes()) if (pattern.test(command)) kill(pid);
}

/** Kills whoever waits in a watchdog's place until the cloud takes a lease back. Answers whether there was one. */
export async function killWaiting(trial, state) {
  const holdsQueue = () => leaseOwners(state, "queue").find((pid) => trial.processes().some((one) => one.pid === pid));
  if (!(await until(() => holdsQueue() !== undefined))) return false;
  const pid = holdsQueue();
  kill(pid);
  return until(() => trial.processes().every((one) => one.pid !== pid));
}
