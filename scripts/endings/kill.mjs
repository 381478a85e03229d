// The ways in which `npm run endings` kills an agentctl.
import { kill, treeOf } from "./processes.mjs";

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
