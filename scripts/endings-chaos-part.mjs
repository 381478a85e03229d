// `npm run endings -- chaos`: each row in a sandbox of its own, a few of them side by side; most of them only wait.
import { printTable } from "./bench-figures.mjs";
import { ROWS } from "./endings-chaos-rows.mjs";
import { inSandbox, inTurns } from "./endings-sandboxes.mjs";

const WIDTH = 5;

export async function runChaos({ home, isShort }) {
  const numbers = [...ROWS.keys()].filter((number) => !isShort || ROWS[number].isShort);
  const tasks = numbers.map((number) => () => inSandbox(home, "endings-chaos.mjs", [number]));
  const [disk, ...rows] = await inTurns([() => inSandbox(home, "endings-disk.mjs"), ...tasks], WIDTH);
  printTable(
    ["as the lease ends, AWS", "word", "took", "exit with auto", "with required", "in the ledger", "one sweep ends it"],
    numbers.map((number, index) => describe(ROWS[number].name, rows[index].results)),
  );
  printTable(
    ["the disk", "word", "took", "exit"],
    disk.results.map(({ name, word, ms, code }) => [name, String(word), showSeconds(ms), String(code ?? "")]),
  );
  return [
    ...numbers.flatMap((number, index) => checksOf(ROWS[number].name, rows[index])),
    ...disk.results.map(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`)),
    disk.problem === undefined ? [] : [disk.problem],
  ];
}

function describe(name, [auto = {}, required = {}]) {
  const words = [...new Set([auto.word, required.word])].join(", ");
  return [
    name,
    words,
    showSeconds(Math.max(auto.ms, required.ms)),
    String(auto.code),
    String(required.code),
    auto.isHeld ? "stays" : "",
    auto.isHeld ? (auto.isSwept && required.isSwept ? "yes" : "no") : "",
  ];
}

function checksOf(name, { results, problem }) {
  const made =
    results.length === 2 ? [] : [`AWS ${name}: ${results.length} of 2 runs were made${problem ? `, ${problem}` : ""}`];
  return [...results.map(({ profile, problems }) => problems.map((each) => `AWS ${name} (${profile}): ${each}`)), made];
}

function showSeconds(ms) {
  return ms === undefined || Number.isNaN(ms) ? "" : `${(ms / 1000).toFixed(1)} s`;
}
