// The child of a lease that asks the endpoint, and prints what it has measured as JSON. A TARGET is one of
// bench-questions.mjs.
//   cached ROUNDS MS TARGET…   answers per second and their times: connections kept or fresh, one asker or sixteen
//   cold ROUNDS TARGET…        the first answer that a new process gets
//   once TARGET                one answer: how long it took, and when it was there
//   paced MS TARGET            the times of answers at an even pace
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { askAfresh, askAgain, connect } from "./bench-connection.mjs";
import { median, percentile } from "./bench-figures.mjs";
import { findQuestion } from "./bench-questions.mjs";

const PROGRAM = fileURLToPath(import.meta.url);
const CONCURRENCIES = [1, 16];
const PACED_ASKERS = 8;
const PACED_EVERY_MS = 40;

const modes = {
  cached: async (rounds, ms, ...targets) => {
    const cells = (await Promise.all(targets.map(cellsOf))).flat();
    for (let round = -1; round < Number(rounds); round += 1) {
      for (const cell of cells) await fill(cell, Number(ms), round >= 0);
    }
    return cells.map(({ target, isKept, concurrency, rates, times }) => {
      const [p50, p99] = [50, 99].map((percent) => percentile(times, percent));
      return { target, isKept, concurrency, perSecond: median(rates), p50, p99 };
    });
  },
  cold: async (rounds, ...targets) => {
    const times = targets.map((target) => ({ target, times: [] }));
    for (let round = -1; round < Number(rounds); round += 1) {
      for (const each of times) {
        const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, "once", each.target]);
        if (round >= 0) each.times.push(JSON.parse(stdout).elapsedMs);
      }
    }
    return times;
  },
  once: async (target) => {
    const elapsedMs = await askAfresh(await findQuestion(target));
    return { elapsedMs, answeredAt: Date.now() };
  },
  paced: async (ms, target) => {
    const question = await findQuestion(target);
    const startsAt = performance.now() + 1_000;
    const askers = Array.from({ length: PACED_ASKERS }, async (_, number) => {
      const connection = await warmUp(question);
      const times = [];
      for (let due = startsAt + (number * PACED_EVERY_MS) / PACED_ASKERS; due < startsAt + Number(ms); ) {
        await sleep(Math.max(0, due - performance.now()));
        times.push(await askAgain(connection));
        due += PACED_EVERY_MS;
      }
      connection.close();
      return times;
    });
    return (await Promise.all(askers)).flat();
  },
};

async function cellsOf(target) {
  const question = await findQuestion(target);
  return [true, false].flatMap((isKept) =>
    CONCURRENCIES.map((concurrency) => ({ target, question, isKept, concurrency, rates: [], times: [] })),
  );
}

async function fill({ question, isKept, concurrency, rates, times }, ms, isCounted) {
  const connections = isKept ? await Promise.all(Array.from({ length: concurrency }, () => warmUp(question))) : [];
  const startedAt = performance.now();
  const found = await Promise.all(
    Array.from({ length: concurrency }, (_, number) => {
      const connection = connections[number];
      const ask = connection === undefined ? () => askAfresh(question) : () => askAgain(connection);
      return askUntil(startedAt + ms, ask);
    }),
  );
  const elapsedMs = performance.now() - startedAt;
  for (const connection of connections) connection.close();
  if (!isCounted) return;
  rates.push((found.flat().length / elapsedMs) * 1000);
  times.push(...found.flat());
}

/** What the endpoint finds out about a connection when it is first asked on it belongs to the fresh ones. */
async function warmUp(question) {
  const connection = connect(question);
  await connection.ask();
  return connection;
}

async function askUntil(endsAt, ask) {
  const times = [];
  while (performance.now() < endsAt) times.push(await ask());
  return times;
}

const [mode, ...args] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify(await modes[mode](...args))}\n`);
