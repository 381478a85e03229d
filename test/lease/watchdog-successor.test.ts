import { EventEmitter } from "node:events";
import * as fs from "node:fs";
import os from "node:os";
import { describe, expect, it } from "vitest";
import type { Runtime } from "../../src/core/runtime.js";
import { startSuccessor } from "../../src/lease/index.js";
import { fakeRuntime } from "../fake-runtime.js";

const ID = "l-0123456789ABCDEF";
const ENV = { AGENTCTL_STATE_DIR: "/state", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "canary" };

const CWD = os.tmpdir();

function start(overrides: Partial<Runtime> = {}, identitySource?: string) {
  let isUnreffed = false;
  const successor = Object.assign(new EventEmitter(), {
    unref: () => {
      isUnreffed = true;
    },
  });
  const spawns: unknown[][] = [];
  const runtime = fakeRuntime({
    env: ENV,
    cwd: CWD,
    self: ["/bin/node", "/opt/agentctl.js"],
    platform: "darwin",
    spawn: ((...args: unknown[]) => {
      spawns.push(args);
      return successor;
    }) as unknown as Runtime["spawn"],
    ...overrides,
  });
  startSuccessor(ID, identitySource, runtime);
  const stdioOf = () => (spawns[0] as [string, string[], { stdio: readonly unknown[] }])[2].stdio;
  return { successor, spawns, stdioOf, isUnreffed: () => isUnreffed };
}

describe("the watchdog's successor", () => {
  it("is agentctl itself in a session of its own, with nobody's output, that waits for this lease", () => {
    const { spawns, isUnreffed } = start();
    expect(spawns).toEqual([
      [
        "/bin/node",
        ["/opt/agentctl.js", "lease", "sweep", "--as-watchdog", "--queued", ID],
        { detached: true, stdio: ["ignore", "ignore", "ignore"], env: ENV, cwd: CWD },
      ],
    ]);
    expect(isUnreffed(), "nobody waits for it").toBe(true);
  });

  it("carries nothing by which whoever ends a job, or a surrounding lease, would end it as well", () => {
    const env = { ...ENV, RUNNER_TRACKING_ID: "github_1", AGENTCTL_LEASE_ID: "l-1" };
    expect((start({ env }).spawns[0] as [string, string[], { env: object }])[2].env).toEqual(ENV);
  });

  it("proves the identity that the sweep was told to", () => {
    const [first] = start({}, "gitlab").spawns;
    expect((first as [string, string[]])[1].slice(-3)).toEqual(["--identity", "gitlab", ID]);
  });

  it("is started also where the directory is gone by now", () => {
    const [first] = start({ cwd: "/nonexistent/job" }).spawns;
    expect((first as [string, string[], { cwd: string }])[2].cwd).toBe("/");
  });

  it("harms nobody where nothing can be started", () => {
    const spawn = (() => {
      throw new Error("spawn EMFILE");
    }) as unknown as Runtime["spawn"];
    expect(() => start({ spawn })).not.toThrow();
  });

  it("leaves the lease in the ledger where it cannot be started, and harms nobody", () => {
    const { successor } = start();
    expect(() => successor.emit("error", new Error("spawn EAGAIN"))).not.toThrow();
  });

  it("holds nothing open that the watchdog has been given, such as the caller's stderr in a lock's place", () => {
    const flags: Readonly<Record<string, string>> = { "18": "0100002", "200": "0100001", "201": "02100001" };
    const proc = {
      readdirSync: (() => ["0", "1", "2", "3", "18", "200", "201"]) as unknown as typeof fs.readdirSync,
      readFileSync: ((file: string) =>
        `pos:\t0\nflags:\t${flags[file.slice(file.lastIndexOf("/") + 1)]}\n`) as unknown as typeof fs.readFileSync,
    };
    const stdio = start({ platform: "linux", fs: { ...fs, ...proc } }).stdioOf();
    const covered = [...stdio.entries()].filter(([, what]) => what !== "ignore");
    const nothing = covered[0]?.[1];
    expect(stdio.slice(0, 3)).toEqual(["ignore", "ignore", "ignore"]);
    expect([stdio.length, covered]).toEqual([
      201,
      [
        [18, nothing],
        [200, nothing],
      ],
    ]);
    expect(nothing, "none of the caller's").toBeGreaterThan(2);
  });
});
