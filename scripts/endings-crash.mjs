// One worker of `npm run endings -- crash`; runs inside `agentctl sandbox`. Kills agentctl in one run after the other, and
// writes a line of JSON for each: where, who ended the lease, after how long, and what was not as it has to be.
//   node endings-crash.mjs RESULTS COUNT WORKER WORKERS
import fs from "node:fs";
import path from "node:path";
import { openRole, refusalOf } from "./endings-clouds.mjs";
import { killBy, killWatchdog, WATCHDOG } from "./endings-kill.mjs";
import { openLab } from "./endings-lab.mjs";
import { describePlan, planRuns } from "./endings-plan.mjs";
import { findProblems } from "./endings-problems.mjs";
import { kill } from "./endings-processes.mjs";
import { ageTornFiles, leaseEntries, leftovers } from "./endings-state.mjs";
import { soon, until } from "./endings-wait.mjs";

const LONGEST_MS = 60_000;
const LOOK_MS = 15;
const LOOKS_IN_A_ROW = 4;
const [results, count, worker, workers] = process.argv.slice(2);
const lab = await openLab();
// Directories have to be there to be watched.
for (const name of ["audit", "leases", "run"])
  fs.mkdirSync(path.join(lab.state, name), { recursive: true, mode: 0o700 });
const role = await openRole();
try {
  let lifeMs = await measureLife();
  const plans = planRuns(Number(count)).filter(({ number }) => number % Number(workers) === Number(worker));
  for (const plan of plans) {
    lab.proxy.reset();
    const trial = lab.start(plan);
    const outcome = await runAndKill(plan, trial, lifeMs);
    // A machine that is less busy than before makes shorter lives.
    if (plan.share !== undefined && outcome.by === "too late") lifeMs = Math.min(lifeMs, outcome.ms);
    fs.appendFileSync(results, `${JSON.stringify(outcome)}\n`);
    await clearUp(trial);
  }
} finally {
  role.close();
  await lab.close();
}

/** Of runs that nobody kills, the shortest; they also show that the keys do work as long as they should. */
async function measureLife() {
  let shortest = Number.POSITIVE_INFINITY;
  for (const profile of ["env", "endpoint", "env"]) {
    const trial = lab.start({ profile });
    const child = await trial.child;
    await expectUsable(child.keys);
    child.exit();
    const { code, endedAt, stderr } = await trial.exited;
    if (code !== 0) throw new Error(`a run that nobody killed exited with ${code}: ${stderr}`);
    shortest = Math.min(shortest, endedAt - trial.startedAt);
    await clearUp(trial);
  }
  return shortest;
}

async function runAndKill(plan, trial, lifeMs) {
  const { step, share, isLost } = plan;
  const death = { at: undefined, entries: [] };
  const act = () => {
    if (death.at !== undefined) return;
    death.entries = leaseEntries(lab.state);
    killBy(plan.kill, trial);
    death.at = performance.now();
  };
  const arm = step?.arm ?? afterMs(lifeMs * share);
  const disarm = arm({ lab, trial, useKeys: expectUsable }, act);
  if (step === undefined || step.exits) trial.child.then((child) => child.exit());
  const exit = await soon(trial.exited, LONGEST_MS);
  disarm();
  lab.proxy.letGo(isLost);
  const base = { what: describePlan(plan), phase: step?.phase ?? "at any moment", kill: plan.kill };
  if (exit === undefined) {
    kill(trial.pid);
    return { ...base, by: "never reached", problems: ["agentctl did not get there, and did not end"] };
  }
  if (death.at === undefined)
    return { ...base, by: "too late", ms: exit.endedAt - trial.startedAt, problems: await problemsOf(trial, death) };
  return { ...base, ...(await settle(plan, trial, death)) };
}

/** Waits for the watchdog, and sweeps once by hand for what it did not get to. */
async function settle(plan, trial, death) {
  const stopWatching = plan.finishing?.({ lab, trial }, () => killWatchdog(trial, /--as-watchdog/)) ?? (() => {});
  const endedAt = await watchdogGone(trial);
  stopWatching();
  lab.proxy.letGo(plan.isLost);
  if (endedAt === undefined) return { by: "never ended", problems: ["the watchdog lives on"] };
  await until(() => lab.proxy.isQuiet());
  const found = await problemsOf(trial, death);
  const isHeld = leaseEntries(lab.state).length > 0;
  const by = isHeld ? "sweep" : death.entries.length > 0 ? "watchdog" : "nothing";
  const outcome = { by, ms: endedAt - death.at };
  if (found.length === 0) return { ...outcome, problems: [] };
  // What is neither in the ledger nor a mere file has escaped: a sweep must not be what makes it good.
  const areFiles = leftovers(lab.home, lab.state).length === found.length;
  if (!isHeld && !areFiles) return { by: "nobody", problems: found };
  ageTornFiles(lab.state);
  const swept = await lab.agentctl(["lease", "sweep"]);
  const left = await problemsOf(trial, death);
  if (swept.code !== 0) left.push(`lease sweep exited with ${swept.code}: ${swept.stderr}`);
  if (isHeld && !["both", "twice"].includes(plan.kill)) left.push(`it took a sweep: ${found.join("; ")}`);
  return { ...outcome, hasFiles: !isHeld, problems: left };
}

/** Answers when the lease left the ledger, or the watchdog gave up; undefined when it does neither. */
async function watchdogGone(trial) {
  let endedAt;
  let looks = 0;
  const isOver = await until(
    () => {
      if (leaseEntries(lab.state).length === 0) endedAt ??= performance.now();
      // For a moment, as the shell becomes node, /proc tells nothing of it.
      looks = trial.processes().some(({ command }) => WATCHDOG.test(command)) ? 0 : looks + 1;
      return looks === LOOKS_IN_A_ROW;
    },
    LONGEST_MS,
    LOOK_MS,
  );
  return isOver ? (endedAt ?? performance.now()) : undefined;
}

function problemsOf(trial, death) {
  return findProblems({ lab, trial, entries: death.entries });
}

function afterMs(ms) {
  return (_, act) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  };
}

async function expectUsable(keys) {
  const refusal = await refusalOf(keys);
  if (refusal !== undefined) throw new Error(`the keys do not work while the command runs: ${refusal}`);
}

/** A role holds eighty denies; and what one run left must not be taken for the next one's. */
async function clearUp(trial) {
  for (const { pid } of trial.processes()) kill(pid);
  for (const name of await role.names()) await role.remove(name);
  for (const name of leftovers(lab.home, lab.state)) {
    const place = name.includes("/") ? path.join(lab.state, name) : path.join(lab.home, name);
    fs.rmSync(place, { recursive: true, force: true });
  }
}
