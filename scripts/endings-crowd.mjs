// `npm run endings -- crowd`; runs inside `agentctl sandbox`. Many leases on one role end at once, beside sessions and a
// policy of somebody else; afterwards, when all are past their fence, what agentctl left on the role is swept.
//   node endings-crowd.mjs RESULTS COUNT
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { assume, control, openRole, ROLE, refusalOf } from "./endings-clouds.mjs";
import { openLab } from "./endings-lab.mjs";
import { findProblems } from "./endings-problems.mjs";

/** Beyond the fence, five minutes after the start, and the five minutes more that a deny stays. */
const LATER_MS = 12 * 60_000;
const LATER = path.join(import.meta.dirname, "endings-later.cjs");
const LOOK_MS = 100;
const FOREIGN = "somebody-elses";
const FOREIGN_POLICY = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "s3:ListBucket", Resource: "arn:aws:s3:::demo" }],
};
const BY_DENY = /^AccessDenied: .* with an explicit deny in an identity-based policy/;
const BY_FENCE = /^AccessDenied: .* with an explicit deny in a session policy/;
const [results, count] = process.argv.slice(2);
const problems = [];
const lab = await openLab();
try {
  const role = await openRole();
  await role.put(FOREIGN, FOREIGN_POLICY);
  const strangers = await Promise.all([1, 2, 3].map((number) => assume(ROLE, `somebody-else-${number}`)));
  const stopLooking = watch(strangers);
  const leases = await endTogether();
  const looks = await stopLooking();
  const onRole = await role.names();
  role.close();
  for (const lease of leases) holdTrue(lease, onRole);
  problems.push(
    ...(await findProblems({ lab, trial: { processes: () => [], recordsBefore: 0 }, entries: [] })).filter(
      (text) => !text.startsWith("keys"),
    ),
  );
  const calls = lab.proxy.calls().filter((name) => /^(Get|List|Put|Delete)Role/.test(name)).length;
  const swept = await sweepLater(leases, strangers);
  const byWord = ["revoked", "removed", "fenced"].map((word) => [word, leases.filter((lease) => lease.word === word)]);
  const words = byWord.map(([word, all]) => ({ word, ms: all.map(({ ms }) => ms) }));
  fs.writeFileSync(results, `${JSON.stringify({ words, calls, looks, swept, problems })}\n`);
} finally {
  await lab.close();
}

/** All are there before the first of them goes. */
async function endTogether() {
  const trials = Array.from({ length: Number(count) }, () => startLow());
  const children = await Promise.all(trials.map(({ child }) => child));
  for (const child of children) child.exit();
  return Promise.all(trials.map((trial, index) => seeEnd(trial, children[index])));
}

/** The sandbox that all of them ask is one process on the same cores, as no cloud is. */
function startLow() {
  const trial = lab.start({ profile: "env", traits: ["receipt"] });
  os.setPriority(trial.pid, os.constants.priority.PRIORITY_BELOW_NORMAL);
  return trial;
}

async function seeEnd(trial, { lease, keys, gone }) {
  const goneAt = await gone;
  const { code, stderr, endedAt } = await trial.exited;
  const refusal = await refusalOf(keys);
  if (code !== 0) problems.push(`${lease} exits with ${code}: ${stderr.trim()}`);
  const [ending = {}] = JSON.parse(fs.readFileSync(trial.receipt, "utf8")).endings ?? [];
  return { lease, keys, refusal, word: ending.word, detail: ending.detail, ms: endedAt - goneAt };
}

/** What was said of a lease, against what its keys could do then and what is on the role. */
function holdTrue({ lease, refusal, word, detail }, onRole) {
  const isOnRole = onRole.some((name) => name.endsWith(lease));
  if (word === "revoked" && !BY_DENY.test(refusal))
    problems.push(`${lease} is called revoked: ${refusal ?? "its keys work"}`);
  if ((word === "revoked" || word === "removed") && !isOnRole) problems.push(`${lease} is ${word}, without a deny`);
  if (word === "fenced" && isOnRole) problems.push(`${lease} is called fenced, and there is a deny: ${detail}`);
  if (!["revoked", "removed", "fenced"].includes(word)) problems.push(`${lease} is ${word}: ${detail}`);
}

/** Sessions that are not agentctl's have to work all the time. Answers how to stop, and how often it was looked. */
function watch(strangers) {
  let isOver = false;
  const looking = (async () => {
    let looks = 0;
    for (; !isOver; looks += 1) {
      await expectWork(strangers);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    return looks;
  })();
  return () => {
    isOver = true;
    return looking;
  };
}

async function expectWork(strangers, systemClockOffset) {
  const refusals = await Promise.all(strangers.map((keys) => refusalOf(keys, systemClockOffset)));
  for (const refusal of refusals)
    if (refusal !== undefined) problems.push(`somebody else's session is harmed: ${refusal}`);
}

/** The sandbox's clock and agentctl's own are set past every fence. Answers how many denies were taken off the role. */
async function sweepLater(leases, strangers) {
  await control("POST", "clock", { offsetMs: LATER_MS });
  for (const { lease, keys } of leases) {
    const refusal = await refusalOf(keys, LATER_MS);
    if (!BY_FENCE.test(refusal) && !BY_DENY.test(refusal))
      problems.push(`${lease} past its fence: ${refusal ?? "its keys work"}`);
  }
  const role = await openRole(LATER_MS);
  const before = await role.names();
  const later = { NODE_OPTIONS: `--require ${LATER}`, ENDINGS_LATER_MS: String(LATER_MS) };
  const { code, stderr } = await lab.agentctl(["lease", "sweep", "--cloud", "-p", "env"], later);
  if (code !== 0) problems.push(`lease sweep --cloud exits with ${code}: ${stderr.trim()}`);
  const after = await role.names();
  role.close();
  if (after.join() !== FOREIGN) problems.push(`on the role there is, past every fence: ${after}`);
  await expectWork(strangers, LATER_MS);
  return before.length - after.length;
}
