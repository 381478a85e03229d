// Writes completions/* and man/agentctl.1 from the commands and help topics in src/cli. With --check it only says whether they are current.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = path.resolve(import.meta.dirname, "..");
const bundle = path.join(root, ".cache", `generated-files-${process.pid}.mjs`);
const { version } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));

/** What a command loads when it runs is not needed to describe it. */
const withoutActions = {
  name: "without-actions",
  setup: ({ onResolve }) =>
    onResolve({ filter: /./ }, ({ kind }) => (kind === "dynamic-import" ? { external: true } : undefined)),
};

async function generate() {
  const entryPoints = [path.join(root, "src/cli/generated-files.ts")];
  const options = { packages: "external", platform: "node", format: "esm", logLevel: "error" };
  await build({ entryPoints, outfile: bundle, bundle: true, plugins: [withoutActions], ...options });
  try {
    const { generateFiles } = await import(pathToFileURL(bundle).href);
    return Object.entries(generateFiles({ version, env: {}, platform: process.platform, fs }));
  } finally {
    fs.rmSync(bundle, { force: true });
  }
}

function isCurrent([name, text]) {
  const file = path.join(root, name);
  return fs.existsSync(file) && fs.readFileSync(file, "utf8") === text;
}

const stale = (await generate()).filter((generated) => !isCurrent(generated));
if (process.argv.includes("--check")) {
  for (const [name] of stale) console.error(`${name} is stale: npm run completions`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const [name, text] of stale) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), text);
  }
}
