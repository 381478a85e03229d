// The rows of `npm run endings -- chaos` in which the disk is full (RLIMIT_FSIZE); runs inside an `agentctl sandbox`.
//   node disk.mjs RESULTS CLOUD
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { openLab } from "./lab.mjs";
import { leaseEntries, leftovers } from "./state.mjs";

const IO = 74;
const [results, cloudName] = process.argv.slice(2);
const lab = await openLab(cloudName);
try {
  for (const blocks of [0, 1]) report(await openWithin(blocks));
  report(await fillWhileRunning());
} finally {
  await lab.close();
}

/** With one block the ledger's file is begun, and cannot be finished. */
async function openWithin(blocks) {
  lab.proxy.reset();
  const through = ["/bin/sh", "-c", `ulimit -f ${blocks}; exec "$@"`, "sh"];
  const trial = lab.start({ profile: "env", through });
  const { code, stderr, endedAt } = await trial.exited;
  const asked = lab.proxy.calls();
  const problems = [
    ...(code === IO ? [] : [`it exits with ${code}, not ${IO}: ${stderr.trim()}`]),
    ...asked.map((call) => `${lab.cloud.title} was asked: ${call}`),
    ...leftovers(lab.home, lab.state).map((name) => `${name} is left`),
  ];
  const name = `the disk is full ${blocks === 0 ? "before" : "while"} the ledger is written`;
  return { name, word: "nothing issued", code, ms: endedAt - trial.startedAt, problems };
}

/** What cannot be written down is ended all the same, and the exit code tells of it. */
async function fillWhileRunning() {
  lab.proxy.reset();
  const trial = lab.start({ profile: "env" });
  const child = await trial.child;
  const limited = spawnSync("prlimit", ["--pid", String(trial.pid), "--fsize=0"]);
  child.exit();
  const goneAt = await child.gone;
  const { code, stderr, endedAt } = await trial.exited;
  const name = "the disk is full from the command's start on";
  if (limited.status !== 0) return { name, word: "skipped: no prlimit", problems: [] };
  const refusal = await lab.cloud.refusalOf(child.keys);
  const problems = [
    ...(code === IO ? [] : [`it exits with ${code}, not ${IO}: ${stderr.trim()}`]),
    ...(lab.cloud.isTakenBack(refusal) ? [] : [`the keys are not taken back: ${refusal ?? "they work"}`]),
  ];
  const word = /\b(revoked|removed|fenced|expires|failed)\b/.exec(stderr)?.[0];
  return { name, word, code, isHeld: leaseEntries(lab.state).length > 0, ms: endedAt - goneAt, problems };
}

function report(outcome) {
  fs.appendFileSync(results, `${JSON.stringify(outcome)}\n`);
}
