import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BIN, DEMO_PROFILE, NODE, openStage, type Stage } from "./agentctl.js";

const WATCH = path.resolve(import.meta.dirname, "programs/watch-loading.cjs");
const DIST = path.resolve(import.meta.dirname, "../../dist");

interface Load {
  readonly file: string;
  readonly isCached: boolean;
}

let stage: Stage;
let base: string;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(DEMO_PROFILE);
});
beforeEach(() => {
  base = fs.mkdtempSync(path.join(stage.dir, "cache-"));
});
afterAll(() => stage.close());

const LIST = ["lease", "list"];
const RUN = ["run", "-p", "demo", "--quiet", "--", "true"];

/** Runs agentctl with `base` as the user's cache; answers what it compiled. */
async function watch(args: readonly string[], env: Readonly<Record<string, string | undefined>> = {}): Promise<Load[]> {
  const watched = path.join(base, "..", `${path.basename(base)}.json`);
  const outcome = await stage.runIn(NODE, ["--require", WATCH, BIN, ...args], {
    env: { XDG_CACHE_HOME: base, WATCHED: watched, ...env },
  });
  expect(outcome).toMatchObject({ code: 0, signal: null });
  return JSON.parse(fs.readFileSync(watched, "utf8")) as Load[];
}

const cachedOf = (loads: readonly Load[]): readonly boolean[] => [...new Set(loads.map(({ isCached }) => isCached))];
const ownDir = (): string => path.join(base, "agentctl");

/** The folder of the one build in the cache. */
function buildDir(): string {
  const [name = "", ...others] = fs.readdirSync(ownDir());
  expect(others).toEqual([]);
  return path.join(ownDir(), name);
}

function cacheFiles(): readonly string[] {
  const dir = buildDir();
  return fs.readdirSync(dir).map((name) => path.join(dir, name));
}

describe("the code cache", () => {
  test("is used from the second run on, wherever it began", async () => {
    expect(cachedOf(await watch(RUN))).toEqual([false]);
    expect(cachedOf(await watch(RUN))).toEqual([true]);
    expect(cachedOf(await watch(LIST))).toEqual([true]);
  });

  test("grows when a run goes further than those before it", async () => {
    await watch(LIST);
    const first = path.join(buildDir(), "first");
    const small = fs.statSync(first).size;
    await watch(RUN);
    const grown = fs.statSync(first).size;
    expect(grown).toBeGreaterThan(small);
    await watch(RUN);
    expect(fs.statSync(first).size).toBe(grown);
  });

  test("is this user's alone", async () => {
    await watch(LIST);
    expect([ownDir(), buildDir()].map((dir) => fs.statSync(dir).mode & 0o777)).toEqual([0o700, 0o700]);
    expect(new Set(cacheFiles().map((file) => fs.statSync(file).mode & 0o777))).toEqual(new Set([0o600]));
  });

  const untrusted: { name: string; spoil: () => void }[] = [
    { name: "its folder can be written by the group", spoil: () => fs.chmodSync(buildDir(), 0o770) },
    { name: "the folder above can be written by everyone", spoil: () => fs.chmodSync(ownDir(), 0o777) },
    { name: "its folder is a link", spoil: () => replaceByLink(buildDir()) },
    { name: "the folder above is a link", spoil: () => replaceByLink(ownDir()) },
    { name: "its files can be written by the group", spoil: () => forEachFile((file) => fs.chmodSync(file, 0o660)) },
    { name: "its files are links", spoil: () => forEachFile(replaceByLink) },
  ];
  test.each(untrusted)("is not used when $name", async ({ spoil }) => {
    await watch(LIST);
    spoil();
    expect(cachedOf(await watch(LIST))).toEqual([false]);
  });

  const isRoot = process.getuid?.() === 0;
  const foreign: { name: string; spoil: () => void }[] = [
    { name: "its folder", spoil: () => fs.chownSync(buildDir(), 65_534, 65_534) },
    { name: "the folder above", spoil: () => fs.chownSync(ownDir(), 65_534, 65_534) },
    { name: "its files", spoil: () => forEachFile((file) => fs.chownSync(file, 65_534, 65_534)) },
  ];
  test.runIf(isRoot).each(foreign)("is not used when another user owns $name", async ({ spoil }) => {
    await watch(LIST);
    spoil();
    expect(cachedOf(await watch(LIST))).toEqual([false]);
  });

  const damages: { name: string; damage: (bytes: Buffer) => Buffer }[] = [
    { name: "zeros from the middle on", damage: (bytes) => bytes.fill(0, bytes.length >> 1) },
    {
      name: "a changed bit",
      damage: (bytes) => bytes.fill((bytes.at(-100) ?? 0) ^ 1, bytes.length - 100, bytes.length - 99),
    },
    { name: "only its first half", damage: (bytes) => bytes.subarray(0, bytes.length >> 1) },
    { name: "nothing", damage: () => Buffer.alloc(0) },
    { name: "something else", damage: () => Buffer.from("not a cache\n".repeat(100)) },
  ];
  test.each(damages)("that holds $name is not used, and written again", async ({ damage }) => {
    await watch(LIST);
    forEachFile((file) => fs.writeFileSync(file, damage(fs.readFileSync(file))));
    expect(cachedOf(await watch(LIST))).toEqual([false]);
    expect(cachedOf(await watch(LIST))).toEqual([true]);
  });

  const without: { name: string; env: Record<string, string | undefined> }[] = [
    { name: "it is switched off", env: { AGENTCTL_CODE_CACHE: "off" } },
    { name: "there is no home", env: { XDG_CACHE_HOME: undefined, HOME: undefined } },
    { name: "its place is a relative path", env: { XDG_CACHE_HOME: "cache" } },
    { name: "its place can't be made", env: { XDG_CACHE_HOME: "/dev/null/cache" } },
  ];
  test.each(without)("is done without when $name", async ({ env }) => {
    await watch(LIST, env);
    expect(cachedOf(await watch(LIST, env))).toEqual([false]);
    expect(fs.readdirSync(base)).toEqual([]);
  });

  test("lies in the home when XDG names no place", async () => {
    await watch(LIST, { XDG_CACHE_HOME: undefined, HOME: base });
    expect(fs.readdirSync(path.join(base, ".cache/agentctl"))).toHaveLength(1);
  });
});

