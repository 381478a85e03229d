import { afterEach, describe, expect, it } from "vitest";
import { descendantsOf, listProcesses, type ProcessEntry } from "../../src/core/process-list.js";
import type { Runtime } from "../../src/core/runtime.js";
import { descendantTree, ownGroup } from "../../src/run/process-tree.js";
import { fakeRuntime } from "../fake-runtime.js";
import { Bench, poll } from "./harness.js";

let bench: Bench | undefined;
afterEach(() => bench?.close());

describe("listProcesses", () => {
  it("sees this process with the one that started it, and tells it by its start", () => {
    const own = listProcesses(fakeRuntime()).find((entry) => entry.pid === process.pid);
    expect(own).toMatchObject({ pid: process.pid, parentPid: process.ppid });
    expect(own?.startedAt).toMatch(/\d/);
    expect(listProcesses(fakeRuntime()).find((entry) => entry.pid === process.pid)).toEqual(own);
  });
});

describe("descendantsOf", () => {
  const entry = (pid: number, parentPid: number): ProcessEntry => ({ pid, parentPid, group: 1, startedAt: "1" });
  const list = [entry(1, 0), entry(2, 1), entry(3, 2), entry(4, 3), entry(5, 1), entry(6, 6)];
  const cases = [
    { name: "children and theirs", roots: [2], want: [3, 4] },
    { name: "of several roots, each once", roots: [2, 3], want: [4] },
    { name: "none of a leaf", roots: [5], want: [] },
    { name: "none twice where the list is odd", roots: [6], want: [] },
  ];
  it.each(cases)("finds $name", ({ roots, want }) => {
    const rootEntries = list.filter((each) => roots.includes(each.pid));
    expect(descendantsOf(rootEntries, list).map((each) => each.pid)).toEqual(want);
  });
});

describe("ownGroup", () => {
  const rows = [
    { name: "one that runs", states: ["Z", "S"], want: true },
    { name: "only what has ended and is not reaped", states: ["Z", "Z"], want: false },
  ];
  it.each(rows)("lives with $name: $want", ({ states, want }) => {
    const stat = (index: number): string => `${7 + index} (a b) ${states[index]} 1 7 7 0 -1 ${"0 ".repeat(13)}99 0`;
    const fs = {
      readdirSync: () => ["7", "8", "self"],
      readFileSync: (file: string) => stat(file === "/proc/7/stat" ? 0 : 1),
    } as unknown as Runtime["fs"];
    const runtime = fakeRuntime({ fs, platform: "linux", kill: (pid) => pid === -7 });
    expect(ownGroup(7, runtime).isAlive()).toBe(want);
  });
});

describe("descendantTree", () => {
  it("signals the child and all below it, and no one beside it", async () => {
    bench = await Bench.open();
    const [log, below, beside] = [bench.file("log"), bench.file("below"), bench.file("beside")];
    const start = bench.withoutTerminal({ argv: bench.recorder({ log, child: { log: below } }) });
    const other = bench.withoutTerminal({ argv: bench.recorder({ log: beside }) });
    const [child, grandchild] = [await bench.recorderPid(log), await bench.recorderPid(below)];
    await bench.recorderPid(beside);
    const sent: number[] = [];
    const kill = (pid: number): boolean => sent.push(pid) > 0;
    const tree = descendantTree(child, fakeRuntime({ kill }));
    expect(tree.isAlive()).toBe(false);
    tree.signal("SIGTERM");
    expect(sent.sort()).toEqual([child, grandchild].sort());
    expect(tree.isAlive()).toBe(true);
    process.kill(child, "SIGKILL");
    expect(await start.exited).toBe(137);
    sent.length = 0;
    tree.signal("SIGKILL");
    expect(sent).toEqual([grandchild]);
    process.kill(grandchild, "SIGKILL");
    await poll(() => !tree.isAlive(), "the grandchild's death");
    process.kill(await other.pid(), "SIGTERM");
    expect(await other.exited).toBe(143);
  });
});
