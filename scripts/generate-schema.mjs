// Writes schema/*.json from the definition in src/config/schema.ts. With --check it only says whether they are current.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = path.resolve(import.meta.dirname, "..");
const bundle = path.join(root, ".cache", `json-schema-${process.pid}.mjs`);

async function generateSchemas() {
  const entryPoints = [path.join(root, "src/config/json-schema.ts")];
  await build({ entryPoints, outfile: bundle, bundle: true, platform: "node", format: "esm", logLevel: "error" });
  try {
    const { jsonSchemas } = await import(pathToFileURL(bundle).href);
    return Object.entries(jsonSchemas()).map(([name, schema]) => ({
      file: path.join(root, "schema", name),
      text: `${JSON.stringify(schema, null, 2)}\n`,
    }));
  } finally {
    rmSync(bundle, { force: true });
  }
}

function isCurrent({ file, text }) {
  try {
    return readFileSync(file, "utf8") === text;
  } catch {
    return false;
  }
}

const stale = (await generateSchemas()).filter((schema) => !isCurrent(schema));
if (process.argv.includes("--check")) {
  for (const { file } of stale)
    console.error(`${path.relative(root, file)} is stale: node scripts/generate-schema.mjs`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  mkdirSync(path.join(root, "schema"), { recursive: true });
  for (const { file, text } of stale) writeFileSync(file, text);
}
