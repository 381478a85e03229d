// `npm run endings -- crash`: kills agentctl in many runs, a few workers side by side, and tells what became of them.
import { percentile, printTable } from "../bench-figures.mjs";
import { inSandbox } from "./sandboxes.mjs";

const WORKERS = { few: 2, many: 3 };
const FEW = 30;
const PHASES = [
  "before the ledger",
  "in the ledger",
  "giving rights",
  "issuing",
  "starting",
  "running",
  "ending",
  "too early to take back",
  "ended",
  "at any moment",
];
const KILLS = {
  agentctl: "agentctl",
  tree: "its process tree",
  both: "agentctl and its watchdog",
  twice: "agentctl, and then its watchdog",
  waiting: "agentctl, and who waits in its place",
};

export async function runCrash({ home, cloud, title, count }) {
  const width = count < FEW ? WORKERS.few : WORKERS.many;
  const workers = Array.from({ length: width }, (_, worker) =>
    inSandbox(home, "crash.mjs", [cloud, count, worker, width]),
  );
  const done = await Promise.all(workers);
  const runs = done.flatMap(({ results }) => results);
  printTable(
    [
      `${title}: killed while`,
      "runs",
      "by the watchdog",
      "by one sweep",
      "nothing to end",
      "files to sweep",
      "too late",
      "median",
      "p95",
      "max",
    ],
    [
      ...PHASES.filter((phase) => runs.some((run) => run.phase === phase)).map((phase) =>
        describe(
          phase,
          runs.filter((run) => run.phase === phase),
        ),
      ),
      ...Object.keys(KILLS)
        .filter((kill) => runs.some((run) => run.kill === kill))
        .map((kill) =>
          describe(
            `… of it: ${KILLS[kill]}`,
            runs.filter((run) => run.kill === kill),
          ),
        ),
      describe("all", runs),
    ],
  );
  return [
    ...runs.map(({ what, problems }) => problems.map((problem) => `${title}, ${what}: ${problem}`)),
    done.flatMap(({ problem }) => problem ?? []),
    runs.length === count ? [] : [`${runs.length} of ${count} runs were made`],
  ];
}

function describe(name, runs) {
  const times = runs.filter(({ by }) => by === "watchdog").map(({ ms }) => ms);
  const counted = (...kinds) => String(runs.filter(({ by }) => kinds.includes(by)).length);
  const shown = [50, 95, 100].map((percent) =>
    times.length === 0 ? "" : `${Math.round(percentile(times, percent))} ms`,
  );
  return [
    name,
    String(runs.length),
    counted("watchdog"),
    counted("sweep"),
    counted("nothing"),
    String(runs.filter(({ hasFiles }) => hasFiles).length),
    counted("too late"),
    ...shown,
  ];
}
