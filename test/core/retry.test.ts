import { describe, expect, test } from "vitest";
import { type RetryRules, withRetries } from "../../src/core/retry.js";

const PASSING = new Error("may pass");
const REFUSAL = new Error("refused");

const RULES: RetryRules = {
  attempts: 5,
  baseDelayMs: 100,
  maxDelayMs: 500,
  isTransient: (error) => error === PASSING,
};

/** Runs an operation that fails as given, attempt by attempt, and then succeeds. */
async function run(failures: readonly Error[], rules: Partial<RetryRules> = {}, random = 0.5) {
  const pauses: number[] = [];
  const attempts: number[] = [];
  const operation = async (attempt: number): Promise<string> => {
    attempts.push(attempt);
    const failure = failures[attempt - 1];
    if (failure !== undefined) throw failure;
    return "done";
  };
  const runtime = {
    random: () => random,
    sleep: async (ms: number) => {
      pauses.push(ms);
    },
  };
  const outcome = await withRetries(operation, { ...RULES, ...rules }, runtime).catch((error: unknown) => error);
  return { outcome, pauses, attempts };
}

const times = (count: number): readonly Error[] => Array.from({ length: count }, () => PASSING);

describe("withRetries", () => {
  const rows = [
    { name: "nothing to retry", failures: [], outcome: "done", attempts: 1 },
    { name: "what passes is got over", failures: times(2), outcome: "done", attempts: 3 },
    { name: "the last attempt may succeed", failures: times(4), outcome: "done", attempts: 5 },
    { name: "after the last the failure is told", failures: times(5), outcome: PASSING, attempts: 5 },
    { name: "a refusal is not retried", failures: [REFUSAL], outcome: REFUSAL, attempts: 1 },
    { name: "a refusal after a failure that passed", failures: [PASSING, REFUSAL], outcome: REFUSAL, attempts: 2 },
  ];
  test.each(rows)("$name", async ({ failures, outcome, attempts }) => {
    const ran = await run(failures);
    expect(ran.outcome).toBe(outcome);
    expect(ran.attempts).toEqual(Array.from({ length: attempts }, (_, index) => index + 1));
    expect(ran.pauses).toHaveLength(attempts - 1);
  });

  const jitter = [
    { name: "at its least", random: 0, want: [0, 0, 0, 0] },
    { name: "in the middle, doubling up to the ceiling", random: 0.5, want: [50, 100, 200, 250] },
    { name: "at its most", random: 0.999, want: [99.9, 199.8, 399.6, 499.5] },
  ];
  test.each(jitter)("the pause $name", async ({ random, want }) => {
    const { pauses } = await run(times(4), {}, random);
    pauses.forEach((pause, index) => {
      expect(pause).toBeCloseTo(want[index] ?? Number.NaN);
    });
  });

  const asked = [
    { name: "honoured", retryAfter: 300, want: 300 },
    { name: "honoured when it is less than the jitter", retryAfter: 1, want: 1 },
    { name: "bounded", retryAfter: 60_000, want: 500 },
    { name: "not asked for", retryAfter: undefined, want: 50 },
  ];
  test.each(asked)("a service's own pause is $name", async ({ retryAfter, want }) => {
    const { pauses } = await run(times(1), { retryAfterMs: () => retryAfter });
    expect(pauses).toEqual([want]);
  });

  test("a service's own pause may be longer than ours where that is allowed", async () => {
    const { pauses } = await run(times(2), { retryAfterMs: () => 60_000, maxAskedMs: 20_000 });
    expect(pauses).toEqual([20_000, 20_000]);
  });

  test("nothing is tried, nor waited for, once aborted", async () => {
    const ran = await run(times(3), { signal: AbortSignal.abort() });
    expect(ran).toMatchObject({ outcome: PASSING, attempts: [1], pauses: [] });
  });

  test("nothing is tried when aborted during the pause", async () => {
    const controller = new AbortController();
    let attempts = 0;
    const operation = async (): Promise<never> => {
      attempts += 1;
      throw PASSING;
    };
    const runtime = { random: () => 0, sleep: async () => controller.abort() };
    const attempt = withRetries(operation, { ...RULES, signal: controller.signal }, runtime);
    await expect(attempt).rejects.toBe(PASSING);
    expect(attempts).toBe(1);
  });

  test("a pause that would last is ended by the abort", async () => {
    const controller = new AbortController();
    const sleep = (): Promise<void> => {
      queueMicrotask(() => controller.abort());
      return new Promise(() => {});
    };
    const attempt = withRetries(
      () => Promise.reject(PASSING),
      { ...RULES, signal: controller.signal },
      { random: () => 0, sleep },
    );
    await expect(attempt).rejects.toBe(PASSING);
  });
});
