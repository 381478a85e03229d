// `npm run endings -- crowd`: many leases on one role, ended at once.
import { median, percentile, printTable } from "./bench-figures.mjs";
import { inSandbox } from "./endings-sandboxes.mjs";

export async function runCrowd({ home, count }) {
  const { results, problem } = await inSandbox(home, "endings-crowd.mjs", [count]);
  const [crowd] = results;
  if (crowd === undefined) return [[problem ?? "nothing was written down"]];
  const { words, calls, looks, swept, problems } = crowd;
  printTable(
    [`${count} leases of one role, ended at once`, "leases", "median", "max"],
    words.map(({ word, ms }) => [word, String(ms.length), ...showTimes(ms)]),
  );
  process.stdout.write(
    `\n${calls} IAM calls; 3 sessions of somebody else were looked at ${looks} times meanwhile; ` +
      `past the fence one sweep took ${swept} denies off the role\n`,
  );
  const counted = words.reduce((sum, { ms }) => sum + ms.length, 0);
  return [
    ...Array.from({ length: counted }, () => []),
    problems,
    problem === undefined ? [] : [problem],
    counted === count ? [] : [`${counted} of ${count} leases have a word that is expected`],
  ];
}

function showTimes(ms) {
  if (ms.length === 0) return ["", ""];
  return [median(ms), percentile(ms, 100)].map((value) => `${(value / 1000).toFixed(1)} s`);
}
