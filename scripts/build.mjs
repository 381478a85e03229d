// Bundles src/main.ts into dist/: CommonJS chunks, split at every dynamic import, so that a command
// loads only what it uses and each chunk has its own code cache (bin/code-cache.js).
//   node scripts/build.mjs [--if-stale]
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { build, transform } from "esbuild";
import { collectLicenses } from "./licenses.mjs";

const root = path.resolve(import.meta.dirname, "..");
const dist = path.join(root, "dist");
const { version } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));

const inputsHash = hashInputs([
  "src",
  "package.json",
  "package-lock.json",
  "scripts/build.mjs",
  "scripts/licenses.mjs",
]);
const stamp = path.join(dist, ".inputs");
const isFresh = fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === inputsHash;
if (!(process.argv.includes("--if-stale") && isFresh)) await bundle();

async function bundle() {
  const result = await build({
    entryPoints: [path.join(root, "src/main.ts")],
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    mainFields: ["module", "main"],
    // Installed beside agentctl instead: the data is megabytes of JSON read from disk, and the licence (AGPL) is
    // theirs alone. Only `sandbox` and `profile lint` load them.
    alias: {
      // agentctl hands the SDK its credentials: what would look for others is neither bundled nor loaded.
      "@aws-sdk/credential-provider-node": path.join(root, "src/clouds/aws/no-ambient-credentials.ts"),
      // The same library as ES modules: what is not used of it is left out.
      yaml: path.join(root, "node_modules/yaml/browser/dist/index.js"),
    },
    external: ["@cloud-copilot/*"],
    minify: true,
    legalComments: "none",
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    outdir: dist,
    write: false,
    metafile: true,
    absWorkingDir: root,
    define: { AGENTCTL_VERSION: JSON.stringify(version) },
    logLevel: "warning",
  });
  // Built beside the old one and swapped in, so that a command that runs meanwhile finds a whole bundle.
  const fresh = `${dist}.${process.pid}.tmp`;
  fs.mkdirSync(fresh);
  try {
    const outputs = await Promise.all(result.outputFiles.map(toCommonJs));
    for (const { name, code } of outputs) fs.writeFileSync(path.join(fresh, name), code);
    const entry = outputs.find(({ name }) => name.startsWith("main-")).name;
    fs.writeFileSync(path.join(fresh, "entry.cjs"), `module.exports = ${JSON.stringify(entry)};\n`);
    fs.writeFileSync(
      path.join(fresh, "THIRD_PARTY_LICENSES"),
      collectLicenses(root, Object.keys(result.metafile.inputs)),
    );
    fs.writeFileSync(path.join(fresh, ".inputs"), inputsHash);
    fs.rmSync(dist, { recursive: true, force: true });
    fs.renameSync(fresh, dist);
  } finally {
    fs.rmSync(fresh, { recursive: true, force: true });
  }
}

/** esbuild splits only ES modules; each chunk is then turned into CommonJS, which vm.Script can cache. */
async function toCommonJs(file) {
  const name = path.basename(file.path).replace(/\.js$/, ".cjs");
  const { code } = await transform(file.text, {
    format: "cjs",
    platform: "node",
    target: "node20",
    minify: true,
    supported: { "dynamic-import": false },
  });
  return { name, code: code.replace(/(["'])\.\/([\w-]+)\.js\1/g, "$1./$2.cjs$1") };
}

function hashInputs(names) {
  const hash = createHash("sha256");
  const visit = (file) => {
    if (fs.statSync(file).isDirectory()) {
      for (const name of fs.readdirSync(file).sort()) visit(path.join(file, name));
    } else {
      hash.update(path.relative(root, file)).update("\0").update(fs.readFileSync(file)).update("\0");
    }
  };
  for (const name of names) visit(path.join(root, name));
  return hash.digest("hex");
}
