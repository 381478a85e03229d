// What is done with samples, and how the figures are printed: as Markdown, for docs/figures.md.

export function median(values) {
  return percentile(values, 50);
}

/** The smallest value that so many percent of all are not above. */
export function percentile(values, percent) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)];
}

/** A time in ms, with as many digits as say something. */
export function showMs(ms) {
  return ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0);
}

/** Takes `rounds` samples of each contender, after one round to warm up; they take turns, so that all are slowed alike. */
export function takeTurns(contenders, rounds) {
  const samples = new Map(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (const { name, measure } of contenders) {
      const value = measure();
      if (round >= 0) samples.get(name).push(value);
    }
  }
  return samples;
}

/** The first column is text and the others are numbers. */
export function printTable(head, rows) {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => row[column].length)));
  const line = (cells, pad) => `| ${cells.map((cell, column) => pad(cell, widths[column], column)).join(" | ")} |\n`;
  const align = (cell, width, column) => (column === 0 ? cell.padEnd(width) : cell.padStart(width));
  const rule = (_, width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`);
  process.stdout.write(`\n${line(head, align)}${line(head, rule)}${rows.map((row) => line(row, align)).join("")}`);
}
