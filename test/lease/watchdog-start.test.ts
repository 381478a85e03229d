import { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Runtime } from "../../src/core/runtime.js";
import { startWatchdog } from "../../src/lease/watchdog.js";
import { watchdogEnvironment } from "../../src/lease/watchdog-environment.js";
import { fakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";

const ORDER = { leaseId: "l-0123456789abcdef", entryFile: "/state/leases/l-0123456789abcdef.json" };
const ENV = { AGENTCTL_STATE_DIR: "/state" };

/** A shell that does what a test says, with the end of the lifeline that it holds. */
function stage(act: (shell: EventEmitter) => void, lifeline: PassThrough | null = new PassThrough()) {
  const shell = Object.assign(new EventEmitter(), {
    stdio: lifeline === null ? undefined : [null, null, null, lifeline],
  });
  const spawns: unknown[][] = [];
  const runtime = fakeRuntime({
    env: ENV,
    cwd: "/project",
    self: ["/bin/node", "/opt/agentctl.js"],
    platform: "darwin",
    spawn: ((...args: unknown[]) => {
      spawns.push(args);
      process.nextTick(() => act(shell));
      return shell;
    }) as unknown as typeof spawn,
  });
  return { runtime, spawns, lifeline };
}

function refusal(code: string): Error {
  return Object.assign(new Error(`spawn /bin/sh ${code}`), { code });
}

describe("startWatchdog", () => {
  it("starts a shell in a session and a directory of its own, with all that it will need", async () => {
    const { runtime, spawns } = stage((shell) => shell.emit("exit", 0, null));
    await startWatchdog(ORDER, runtime).ready;
    expect(spawns).toEqual([
      [
        "/bin/sh",
        [
          "-c",
          expect.stringContaining("--as-watchdog"),
          "agentctl-watchdog",
          ORDER.leaseId,
          ORDER.entryFile,
          "/project",
          ...runtime.self,
        ],
        { detached: true, cwd: "/", env: ENV, stdio: ["ignore", "ignore", 2, "pipe"] },
      ],
    ]);
  });

  it("is not ready before the first shell has ended", async () => {
    let end = (): void => {};
    const { runtime } = stage((shell) => {
      end = () => shell.emit("exit", 0, null);
    });
    let isReady = false;
    const { ready } = startWatchdog(ORDER, runtime);
    ready.then(() => {
      isReady = true;
    });
    await new Promise(setImmediate);
    expect(isReady).toBe(false);
    end();
    await ready;
  });

  it("says once that there is nothing to end", async () => {
    const { runtime, lifeline } = stage((shell) => shell.emit("exit", 0, null));
    const watchdog = startWatchdog(ORDER, runtime);
    await watchdog.ready;
    watchdog.release();
    watchdog.release();
    expect(String(lifeline?.read())).toBe("done\n");
    expect(lifeline?.read()).toBe(null);
  });

  it("takes no harm from a watchdog that was killed", async () => {
    const { runtime, lifeline } = stage((shell) => shell.emit("exit", 0, null));
    const watchdog = startWatchdog(ORDER, runtime);
    await watchdog.ready;
    lifeline?.destroy(new Error("write EPIPE"));
    await new Promise(setImmediate);
    watchdog.release();
  });

  const failures = [
    { name: "no /bin/sh", act: emit("ENOENT"), says: "there is no /bin/sh" },
    { name: "no process left", act: emit("EAGAIN"), says: "no further process may be started" },
    { name: "no descriptor left", act: emit("EMFILE"), lifeline: null, says: "no further file may be opened" },
    { name: "a shell that may not be run", act: emit("EACCES"), says: "permission denied" },
    { name: "a shell that could not fork", act: end(2, null), says: "/bin/sh exited with 2" },
    { name: "a shell that was killed", act: end(null, "SIGKILL"), says: "/bin/sh was ended by SIGKILL" },
  ];
  it.each(failures)("is unusable with $name", async ({ act, says, ...rest }) => {
    const { runtime } = stage(act, ...("lifeline" in rest ? [null] : []));
    const watchdog = startWatchdog(ORDER, runtime);
    const thrown = await thrownBy(() => watchdog.ready);
    expect([thrown.code, thrown.message]).toEqual(["WATCHDOG_UNUSABLE", expect.stringContaining(says)]);
    expect(thrown.hint).toBeDefined();
    watchdog.release();
  });

  it("is unusable where the refusal is thrown, and where nobody waits that harms nobody", async () => {
    const refused = (() => {
      throw refusal("E2BIG");
    }) as unknown as typeof spawn;
    const unhandled: unknown[] = [];
    const note = (reason: unknown): number => unhandled.push(reason);
    process.on("unhandledRejection", note);
    const watchdog = startWatchdog(ORDER, fakeRuntime({ env: ENV, spawn: refused }));
    await new Promise(setImmediate);
    process.removeListener("unhandledRejection", note);
    expect(unhandled).toEqual([]);
    expect((await thrownBy(() => watchdog.ready)).code).toBe("WATCHDOG_UNUSABLE");
    watchdog.release();
  });

  it("really is, where there is no such shell", async () => {
    const elsewhere = ((_: string, args: string[], options: object) =>
      spawn("/nonexistent/sh", args, options)) as unknown as Runtime["spawn"];
    const thrown = await thrownBy(() => startWatchdog(ORDER, fakeRuntime({ env: ENV, spawn: elsewhere })).ready);
    expect(thrown.code).toBe("WATCHDOG_UNUSABLE");
  });

  it("has no place without a state directory", async () => {
    const thrown = await thrownBy(() => startWatchdog(ORDER, fakeRuntime()).ready);
    expect(thrown.code).toBe("STATE_UNWRITABLE");
  });
});

describe("watchdogEnvironment", () => {
  const rows = [
    {
      name: "keeps what an identity is proven with",
      env: { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "x" },
      want: { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "x" },
    },
    {
      name: "names the state directory from the root",
      env: { AGENTCTL_STATE_DIR: "state" },
      want: { AGENTCTL_STATE_DIR: "/project/state" },
    },
    {
      name: "loses the marks of a surrounding lease",
      env: { AGENTCTL_LEASE_ID: "l-1", AGENTCTL_PROFILE: "p", AGENTCTL_EXPIRES_AT: "t" },
      want: {},
    },
    { name: "loses GitHub's mark of the job", env: { RUNNER_TRACKING_ID: "github_1" }, want: {} },
    { name: "loses Azure's mark of the job", env: { VSTS_PROCESS_LOOKUP_ID: "vsts_1" }, want: {} },
    {
      name: "asks Jenkins to be left alone",
      env: { JENKINS_NODE_COOKIE: "c", JENKINS_SERVER_COOKIE: "c", HUDSON_SERVER_COOKIE: "c" },
      want: { JENKINS_NODE_COOKIE: "dontKillMe" },
    },
  ];
  it.each(rows)("$name", ({ env, want }) => {
    expect(watchdogEnvironment({ env: { ...ENV, ...env }, cwd: "/project" })).toEqual({ ...ENV, ...want });
  });
});

function emit(code: string): (shell: EventEmitter) => void {
  return (shell) => shell.emit("error", refusal(code));
}

function end(code: number | null, signal: string | null): (shell: EventEmitter) => void {
  return (shell) => shell.emit("exit", code, signal);
}
