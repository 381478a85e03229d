import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { currentOwner, isOwnerAlive, type ProcessOwner, parseOwner, readOwner } from "../../src/core/process-owner.js";
import type { Runtime } from "../../src/core/runtime.js";
import { fakeRuntime } from "../fake-runtime.js";

const FIELDS_AFTER_STATE = Array.from({ length: 18 }, () => "0").join(" ");

interface FakeSystem {
  readonly files: Readonly<Record<string, string>>;
  readonly namespace?: string;
  readonly killable?: readonly number[];
}

/** A Linux that consists of these files; a file given as an error's code can't be read for that reason. */
function linux({ files, namespace = "pid:[1]", killable = [] }: FakeSystem): Runtime {
  const all: Record<string, string> = { ...SYSTEM, ...files };
  const readFileSync = ((file: string) => {
    const text = all[file] ?? "ENOENT";
    if (/^E[A-Z]+$/.test(text)) throw Object.assign(new Error(text), { code: text });
    return text;
  }) as typeof fs.readFileSync;
  const readlinkSync = (() => namespace) as unknown as typeof fs.readlinkSync;
  const kill = (pid: number): boolean => killable.includes(pid);
  return fakeRuntime({ platform: "linux", pid: 10, fs: { ...fs, readFileSync, readlinkSync }, kill });
}

function stat(pid: number, name: string, state: string, ticks: number): string {
  return `${pid} (${name}) ${state} ${FIELDS_AFTER_STATE} ${ticks} 0 0\n`;
}

const SYSTEM = {
  "/proc/self/stat": stat(10, "agentctl", "R", 1000),
  "/proc/10/stat": stat(10, "agentctl", "R", 1000),
  "/proc/sys/kernel/random/boot_id": "boot-1\n",
  "/etc/machine-id": "machine-1\n",
};
const OTHER: ProcessOwner = { ...currentOwner(linux({ files: {} })), pid: 20, startedAt: "2000" };

describe("currentOwner", () => {
  it("reads Linux's own files", () => {
    expect(currentOwner(linux({ files: {} }))).toEqual({
      pid: 10,
      startedAt: "1000",
      bootId: "boot-1",
      machineId: expect.stringMatching(/^[0-9a-f]{16}$/),
      pidNamespace: "pid:[1]",
    });
  });

  it("asks macOS's ps and sysctl", () => {
    const run = (file: string): string => (file.endsWith("ps") ? "S+   Sun Nov 22 06:34:46 2026    \n" : "0B7A-UUID\n");
    expect(currentOwner(fakeRuntime({ platform: "darwin", pid: 10 }), run)).toEqual({
      pid: 10,
      startedAt: "Sun Nov 22 06:34:46 2026",
      bootId: "0B7A-UUID",
      machineId: "",
      pidNamespace: "",
    });
  });
});

describe("isOwnerAlive", () => {
  const running = { "/proc/20/stat": stat(20, "node", "S", 2000) };
  const cases: readonly { name: string; system: FakeSystem; owner?: Partial<ProcessOwner>; want: string }[] = [
    { name: "a running process", system: { files: running }, want: "alive" },
    {
      name: "a name with spaces and parentheses",
      system: { files: { "/proc/20/stat": stat(20, "a) R (b 1", "S", 2000) } },
      want: "alive",
    },
    { name: "no such process", system: { files: {} }, want: "dead" },
    { name: "one that goes while it is read", system: { files: { "/proc/20/stat": "ESRCH" } }, want: "dead" },
    { name: "a pid used again", system: { files: { "/proc/20/stat": stat(20, "node", "S", 2001) } }, want: "dead" },
    { name: "a zombie", system: { files: { "/proc/20/stat": stat(20, "node", "Z", 2000) } }, want: "dead" },
    { name: "an earlier boot", system: { files: running }, owner: { bootId: "boot-0" }, want: "dead" },
    {
      name: "an earlier boot, no machine id",
      system: { files: running },
      owner: { bootId: "boot-0", machineId: "" },
      want: "dead",
    },
    {
      name: "another machine",
      system: { files: running },
      owner: { bootId: "boot-0", machineId: "ff" },
      want: "unknown",
    },
    { name: "a boot that was not told", system: { files: running }, owner: { bootId: "" }, want: "unknown" },
    { name: "another container", system: { files: {} }, owner: { pidNamespace: "pid:[2]" }, want: "unknown" },
    {
      name: "too many open files to look",
      system: { files: { "/proc/20/stat": "EMFILE" }, killable: [20] },
      want: "unknown",
    },
    {
      name: "/proc of another namespace, and a pid that is there",
      system: { files: { ...running, "/proc/self/stat": stat(999, "agentctl", "R", 1000) }, killable: [20] },
      want: "unknown",
    },
    { name: "no /proc, and no such pid", system: { files: { "/proc/self/stat": "ENOENT" } }, want: "dead" },
  ];
  it.each(cases)("$name: $want", ({ system, owner, want }) => {
    expect(isOwnerAlive({ ...OTHER, ...owner }, linux(system))).toBe(want);
  });

  const macCases: readonly { name: string; printed: string | undefined; want: string }[] = [
    { name: "a running process", printed: "Ss   Sun Nov 22 06:00:00 2026\n", want: "alive" },
    { name: "a pid used again", printed: "Ss   Sun Nov 22 06:00:01 2026\n", want: "dead" },
    { name: "a zombie", printed: "Z    Sun Nov 22 06:00:00 2026\n", want: "dead" },
    { name: "no such process", printed: "", want: "dead" },
    { name: "ps could not be run", printed: undefined, want: "unknown" },
  ];
  it.each(macCases)("on macOS, $name: $want", ({ printed, want }) => {
    const owner = { pid: 20, startedAt: "Sun Nov 22 06:00:00 2026", bootId: "b", machineId: "", pidNamespace: "" };
    const run = (file: string): string | undefined => (file.endsWith("ps") ? printed : "b\n");
    expect(isOwnerAlive(owner, fakeRuntime({ platform: "darwin", kill: () => true }), run)).toBe(want);
  });

  it.runIf(process.platform === "linux")("tells a real process from a dead one", async () => {
    const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
    const exited = new Promise((resolve) => child.on("exit", resolve));
    const runtime = fakeRuntime();
    const pid = child.pid ?? 0;
    const ticks = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19] ?? "";
    const started = { ...currentOwner(runtime), pid, startedAt: ticks };
    expect(isOwnerAlive(started, runtime)).toBe("alive");
    child.kill("SIGKILL");
    await exited;
    expect(isOwnerAlive(started, runtime)).toBe("dead");
  });
});

describe("parseOwner", () => {
  const cases: readonly { name: string; value: unknown }[] = [
    { name: "null", value: null },
    { name: "a text", value: "x" },
    { name: "pid 0", value: { ...OTHER, pid: 0 } },
    { name: "a pid in quotes", value: { ...OTHER, pid: "20" } },
    { name: "a part that is absent", value: { ...OTHER, bootId: undefined } },
  ];
  it.each(cases)("refuses $name", ({ value }) => expect(parseOwner(value)).toBeUndefined());
  it("reads what was written", () => expect(parseOwner(JSON.parse(JSON.stringify(OTHER)))).toEqual(OTHER));
});

describe("readOwner", () => {
  it.each(["", "{", "null", "[]", "1", '{"owner":1}', '{"pid":1}'])("finds none in %j", (text) => {
    expect(readOwner(text)).toBeUndefined();
  });
  it("reads the owner that is named among other things", () => {
    expect(readOwner(JSON.stringify({ version: 1, owner: OTHER }))).toEqual(OTHER);
  });
});
