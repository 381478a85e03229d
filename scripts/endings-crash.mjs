// One worker of `npm run endings -- crash`; runs inside `agentctl sandbox`. Kills agentctl in one run after the other, and
// writes a line of JSON for each: where, who ended the lease, after how long, and what was not as it has to be.
//   node endings-crash.mjs RESULTS COUNT WORKER WORKERS
import fs from "node:fs";
import path from "node:path";
import { openRole, refusalOf } from "./endings-clouds.mjs";
import { openLab, until } from "./endings-lab.mjs";
import { describePlan, planRuns } from "./endings-plan.mjs";
import { findProblems } from "./endings-problems.mjs";
import { kill, treeOf } from "./endings-processes.mjs";
import { leaseEntries, leftovers } from "./endings-state.mjs";

const LONGEST_MS = 60_000;
const [results, count, worker, workers] = process.argv.slice(2);
const lab = await openLab();
// Directories have to be there to be watched.
for (const name of ["audit", "leases", "run"])
  fs.mkdirSync(path.join(lab.state, name), { recursive: true, mode: 0o700 });
const role = await openRole();
try {
  const lifeMs = await measureLife();
  const plans = planRuns(Number(count)).filter(({ number }) => number % Number(workers) === Number(worker));
  for (const plan of plans) {
    lab.proxy.reset();
    const trial = lab.start(plan);
    const outcome = await runAndKill(plan, trial, lifeMs);
    fs.appendFileSync(results, `${JSON.stringify(outcome)}\n`);
    await clearUp(trial);
  }
} finally {
  role.close();
  await lab.close();
}

/** Of two runs that nobody kills, the longer; they also show that the keys do work as long as they should. */
async function measureLife() {
  let longest = 0;
  for (const profile of ["env", "endpoint"]) {
    const trial = lab.start({ profile });
    const child = await trial.child;
    const refusal = await refusalOf(child.keys);
    if (refusal !== undefined) throw new Error(`the keys of a lease do not work: ${refusal}`);
    child.exit();
    const { code, endedAt, stderr } = await trial.exited;
    if (code !== 0) throw new Error(`a run that nobody killed exited with ${code}: ${stderr}`);
    longest = Math.max(longest, endedAt - trial.startedAt);
    await clearUp(trial);
  }
  return longest;
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
  const exit = await Promise.race([trial.exited, tooLong()]);
  disarm();
  lab.proxy.letGo(isLost);
  const base = { what: describePlan(plan), phase: step?.phase ?? "at any moment", kill: plan.kill };
  if (exit === undefined) {
    kill(trial.pid);
    return { ...base, by: "never reached", problems: ["agentctl did not get there, and did not end"] };
  }
  if (death.at === undefined) return { ...base, by: "too late", problems: await problemsOf(trial, death) };
  return { ...base, ...(await settle(plan, trial, death)) };
}

/** Waits for the watchdog, and sweeps once by hand where it could not end the lease. */
async function settle(plan, trial, death) {
  let endedAt = death.entries.length === 0 ? death.at : undefined;
  const watchers = () => trial.processes().filter(({ command }) => /agentctl-watchdog|--as-watchdog/.test(command));
  const isOver = await until(
    () => {
      if (leaseEntries(lab.state).length === 0) endedAt ??= performance.now();
      return watchers().length === 0;
    },
    LONGEST_MS,
    10,
  );
  if (!isOver) return { by: "never ended", problems: [`the watchdog lives on: ${JSON.stringify(watchers())}`] };
  if (leaseEntries(lab.state).length === 0) endedAt ??= performance.now();
  await until(() => lab.proxy.isQuiet());
  const ms = endedAt === undefined ? undefined : endedAt - death.at;
  const found = await problemsOf(trial, death);
  if (found.length === 0) return { by: death.entries.length === 0 ? "nothing" : "watchdog", ms, problems: [] };
  const isHeld = leaseEntries(lab.state).length > 0;
  const isLitter = leftovers(lab.home, lab.state).length === found.length;
  // What is neither in the ledger nor a mere file has escaped: a sweep must not be what makes it good.
  if (!isHeld && !isLitter) return { by: "nobody", problems: found };
  const swept = await lab.agentctl(["lease", "sweep"]);
  const left = await problemsOf(trial, death);
  if (swept.code !== 0) left.push(`lease sweep exited with ${swept.code}: ${swept.stderr}`);
  if (isHeld && plan.kill !== "both") left.push(`it took a sweep: ${found.join("; ")}`);
  return { by: isHeld ? "sweep" : "litter", problems: left, ...(!isHeld && { litter: found }) };
}

function problemsOf(trial, death) {
  return findProblems({ lab, trial, entries: death.entries });
}

function killBy(how, { pid, processes }) {
  // It stands still while it is looked around.
  kill(pid, "SIGSTOP");
  if (how === "both")
    for (const { pid: each, command } of processes()) if (/agentctl-watchdog/.test(command)) kill(each);
  for (const each of how === "tree" ? treeOf(pid).reverse() : [pid]) kill(each);
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

function tooLong() {
  return new Promise((resolve) => setTimeout(resolve, LONGEST_MS).unref());
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
