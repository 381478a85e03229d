// What runs, for `npm run endings`: from /proc, so on Linux only.
import fs from "node:fs";

/** Living processes whose environment holds the text, as `{pid, command}`; a zombie's is empty. */
export function processesWith(text) {
  return listPids().flatMap((pid) => {
    if (pid === process.pid || !read(pid, "environ").split("\0").includes(text)) return [];
    return [{ pid, command: read(pid, "cmdline").split("\0").join(" ").trim() }];
  });
}

/** The process and all that descends from it, by the parents that /proc tells now. */
export function treeOf(root) {
  const parents = new Map(listPids().map((pid) => [pid, parentOf(pid)]));
  const tree = [root];
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  return tree;
}

export function kill(pid, signal = "SIGKILL") {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone by itself.
  }
}

function listPids() {
  return fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function parentOf(pid) {
  const stat = read(pid, "stat");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

function read(pid, file) {
  try {
    return fs.readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
