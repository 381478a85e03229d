// `npm run endings -- watchdog`: what it costs that somebody waits beside every lease.
import path from "node:path";
import { benchWatchdog } from "../bench-watchdog.mjs";

const ROUNDS = { short: 3, full: 20 };

export async function runWatchdog({ home, isShort }) {
  const { AGENTCTL_STATE_DIR, ...plainEnv } = process.env;
  const stage = { file: (name) => path.join(home, name), plainEnv: { ...plainEnv, AGENTCTL_STATE_DIR: home } };
  await benchWatchdog(stage, isShort ? ROUNDS.short : ROUNDS.full);
  return [];
}
