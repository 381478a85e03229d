import path from "node:path";
import type { Runtime } from "../core/runtime.js";
import { readIni } from "./read-ini.js";
import { readSmallFile } from "./read-small-file.js";

/** What a working copy says of itself. Nothing is run for it, and nobody is asked. */
export interface GitFacts {
  /** Absolute: the directory that holds `.git`. */
  readonly root: string;
  /** The host of the remote `origin`, in lower case. */
  readonly host?: string;
  /** The branch that others are merged into, as far as that is known here. */
  readonly branch?: string;
}

/** Undefined outside a working copy. */
export function findGit({ cwd, fs }: Pick<Runtime, "cwd" | "fs">): GitFacts | undefined {
  for (let dir = cwd; ; dir = path.dirname(dir)) {
    const git = path.join(dir, ".git");
    if (fs.existsSync(git)) return { root: dir, ...readFacts(commonDir(git, fs), fs) };
    if (path.dirname(dir) === dir) return undefined;
  }
}

/** In a linked working copy `.git` is a file that leads to the repository's own (gitrepository-layout(5)). */
function commonDir(git: string, fs: Runtime["fs"]): string {
  const pointer = /^gitdir: (.+)$/m.exec(readSmallFile(git, fs) ?? "")?.[1];
  if (pointer === undefined) return git;
  const dir = path.resolve(path.dirname(git), pointer);
  const common = readSmallFile(path.join(dir, "commondir"), fs)?.trim();
  return common === undefined ? dir : path.resolve(dir, common);
}

function readFacts(dir: string, fs: Runtime["fs"]): Omit<GitFacts, "root"> {
  const url = readIni(readSmallFile(path.join(dir, "config"), fs) ?? "")
    .get('remote "origin"')
    ?.get("url");
  const host = url === undefined ? undefined : hostOf(url);
  const branch =
    branchOf(path.join(dir, "refs/remotes/origin/HEAD"), "refs/remotes/origin/", fs) ??
    branchOf(path.join(dir, "HEAD"), "refs/heads/", fs);
  return { ...(host !== undefined && { host }), ...(branch !== undefined && { branch }) };
}

/** `https://host/…`, `ssh://git@host:22/…` or `git@host:…` (git-clone(1), GIT URLS). */
function hostOf(url: string): string | undefined {
  if (URL.canParse(url) && url.includes("://")) return new URL(url).hostname.toLowerCase();
  return /^(?:[^@/]+@)?([\w.-]+):/.exec(url)?.[1]?.toLowerCase();
}

/** Plain names only, since it goes into a CI job. */
function branchOf(file: string, prefix: string, fs: Runtime["fs"]): string | undefined {
  const ref = /^ref: (\S+)$/m.exec(readSmallFile(file, fs) ?? "")?.[1];
  const name = ref?.startsWith(prefix) === true ? ref.slice(prefix.length) : undefined;
  return name !== undefined && /^[A-Za-z][\w./-]*$/.test(name) ? name : undefined;
}
