// Bundles src/main.ts into dist/: CommonJS chunks, split at every dynamic import, so that a command
// loads only what it uses, packed into the files that bin/load-bundle.js reads with V8's code cache.
//   node scripts/build.mjs [--if-stale]
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { build, transform } from "esbuild";
import { collectLicenses } from "./licenses.mjs";

/** Opening a file and its cache costs more than a chunk of this size. */
const SMALL_CHUNK_BYTES = 10_000;

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
    alias: {
      // agentctl hands the SDK its credentials: what would look for others is neither bundled nor loaded.
      "@aws-sdk/credential-provider-node": path.join(root, "src/clouds/aws/no-ambient-credentials.ts"),
      // The same library as ES modules: what is not used of it is left out.
      yaml: path.join(root, "node_modules/yaml/browser/dist/index.js"),
    },
    external: [
      // Installed beside agentctl instead: the data is megabytes of JSON read from disk, and the licence (AGPL) is
      // theirs alone. Only `sandbox` and `profile lint` load them.
      "@cloud-copilot/*",
      // Holds a binary for each platform, and need not be there: only a login in the keychain loads it.
      "keytar",
      // STS has none; what the SDK would load for them shares chunks with what it does load.
      "@smithy/core/event-streams",
    ],
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
    const chunks = await Promise.all(result.outputFiles.map(toCommonJs));
    for (const [name, text] of Object.entries(packChunks(chunks))) fs.writeFileSync(path.join(fresh, name), text);
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

/** esbuild splits only ES modules; each chunk is then turned into the body of a CommonJS module. */
async function toCommonJs(file) {
  const name = path.basename(file.path, ".js");
  const { code } = await transform(file.text, {
    format: "cjs",
    platform: "node",
    target: "node20",
    minify: true,
    supported: { "dynamic-import": false },
  });
  return { name, code: code.replace(/(["'])\.\/([\w-]+)\.js\1/g, '"./$2"') };
}

/** The files of the bundle: the entry with all small chunks, every other chunk alone, and what they are. */
function packChunks(chunks) {
  const entry = chunks.find(({ name }) => name.startsWith("main-")).name;
  const isFirst = ({ name, code }) => name === entry || code.length < SMALL_CHUNK_BYTES;
  const files = { "first.js": tableOf(chunks.filter(isFirst)) };
  for (const chunk of chunks) if (!isFirst(chunk)) files[`${chunk.name}.js`] = tableOf([chunk]);
  const build = createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 16);
  return { ...files, "bundle.json": `${JSON.stringify({ build, first: "first", entry })}\n` };
}

/** A script whose value is an object of functions, one a chunk. */
function tableOf(chunks) {
  const functions = chunks.map(({ name, code }) => `"${name}"(exports, require, module) {${code}\n}`);
  return `({\n${functions.join(",\n")}\n})\n`;
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