describe("what is loaded", () => {
  const sdk = filesWith("AWSSecurityTokenService");
  const sandbox = filesWith("The sandbox is open");
  const rows: { args: readonly string[]; want: (files: readonly string[]) => void }[] = [
    { args: ["--version"], want: (files) => expect(files).toEqual([]) },
    { args: ["-V"], want: (files) => expect(files).toEqual([]) },
    { args: ["--help"], want: (files) => expect(files).toEqual(["first.js"]) },
    { args: ["run", "--help"], want: (files) => expect(files).toEqual(["first.js"]) },
    { args: ["profile", "show", "demo"], want: (files) => expect(sharedBy(files, [...sdk, ...sandbox])).toEqual([]) },
    {
      args: ["run", "-p", "demo", "--dry-run", "--", "true"],
      want: (files) => expect(sharedBy(files, sdk)).toEqual([]),
    },
    { args: RUN, want: (files) => expect([sharedBy(files, sdk), sharedBy(files, sandbox)]).toEqual([sdk, []]) },
  ];
  test.each(rows)("by agentctl $args", async ({ args, want }) => {
    want((await watch(args)).map(({ file }) => file));
  });

  test("the SDK and the sandbox are in files of their own", () => {
    expect([sdk.length, sandbox.length]).toEqual([1, 1]);
    expect([...sdk, ...sandbox]).not.toContain("first.js");
  });
});

/** The files of the bundle that hold a text. */
function filesWith(text: string): readonly string[] {
  const scripts = fs.readdirSync(DIST).filter((name) => name.endsWith(".js"));
  return scripts.filter((name) => fs.readFileSync(path.join(DIST, name), "utf8").includes(text));
}

function sharedBy(files: readonly string[], others: readonly string[]): readonly string[] {
  return files.filter((file) => others.includes(file));
}

function forEachFile(change: (file: string) => void): void {
  const files = cacheFiles();
  expect(files).not.toEqual([]);
  for (const file of files) change(file);
}

/** Moves a file or folder out of the cache, and puts a link to it in its place. */
function replaceByLink(target: string): void {
  const moved = path.join(fs.mkdtempSync(path.join(stage.dir, "moved-")), path.basename(target));
  fs.renameSync(target, moved);
  fs.symlinkSync(moved, target);
}
