// What the repository must not hold: addresses of registries in the lock file, marks of unfinished work,
// ambient state outside src/main.ts.
import { execFileSync } from "node:child_process";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const RULES = [
  { what: "a download address in a lock file", pattern: '"resolved": *"http', paths: ["*.json"] },
  {
    what: "a mark of unfinished work",
    pattern: "\\b(TODO|FIXME|XXX|HACK)\\b|\\.(only|skip)\\(|@ts-ignore|biome-ignore",
    paths: ["src", "test", "bin"],
  },
  {
    what: "ambient state outside src/main.ts",
    pattern: "process\\.(env|argv|exit)\\b|\\bDate\\.now\\b|\\bglobalThis\\.fetch",
    paths: ["src", ":!src/main.ts"],
  },
  { what: "a default export", pattern: "^export default", paths: ["src", "test"] },
];

let found = false;
for (const { what, pattern, paths } of RULES) {
  const hits = grep(pattern, paths);
  if (hits === "") continue;
  found = true;
  process.stderr.write(`${what}:\n${hits}`);
}
process.exit(found ? 1 : 0);

function grep(pattern, paths) {
  try {
    return execFileSync("git", ["grep", "-nIE", "--untracked", pattern, "--", ...paths], {
      cwd: root,
      encoding: "utf8",
    });
  } catch (error) {
    if (error.status === 1) return "";
    throw error;
  }
}
