// `npm run endings -- crowd`: many leases at once.
import { median, percentile, printTable } from "../bench-figures.mjs";
import { inSandbox } from "./sandboxes.mjs";

export async function runCrowd({ home, cloud, title, count }) {
  const { results, problem } = await inSandbox(home, "crowd.mjs", [cloud, count]);
  const [crowd] = results;
  if (crowd === undefined) return [[`${title}: ${problem ?? "nothing was written down"}`]];
  const { what, words, summary, problems } = crowd;
  printTable(
    [`${title}: ${count} ${what}`, "leases", "to start: median", "max", "to end: median", "max"],
    words.map(({ word, startMs, ms }) => [word, String(ms.length), ...showTimes(startMs), ...showTimes(ms)]),
  );
  process.stdout.write(`\n${summary}\n`);
  const counted = words.reduce((sum, { ms }) => sum + ms.length, 0);
  return [
    ...Array.from({ length: counted }, () => []),
    problems.map((each) => `${title}: ${each}`),
    problem === undefined ? [] : [`${title}: ${problem}`],
    counted === count ? [] : [`${title}: ${counted} of ${count} leases have a word that is expected`],
  ];
}

function showTimes(ms) {
  if (ms.length === 0) return ["", ""];
  return [median(ms), percentile(ms, 100)].map((value) => `${(value / 1000).toFixed(1)} s`);
}
