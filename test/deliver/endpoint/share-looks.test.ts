import { expect, test } from "vitest";
import { shareLooks } from "../../../src/deliver/endpoint/share-looks.js";

test("one look answers all who have asked by then, each with his own answer", async () => {
  const looks: number[][] = [];
  const ask = shareLooks((questions: readonly number[]) => {
    looks.push([...questions]);
    return questions.map((question) => question * 10);
  });
  expect(await Promise.all([1, 2, 3].map(ask))).toEqual([10, 20, 30]);
  expect(await ask(4)).toBe(40);
  expect(looks).toEqual([[1, 2, 3], [4]]);
});

test("after a look that took long, who asks one by one is answered together", async () => {
  const looks: number[] = [];
  const ask = shareLooks((questions: readonly number[]) => {
    looks.push(questions.length);
    const end = performance.now() + 30;
    while (performance.now() < end);
    return questions;
  });
  await ask(0);
  const later: Promise<number>[] = [];
  for (let index = 1; index <= 5; index += 1) {
    later.push(ask(index));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await Promise.all(later)).toEqual([1, 2, 3, 4, 5]);
  expect(looks).toEqual([1, 5]);
});
