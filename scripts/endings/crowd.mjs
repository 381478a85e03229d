// `npm run endings -- crowd`; runs inside `agentctl sandbox`. Many leases of one role, policy or scope at once, beside
// somebody else who is not to notice; afterwards what can be left of them is swept.
//   node crowd.mjs RESULTS CLOUD COUNT
import fs from "node:fs";
import os from "node:os";
import { loadCrowd } from "./clouds.mjs";
import { openLab } from "./lab.mjs";
import { findProblems } from "./problems.mjs";

const LOOK_MS = 100;
const [results, cloudName, count] = process.argv.slice(2);
const problems = [];
const lab = await openLab(cloudName);
try {
  const openCrowd = await loadCrowd(cloudName);
  const crowd = await openCrowd(lab, problems);
  const stopLooking = watch(crowd);
  const leases = await runAll(crowd);
  const looks = await stopLooking();
  const told = await crowd.holdTrue(leases);
  problems.push(
    ...(await findProblems({ lab, trial: { processes: () => [], recordsBefore: 0 }, entries: [] })).filter(
      (text) => !text.startsWith("keys"),
    ),
  );
  const calls = lab.proxy.calls().filter((name) => crowd.isWrite(name)).length;
  const swept = await crowd.sweep(leases);
  const byWord = crowd.words.map((word) => [word, leases.filter((lease) => lease.word === word)]);
  const words = byWord.map(([word, all]) => ({
    word,
    startMs: all.map((one) => one.startMs),
    ms: all.map(({ ms }) => ms),
  }));
  const summary = crowd.summarise({ calls, looks, swept, told });
  fs.writeFileSync(results, `${JSON.stringify({ what: crowd.what, words, summary, problems })}\n`);
} finally {
  await lab.close();
}

/** Where there is room for all, all are there before the first of them goes. */
async function runAll({ profileOf, hasRoom }) {
  const trials = Array.from({ length: Number(count) }, (_, number) => startLow(profileOf(number)));
  const children = trials.map(({ child, exited }) => Promise.race([child, exited]));
  if (hasRoom) await Promise.all(children);
  return Promise.all(trials.map((trial, index) => endOne(trial, children[index])));
}

/** The sandbox that all of them ask is one process on the same cores, as no cloud is. */
function startLow(profile) {
  const trial = lab.start({ profile, traits: ["receipt"] });
  os.setPriority(trial.pid, os.constants.priority.PRIORITY_BELOW_NORMAL);
  return trial;
}

async function endOne(trial, coming) {
  const child = await coming;
  if (child.lease === undefined) {
    problems.push(`a command did not start: ${child.stderr.trim()}`);
    return { word: "none" };
  }
  const startMs = child.toldAt - trial.startedAt;
  child.exit();
  const goneAt = await child.gone;
  const { code, stderr, endedAt } = await trial.exited;
  const refusal = await lab.cloud.refusalOf(child.keys);
  const { lease, keys } = child;
  if (code !== 0) problems.push(`${lease} exits with ${code}: ${stderr.trim()}`);
  const [ending = {}] = JSON.parse(fs.readFileSync(trial.receipt, "utf8")).endings ?? [];
  return { lease, keys, refusal, word: ending.word, detail: ending.detail, startMs, ms: endedAt - goneAt };
}

/** What is somebody else's has to be well all the time. Answers how to stop, and how often it was looked. */
function watch({ look }) {
  let isOver = false;
  const looking = (async () => {
    let looks = 0;
    for (; !isOver; looks += 1) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    return looks;
  })();
  return () => {
    isOver = true;
    return looking;
  };
}
