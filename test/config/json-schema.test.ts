import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { jsonSchemas } from "../../src/config/json-schema.js";

const root = path.resolve(import.meta.dirname, "../..");

type Schema = Readonly<Record<string, unknown>>;

/** Every named property below a schema, with its path. */
function propertiesOf(schema: Schema, above = ""): readonly (readonly [string, Schema])[] {
  const named = Object.entries((schema["properties"] ?? {}) as Record<string, Schema>);
  const nested = [schema["items"], schema["additionalProperties"], ...((schema["anyOf"] ?? []) as Schema[])];
  return [
    ...named.flatMap(([key, child]) => [
      [`${above}.${key}`, child] as const,
      ...propertiesOf(child, `${above}.${key}`),
    ]),
    ...nested.flatMap((child) =>
      typeof child === "object" && child !== null ? propertiesOf(child as Schema, above) : [],
    ),
  ];
}

describe.each(Object.entries(jsonSchemas()))("schema/%s", (name, schema) => {
  it("is what the definition says; if not: node scripts/generate-schema.mjs", () => {
    const shipped: unknown = JSON.parse(readFileSync(path.join(root, "schema", name), "utf8"));
    expect(shipped).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  it("describes every key", () => {
    const silent = propertiesOf(schema as Schema).filter(([, { description }]) => typeof description !== "string");
    expect(silent.map(([key]) => key)).toEqual([]);
  });

  it("has patterns that its own examples match", () => {
    const unmatched = propertiesOf(schema as Schema).filter(([, { pattern, examples }]) => {
      const all = Array.isArray(examples) && typeof pattern === "string" ? (examples as string[]) : [];
      return all.some((example) => !new RegExp(String(pattern), "u").test(example));
    });
    expect(unmatched).toEqual([]);
  });
});
