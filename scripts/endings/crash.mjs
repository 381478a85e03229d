// One worker of `npm run endings -- crash`; runs inside `agentctl sandbox`. Kills agentctl in one run after the other, and
// writes a line of JSON for each: where, who ended the lease, after how long, and what was not as it has to be.
//   node crash.mjs RESULTS CLOUD COUNT WORKER WORKERS
import fs from "node:fs";
import path from "node:path";
import { loadSteps } from "./clouds.mjs";
import { killBy, killWaiting, killWatchdog, WATCHDOG } from "./kill.mjs";
import { openLab } from "./lab.mjs";
import { describePlan, planRuns } from "./plan.mjs";
import { findProblems } from "./problems.mjs";
import { kill } from "./processes.mjs";
import { ageTornFiles, auditRecords, leaseEntries, leftovers, readEntry } from "./state.mjs";
import { soon, until } from "./wait.mjs";

const LONGEST_MS = 60_000;
const PATIENCE_MS = 3_000;
/** Who waits looks every five seconds, and a busy machine is slow. */
const LATE_MS = 20_000;
const LOOK_MS = 15;
const LOOKS_IN_A_ROW = 4;
const [results, cloudName, count, worker, workers] = process.argv.slice(2);
const lab = await openLab(cloudName);
const { cloud, side } = lab;
// Directories have to be there to be watched.
for (const name of ["audit", "leases", "run"])
  fs.mkdirSync(path.join(lab.state, name), { recursive: true, mode: 0o700 });
try {
  const all = planRuns(Number(count), await loadSteps(cloudName), cloud.otherProfiles);
  const plans = all.filter(({ number }) => number % Number(workers) === Number(worker));
  const atMoments = plans.filter(({ share }) => share !== undefined);
  const lives = await measureLives(new Set(atMoments.map(({ profile }) => profile)));
  for (const plan of plans) {
    lab.proxy.reset();
    await cloud.weatherOf?.[plan.profile]?.come();
    const trial = lab.start(plan);
    const outcome = await runAndKill(plan, trial, lives.get(plan.profile));
    // A machine that is less busy than before makes shorter lives.
    if (plan.share !== undefined && outcome.by === "too late")
      lives.set(plan.profile, Math.min(lives.get(plan.profile), outcome.ms));
    fs.appendFileSync(results, `${JSON.stringify(outcome)}\n`);
    await clearUp(trial, plan);
  }
} finally {
  await lab.close();
}

/** Of runs that nobody kills, the shortest; they also show that the keys do work as long as they should. */
async function measureLives(profiles) {
  const lives = new Map();
  for (const profile of [...profiles, ...profiles]) {
    await cloud.weatherOf?.[profile]?.come();
    const trial = lab.start({ profile });
    const child = await Promise.race([trial.child, trial.exited.then(() => undefined)]);
    if (child === undefined) throw new Error(`a run that nobody killed failed: ${(await trial.exited).stderr}`);
    await expectUsable(child.keys);
    child.exit();
    const { code, endedAt, stderr } = await trial.exited;
    if (code !== 0) throw new Error(`a run that nobody killed exited with ${code}: ${stderr}`);
    lives.set(profile, Math.min(lives.get(profile) ?? Number.POSITIVE_INFINITY, endedAt - trial.startedAt));
    await clearUp(trial, { profile });
  }
  return lives;
}

async function runAndKill(plan, trial, lifeMs) {
  const { step, share, isLost } = plan;
  const death = { at: undefined, entries: [] };
  const act = () => {
    if (death.at !== undefined) return;
    death.at = performance.now();
    killBy(plan.kill, trial);
    // What it left: as it is stopped it may be just removing it.
    death.entries = leaseEntries(lab.state);
    const records = auditRecords(lab.state).slice(trial.recordsBefore);
    death.isOnRecord = records.some(({ kind }) => kind === "lease.end");
  };
  const arm = step?.arm ?? afterMs(lifeMs * share);
  const { weather } = plan.step ?? {};
  if (weather !== undefined) trial.child = trial.child.then((child) => weather.come().then(() => child));
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
  if (death.at === undefined) {
    const missed = step?.isCall ? [`the call never came, and agentctl exited with ${exit.code}: ${exit.stderr}`] : [];
    const problems = [...missed, ...(await problemsOf(trial, death))];
    return { ...base, by: "too late", ms: exit.endedAt - trial.startedAt, problems };
  }
  return { ...base, ...(await (plan.kill === "waiting" ? settleBeside : settle)(plan, trial, death)) };
}

/** Who waits for the cloud's time is killed too: what is run beside has another wait, which takes it back in time. */
async function settleBeside({ step }, trial, death) {
  if (!(await killWaiting(trial, lab.state))) return { by: "nobody", problems: ["nobody waits for the cloud's time"] };
  const retryAt = lastRetry();
  const { code, stderr } = await lab.agentctl(step.beside);
  const failed = code === 0 ? [] : [`agentctl ${step.beside.join(" ")} exited with ${code}: ${stderr}`];
  await until(() => Date.now() > retryAt + LATE_MS || leaseEntries(lab.state).length === 0, LONGEST_MS);
  const endedAt = performance.now();
  let left = [];
  // The lock goes a moment after the lease.
  await until(async () => {
    left = await problemsOf(trial, death);
    return left.length === 0;
  }, PATIENCE_MS);
  return { by: "watchdog", ms: endedAt - death.at, problems: [...failed, ...left] };
}

/** When the cloud takes back what is queued. */
function lastRetry() {
  const entries = leaseEntries(lab.state).map((name) => readEntry(lab.state, name));
  return entries.flatMap(({ grants }) => grants.map(({ ending }) => Date.parse(ending?.retryAt)))[0];
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
  const early = isHeld && plan.step?.weather !== undefined ? await sweepTooEarly() : [];
  const swept = await lab.agentctl(["lease", "sweep"]);
  const left = [...early, ...(await problemsOf(trial, death))];
  if (swept.code !== 0) left.push(`lease sweep exited with ${swept.code}: ${swept.stderr}`);
  if (isHeld && !["both", "twice"].includes(plan.kill)) left.push(`it took a sweep: ${found.join("; ")}`);
  return { ...outcome, hasFiles: !isHeld, problems: left };
}

/** What cannot be taken back yet stays in the ledger, and the sweep says until when; it is waited for. */
async function sweepTooEarly() {
  const { stdout, stderr } = await lab.agentctl(["lease", "sweep"]);
  const retryAt = lastRetry();
  const isTold = /takes? \S+ back at|taken back from/.test(stdout + stderr) && retryAt > Date.now();
  // Whoever else may have been left to wait for it is let go first.
  await until(() => Date.now() > retryAt + PATIENCE_MS || leaseEntries(lab.state).length === 0, LONGEST_MS);
  return isTold ? [] : [`a sweep that came too early says: ${stdout}${stderr.trim()}`];
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
  return findProblems({ lab, trial, ...death });
}

function afterMs(ms) {
  return (_, act) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  };
}

async function expectUsable(keys) {
  const refusal = await cloud.refusalOf(keys);
  if (refusal !== undefined) throw new Error(`the keys do not work while the command runs: ${refusal}`);
}

/** What one run left must not be taken for the next one's. */
async function clearUp(trial, { profile, step }) {
  for (const { pid } of trial.processes()) kill(pid);
  await step?.weather?.go();
  await cloud.weatherOf?.[profile]?.go();
  await side.clear();
  for (const name of leftovers(lab.home, lab.state)) {
    const place = name.includes("/") ? path.join(lab.state, name) : path.join(lab.home, name);
    fs.rmSync(place, { recursive: true, force: true });
  }
}
