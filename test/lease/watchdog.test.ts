import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { descendantsOf } from "../../src/core/process-list.js";
import { WATCHDOG_SCRIPT } from "../../src/lease/watchdog-script.js";
import { type Owner, poll, processes, Yard } from "./watchdog-yard.js";

let yard: Yard;
beforeAll(async () => {
  yard = await Yard.open();
});
afterAll(() => yard.close());

const SWEEP = ["lease", "sweep", "--as-watchdog", "l-0123456789abcdef"];

/** Once, and then the watchdog is gone: nothing is left that could do it again. */
async function expectOneSweep(owner: Owner): Promise<void> {
  await poll(() => owner.sweeps().length > 0, "the sweep");
  await poll(() => owner.watchdog() === undefined, "the watchdog's end");
  expect(owner.sweeps().map(({ argv }) => argv)).toEqual([SWEEP]);
}

async function expectNoSweep(owner: Owner): Promise<void> {
  await poll(() => owner.watchdog() === undefined, "the watchdog's end");
  expect(owner.sweeps()).toEqual([]);
}

// A session, by which a watchdog is found here, is told on Linux only.
describe.runIf(process.platform === "linux").concurrent("a watchdog", () => {
  it("finishes the lease of an agentctl that was killed, though its command goes on", async () => {
    const owner = await yard.owner({ command: ["sleep", "60"] });
    process.kill(owner.pid, "SIGKILL");
    await expectOneSweep(owner);
    expect(processes().some(({ pid }) => pid === owner.commandPid)).toBe(true);
    process.kill(owner.commandPid as number, "SIGKILL");
  });

  it("does so where agentctl was, with nothing open but stderr", async () => {
    const owner = await yard.owner({ script: 'exec "$@" 2>stderr' });
    process.kill(owner.pid, "SIGKILL");
    await expectOneSweep(owner);
    const [sweep] = owner.sweeps();
    expect(sweep?.cwd).toBe(owner.dir);
    expect(sweep?.descriptors).toMatchObject({ 0: "/dev/null", 1: "/dev/null", 2: path.join(owner.dir, "stderr") });
    expect(sweep?.descriptors[3]).not.toContain("socket");
  });

  it("does so elsewhere when agentctl's directory has gone", async () => {
    const owner = await yard.owner({ script: 'mkdir gone && cd gone && exec "$@"' });
    fs.rmdirSync(path.join(owner.dir, "gone"));
    process.kill(owner.pid, "SIGKILL");
    await expectOneSweep(owner);
    expect(owner.sweeps()[0]?.cwd).toBe("/");
  });

  it("does nothing when it is released, also by a process that exits at once", async () => {
    const owner = await yard.owner();
    owner.release();
    await expectNoSweep(owner);
  });

  it("does nothing when agentctl dies without a lease in the ledger", async () => {
    const owner = await yard.owner({ hasEntry: false });
    process.kill(owner.pid, "SIGKILL");
    await expectNoSweep(owner);
  });

  it("clears a first write away that was cut off, and nobody else's", async () => {
    const owner = await yard.owner({ hasEntry: false });
    const [torn, another] = [`${owner.entryFile}.0123456789ab.tmp`, `${owner.entryFile}.txt`];
    for (const file of [torn, another]) fs.writeFileSync(file, "{");
    process.kill(owner.pid, "SIGKILL");
    await expectNoSweep(owner);
    expect([fs.existsSync(torn), fs.existsSync(another)]).toEqual([false, true]);
  });

  it.each(["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const)("outlives a %s", async (signal) => {
    const owner = await yard.owner();
    process.kill(owner.watchdog()?.pid ?? Number.NaN, signal);
    process.kill(owner.pid, signal);
    await expectOneSweep(owner);
  });

  const nets = [
    { name: "whatever descends from agentctl", of: ({ pid }: Owner) => processes().filter((each) => each.pid === pid) },
    {
      name: "agentctl's group",
      of: ({ pid }: Owner) => processes().filter(({ group }) => group === groupOf(pid)),
    },
    {
      name: "agentctl's session",
      of: ({ pid }: Owner) => processes().filter(({ session }) => session === sessionOf(pid)),
    },
  ];
  it.each(nets)("is not found by who kills $name", async ({ of }) => {
    const owner = await yard.owner({ command: ["sleep", "60"] });
    const roots = of(owner);
    const caught = [...roots, ...descendantsOf(roots, processes())].map(({ pid }) => pid);
    expect(caught).toEqual(expect.arrayContaining([owner.pid, owner.commandPid]));
    for (const pid of new Set(caught)) process.kill(pid, "SIGKILL");
    await expectOneSweep(owner);
  });

  it("waits as nobody's child, in no directory of the caller's, with nothing of the caller's open but stderr", async () => {
    const script = 'exec 4>four 17>seventeen 63>sixtythree 200>lock 2>stderr; exec "$@"';
    const owner = await yard.owner({ script });
    const watchdog = owner.watchdog();
    expect(processes().find(({ pid }) => pid === watchdog?.parentPid)?.session).not.toBe(owner.session);
    const proc = `/proc/${watchdog?.pid}`;
    expect(fs.readlinkSync(`${proc}/cwd`)).toBe("/");
    const open = fs.readdirSync(`${proc}/fd`).map((fd) => fs.readlinkSync(`${proc}/fd/${fd}`));
    const stderr = path.join(owner.dir, "stderr");
    expect(new Set(open)).toEqual(new Set(["/dev/null", stderr, expect.stringMatching(/^(socket|pipe):/)]));
    expect(fs.readlinkSync(`${proc}/fd/200`)).toBe(stderr);
    owner.release();
    await expectNoSweep(owner);
  });

  const shells = [
    { name: "dash", shell: ["dash"] },
    { name: "bash", shell: ["bash", "--posix"] },
    { name: "busybox", shell: ["busybox", "sh"] },
    { name: "ksh", shell: ["ksh"] },
    { name: "zsh", shell: ["zsh", "--emulate", "sh"] },
  ] as const;
  describe.each(shells)("in $name", ({ shell }) => {
    const isThere = spawnSync(shell[0], [...shell.slice(1), "-c", "exit 0"]).status === 0;
    it.runIf(isThere)("does what it has to", async () => {
      const [killed, released] = await Promise.all([yard.owner({ shell }), yard.owner({ shell })]);
      process.kill(killed.watchdog()?.pid ?? Number.NaN, "SIGTERM");
      process.kill(killed.pid, "SIGKILL");
      await expectOneSweep(killed);
      released.release();
      await expectNoSweep(released);
    });
  });
});

// Not beside others: what is started meanwhile inherits the terminal from node-pty, and keeps it open.
it.runIf(process.platform === "linux")("a watchdog outlives the terminal", async () => {
  const owner = await yard.owner({ onTerminal: true });
  // Its master goes away, as it does when a window is closed; nobody is signalled but by the kernel.
  (owner.terminal as unknown as { _socket: { destroy(): void } })._socket.destroy();
  await poll(() => !processes().some(({ pid }) => pid === owner.pid), "agentctl's end");
  await expectOneSweep(owner);
});

it.runIf(spawnSync("shellcheck", ["--version"]).status === 0)(
  "is a script that shellcheck has nothing to say of",
  () => {
    const checked = spawnSync("shellcheck", ["--shell=sh", "-"], { input: WATCHDOG_SCRIPT, encoding: "utf8" });
    expect(checked).toMatchObject({ status: 0, stdout: "" });
  },
);

function groupOf(wanted: number): number | undefined {
  return processes().find(({ pid }) => pid === wanted)?.group;
}

function sessionOf(wanted: number): number | undefined {
  return processes().find(({ pid }) => pid === wanted)?.session;
}
