// `npm run endings -- chaos`: each row in a sandbox of its own, a few of them side by side; most of them only wait.
import { printTable } from "../bench-figures.mjs";
import { loadRows } from "./clouds.mjs";
import { inSandbox, inTurns } from "./sandboxes.mjs";

const WIDTH = 5;

export async function runChaos({ home, cloud, title, isShort }) {
  const ROWS = await loadRows(cloud);
  const numbers = [...ROWS.keys()].filter((number) => !isShort || ROWS[number].isShort);
  const tasks = numbers.map((number) => () => inSandbox(home, "chaos.mjs", [cloud, number]));
  const [disk, ...rows] = await inTurns([() => inSandbox(home, "disk.mjs", [cloud]), ...tasks], WIDTH);
  printTable(
    [
      `as the lease ends, ${title}`,
      "word",
      "took",
      "exit with auto",
      "with required",
      "in the ledger",
      "one sweep ends it",
    ],
    numbers.map((number, index) => describe(ROWS[number], rows[index].results)),
  );
  printTable(
    [`the disk, of leases in ${title}`, "word", "took", "exit"],
    disk.results.map(({ name, word, ms, code }) => [name, String(word), showSeconds(ms), String(code ?? "")]),
  );
  return [
    ...numbers.flatMap((number, index) => checksOf(`${title} ${ROWS[number].name}`, rows[index])),
    ...disk.results.map(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`)),
    disk.problem === undefined ? [] : [disk.problem],
  ];
}

function describe({ name, endedBy }, [auto = {}, required = {}]) {
  const words = [...new Set([auto.word, required.word])].join(", ");
  return [
    name,
    words,
    showSeconds(Math.max(auto.ms, required.ms)),
    String(auto.code),
    String(required.code),
    auto.isHeld ? "stays" : "",
    auto.isHeld ? (endedBy ?? (auto.isSwept && required.isSwept ? "yes" : "no")) : "",
  ];
}

function checksOf(name, { results, problem }) {
  const made =
    results.length === 2 ? [] : [`${name}: ${results.length} of 2 runs were made${problem ? `, ${problem}` : ""}`];
  return [...results.map(({ profile, problems }) => problems.map((each) => `${name} (${profile}): ${each}`)), made];
}

function showSeconds(ms) {
  return ms === undefined || Number.isNaN(ms) ? "" : `${(ms / 1000).toFixed(1)} s`;
}
