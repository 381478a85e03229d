import { expect, it } from "vitest";
import { untilAborted } from "../../src/core/until-aborted.js";

const NEVER = new Promise<never>(() => {});
const REASON = new Error("enough");

it("gives what the work gives", async () => {
  const { signal } = new AbortController();
  expect(await untilAborted(Promise.resolve(1), signal)).toBe(1);
  await expect(untilAborted(Promise.reject(REASON), signal)).rejects.toBe(REASON);
});

it.each([
  { name: "before", abortFirst: true },
  { name: "while it is waited for", abortFirst: false },
])("throws the reason of an abort that came $name", async ({ abortFirst }) => {
  const controller = new AbortController();
  if (abortFirst) controller.abort(REASON);
  const waited = untilAborted(NEVER, controller.signal);
  if (!abortFirst) controller.abort(REASON);
  await expect(waited).rejects.toBe(REASON);
});
