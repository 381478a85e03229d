// What must not be left of a lease, for `npm run endings`.
import { auditRecords, leftovers } from "./state.mjs";

/**
 * Answers a line for each thing that is left of a run, of which `entries` were in the ledger when it was killed; with
 * `isOnRecord` its end was in the log by then.
 */
export async function findProblems({ lab, trial, entries, isOnRecord = false }) {
  const [usable, left, broken] = await Promise.all([usableKeys(lab), lab.side.left(), brokenLog(lab)]);
  const records = auditRecords(lab.state).slice(trial.recordsBefore);
  const started = records.filter(({ kind }) => kind === "lease.start").map(({ lease }) => lease);
  const opened = new Set([...started, ...entries.map((name) => name.replace(/\.json$/, ""))]);
  const ended = new Set(records.filter(({ kind }) => /^lease\.(end|failed)$/.test(kind)).map(({ lease }) => lease));
  return [
    ...leftRunning(trial, isOnRecord || entries.length === 0).map(
      ({ pid, command }) => `process ${pid} lives: ${command}`,
    ),
    ...leftovers(lab.home, lab.state).map((name) => `${name} is left`),
    ...usable,
    ...left,
    ...broken,
    ...[...opened].filter((lease) => !ended.has(lease)).map((lease) => `the log tells of no end of ${lease}`),
  ];
}

/** What a command leaves behind on purpose stays, as without agentctl, once the lease has ended in the ordinary way. */
function leftRunning(trial, isEndedInOrder) {
  return trial.processes().filter(({ command }) => !(isEndedInOrder && command.endsWith("is-daemon")));
}

/** Every credential of the lease's principal that was issued, whoever has heard of it. */
async function usableKeys({ cloud, proxy }) {
  const sessions = proxy.sessions();
  const refusals = await Promise.all(sessions.map(({ keys }) => cloud.refusalOf(keys)));
  return refusals.flatMap((refusal, index) => {
    if (refusal !== undefined && (cloud.isTakenBack(refusal) || cloud.isPast(refusal))) return [];
    return [`keys of ${sessions[index].name} ${refusal === undefined ? "still work" : `are refused so: ${refusal}`}`];
  });
}

async function brokenLog(lab) {
  const { code, stdout, stderr } = await lab.agentctl(["audit", "verify"]);
  return code === 0 ? [] : [`audit verify: ${(stdout + stderr).trim()}`];
}
