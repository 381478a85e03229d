// One row of `npm run endings -- chaos`; runs inside an `agentctl sandbox` of its own. Ends a lease while AWS is as the row
// says, with `revoke: auto` and with `required`, and holds the word that comes out against what the keys can still do.
//   node endings-chaos.mjs RESULTS ROW
import fs from "node:fs";
import { ROWS } from "./endings-chaos-rows.mjs";
import { control, openRole, refusalOf } from "./endings-clouds.mjs";
import { openLab } from "./endings-lab.mjs";
import { findProblems } from "./endings-problems.mjs";
import { leaseEntries } from "./endings-state.mjs";
import { soon, until } from "./endings-wait.mjs";

const BY_DENY = /^AccessDenied: .* with an explicit deny in an identity-based policy/;
const BY_FENCE = /^AccessDenied: .* with an explicit deny in a session policy/;
const LONGEST_MS = 180_000;
const [results, number] = process.argv.slice(2);
const row = ROWS[Number(number)];
const lab = await openLab();
const role = await openRole();
try {
  for (const profile of ["env", "env-required"]) {
    fs.appendFileSync(results, `${JSON.stringify({ row: Number(number), profile, ...(await endIn(profile)) })}\n`);
    for (const name of await role.names()) await role.remove(name);
  }
} finally {
  role.close();
  await lab.close();
}

async function endIn(profile) {
  const { want, strike, heal } = row;
  lab.proxy.reset();
  const trial = lab.start({ profile, traits: ["receipt"] });
  const child = await trial.child;
  const site = { lab, role, control, trial };
  await strike?.(site);
  child.exit();
  const goneAt = await child.gone;
  const exit = await soon(trial.exited, LONGEST_MS);
  if (exit === undefined) return { problems: ["agentctl does not end"] };
  // What the keys can do at the very moment at which it was said what they can do.
  const refusal = await refusalOf(child.keys);
  const [ending = {}] = readReceipt(trial.receipt).endings ?? [];
  const isHeld = leaseEntries(lab.state).length > 0;
  const outcome = { word: ending.word, code: exit.code, isHeld, ms: exit.endedAt - goneAt };
  const wantCode = profile === "env" ? 0 : want.required;
  const problems = [
    ...(want.words.includes(ending.word)
      ? []
      : [`it is ${ending.word}, not ${want.words}: ${ending.shortfall ?? ending.detail}`]),
    ...(exit.code === wantCode ? [] : [`it exits with ${exit.code}, not ${wantCode}: ${lastError(exit)}`]),
    ...(isHeld === (want.isHeld ?? false) ? [] : [`the ledger ${isHeld ? "holds" : "does not hold"} the lease`]),
    ...(ending.word === "revoked" ? doubt(ending, refusal, want) : []),
  ];
  await heal?.(site);
  const swept = isHeld ? await lab.agentctl(["lease", "sweep"]) : undefined;
  if (swept !== undefined && swept.code !== 0) problems.push(`the sweep exits with ${swept.code}: ${lastError(swept)}`);
  problems.push(...(await seeEnd(ending, isHeld, child.keys)), ...(await whatIsLeft(trial)));
  return { ...outcome, isSwept: swept?.code === 0, problems };
}

function doubt({ detail }, refusal, { isSeenBySts = false }) {
  if (BY_DENY.test(refusal) || (isSeenBySts && /\bSTS\b/.test(detail))) return [];
  return [`it is called revoked: ${refusal ?? "the keys work"}`];
}

/** Sooner or later every word comes true: a deny with the time that IAM takes, a fence with time itself. */
async function seeEnd({ word, at }, isSwept, keys) {
  const isDenied = isSwept || word === "revoked" || word === "removed";
  if (isDenied && (await until(async () => BY_DENY.test(await refusalOf(keys)), 5_000))) return [];
  if (isDenied) return [`after all the keys are not refused for the deny: ${await refusalOf(keys)}`];
  const offsetMs = Math.round(Date.parse(at) + 2_000 - Date.now());
  await control("POST", "clock", { offsetMs, service: "s3" });
  const refusal = await refusalOf(keys, offsetMs);
  await control("POST", "clock", { offsetMs: 0, service: "s3" });
  return BY_FENCE.test(refusal) ? [] : [`past its fence the keys are not refused for it: ${refusal}`];
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
