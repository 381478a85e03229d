import { createHash } from "node:crypto";
import { format, inspect } from "node:util";
import { expect, test } from "vitest";
import { Secret } from "../../src/core/secret.js";

const VALUE = "canary-5c1e7d";
const secret = new Secret(VALUE);

const rows: readonly { name: string; print: () => string }[] = [
  { name: "toString", print: () => secret.toString() },
  { name: "a template", print: () => `${secret}` },
  { name: "joining", print: () => [secret].join() },
  { name: "String", print: () => String(secret) },
  { name: "JSON", print: () => JSON.stringify({ secret }) },
  { name: "JSON of a map's entries", print: () => JSON.stringify([...new Map([["k", secret]])]) },
  { name: "inspect", print: () => inspect(secret) },
  {
    name: "inspect, nested and with all there is",
    print: () => inspect({ a: [secret] }, { showHidden: true, depth: 9, getters: true }),
  },
  { name: "%s", print: () => format("%s", secret) },
  { name: "%o", print: () => format("%o", secret) },
  { name: "%j", print: () => format("%j", secret) },
];
test.each(rows)("is redacted by $name", ({ print }) => {
  expect(print()).toContain("[redacted]");
  expect(print()).not.toContain(VALUE);
});

test("holds nothing that can be listed, spread or copied", () => {
  const copies = [
    Object.values(secret),
    Object.entries({ ...secret }),
    Reflect.ownKeys(secret),
    structuredClone({ ...secret }),
  ];
  expect(JSON.stringify(copies)).toBe("[[],[],[],{}]");
});

test("reveal gives the value, and sha256 its hash", () => {
  expect(secret.reveal()).toBe(VALUE);
  expect(secret.sha256()).toBe(createHash("sha256").update(VALUE).digest("hex"));
});
