// One row of `npm run endings -- chaos`; runs inside an `agentctl sandbox` of its own. Ends a lease while its cloud is as the row
// says, with `revoke: auto` and with `required`, and holds the word that comes out against what the keys can still do.
//   node chaos.mjs RESULTS CLOUD ROW
import fs from "node:fs";
import { control, loadRows } from "./clouds.mjs";
import { openLab } from "./lab.mjs";
import { findProblems } from "./problems.mjs";
import { leaseEntries } from "./state.mjs";
import { soon, until } from "./wait.mjs";

const LONGEST_MS = 180_000;
const [results, cloudName, number] = process.argv.slice(2);
const row = (await loadRows(cloudName))[Number(number)];
const lab = await openLab(cloudName);
const { cloud } = lab;
try {
  for (const profile of row.profiles ?? ["env", "env-required"]) {
    fs.appendFileSync(results, `${JSON.stringify({ row: Number(number), profile, ...(await endIn(profile)) })}\n`);
    await row.after?.();
    await cloud.weatherOf?.[profile]?.go();
    await lab.side.clear();
  }
} finally {
  await lab.close();
}

async function endIn(profile) {
  const { strike, heal } = row;
  const isRequired = profile.endsWith("-required");
  const want = { code: isRequired ? row.want.required : 0, ...row.want, ...(isRequired && row.want.ifRequired) };
  lab.proxy.reset();
  await cloud.weatherOf?.[profile]?.come();
  const trial = lab.start({ profile, traits: ["receipt"] });
  const child = await Promise.race([trial.child, trial.exited]);
  if (child.keys === undefined) return { problems: [`the command did not start: ${lastError(child)}`] };
  const site = { lab, control, trial, child };
  await strike?.(site);
  child.exit();
  const goneAt = await child.gone;
  const exit = await soon(trial.exited, LONGEST_MS);
  if (exit === undefined) return { problems: ["agentctl does not end"] };
  // What the keys can do at the very moment at which it was said what they can do.
  const refusal = await cloud.refusalOf(child.keys);
  const [ending = {}] = readReceipt(trial.receipt).endings ?? [];
  const isHeld = leaseEntries(lab.state).length > 0;
  const outcome = { word: ending.word, code: exit.code, isHeld, ms: exit.endedAt - goneAt };
  const problems = [
    ...(want.words.includes(ending.word)
      ? []
      : [`it is ${ending.word}, not ${want.words}: ${ending.shortfall ?? ending.detail}`]),
    ...(exit.code === want.code ? [] : [`it exits with ${exit.code}, not ${want.code}: ${lastError(exit)}`]),
    ...(isHeld === (want.isHeld ?? false) ? [] : [`the ledger ${isHeld ? "holds" : "does not hold"} the lease`]),
    ...(ending.word === "revoked" ? doubt(ending, refusal, want) : []),
  ];
  await heal?.(site);
  const swept = isHeld ? await lab.agentctl(["lease", "sweep"]) : undefined;
  if (swept !== undefined && swept.code !== 0) problems.push(`the sweep exits with ${swept.code}: ${lastError(swept)}`);
  problems.push(...(await seeEnd(ending, isHeld, child.keys)), ...(await whatIsLeft(trial)));
  return { ...outcome, isSwept: swept?.code === 0, problems };
}

function doubt({ detail }, refusal, { seenBy }) {
  if (cloud.isTakenBack(refusal) || seenBy?.test(detail)) return [];
  return [`it is called revoked: ${refusal ?? "the keys work"}`];
}

/** Sooner or later every word comes true: what was taken back with the time that the cloud takes, the rest with time itself. */
async function seeEnd({ word, at }, isSwept, keys) {
  const isTaken = isSwept || word === "revoked" || word === "removed";
  if (isTaken && (await until(async () => cloud.isTakenBack(await cloud.refusalOf(keys)), 5_000))) return [];
  if (isTaken) return [`after all the keys are not refused for that: ${await cloud.refusalOf(keys)}`];
  const offsetMs = Math.round(Date.parse(at) + 2_000 - Date.now());
  await control("POST", "clock", { offsetMs, service: cloud.judge });
  const refusal = await cloud.refusalOf(keys, offsetMs);
  await control("POST", "clock", { offsetMs: 0, service: cloud.judge });
  return cloud.isPast(refusal) ? [] : [`past its end the keys are not refused for it: ${refusal}`];
}

/** The keys have been looked at. */
async function whatIsLeft(trial) {
  await until(() => trial.processes().length === 0, 10_000);
  return (await findProblems({ lab, trial, entries: [] })).filter((problem) => !problem.startsWith("keys"));
}

function lastError({ stderr }) {
  return /agentctl: error.*/.exec(stderr)?.[0] ?? stderr.trim();
}

function readReceipt(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return {};
  }
}
