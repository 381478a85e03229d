// What must not be left of a lease, for `npm run endings`.
import { ROLE, refusalOf } from "./endings-clouds.mjs";
import { auditRecords, leftovers, unendedLeases } from "./endings-state.mjs";

/** Answers a line for each thing that is left of a run, of which `entries` were in the ledger when it was killed. */
export async function findProblems({ lab, trial, entries }) {
  const [usable, broken] = await Promise.all([usableKeys(lab), brokenLog(lab)]);
  return [
    ...leftRunning(trial, entries).map(({ pid, command }) => `process ${pid} lives: ${command}`),
    ...leftovers(lab.home, lab.state).map((name) => `${name} is left`),
    ...usable,
    ...broken,
    ...unendedLeases(lab.state).map((lease) => `the log tells of no end of ${lease}`),
    ...entries.filter((name) => !isEndTold(lab.state, name)).map((name) => `the log does not tell of ${name}`),
  ];
}

/** What a command leaves behind on purpose stays, as without agentctl, once the lease has ended in the ordinary way. */
function leftRunning(trial, entries) {
  const isEndedInOrder = entries.length === 0;
  return trial.processes().filter(({ command }) => !(isEndedInOrder && command.endsWith("is-daemon")));
}

/** Every session of the lease's role that was issued, whoever has heard of it. */
async function usableKeys({ proxy }) {
  const sessions = proxy.sessions().filter((session) => session.roleArn.endsWith(`/${ROLE}`));
  const refusals = await Promise.all(sessions.map(({ keys }) => refusalOf(keys)));
  return refusals.flatMap((refusal, index) => {
    if (/^AccessDenied: .* with an explicit deny in a/.test(refusal ?? "")) return [];
    return [`keys of ${sessions[index].name} ${refusal === undefined ? "still work" : `are refused so: ${refusal}`}`];
  });
}

async function brokenLog(lab) {
  const { code, stdout, stderr } = await lab.agentctl(["audit", "verify"]);
  return code === 0 ? [] : [`audit verify: ${(stdout + stderr).trim()}`];
}

function isEndTold(state, name) {
  const lease = name.replace(/\.json$/, "");
  return auditRecords(state).some((record) => record.lease === lease && /^lease\.(end|failed)$/.test(record.kind));
}
