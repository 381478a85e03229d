import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Fixture, type FixtureOptions, openFixture } from "./fixture.js";
import { exchange, requestText, statusOf } from "./wire.js";

const CALLER = path.join(import.meta.dirname, "caller.mjs");
/** A caller by the name "it", in a shell. */
const CALL = '"$NODE" "$CALLER" it';
/** Keeps a shell until its input ends, or until `letOn`. */
const WAIT = "read line";

let fixture: Fixture;
const running: ChildProcess[] = [];
afterEach(async () => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
  await fixture.close();
});

interface Started {
  readonly pid: number;
  letOn(): void;
  /** Resolves with the statuses that its callers were given, once there are `count`. */
  statuses(count?: number): Promise<string[]>;
}

/** A shell with the variables that the child is given; in a session of its own, as agentctl starts it off a terminal. */
function start(script: string, { ownSession = true } = {}): Started {
  const env = { PATH: process.env["PATH"], NODE: process.execPath, CALLER, ...fixture.endpoint.variables };
  const child = spawn("/bin/sh", ["-c", script], { env, detached: ownSession, stdio: ["pipe", "pipe", "inherit"] });
  running.push(child);
  let printed = "";
  let look = (): void => {};
  child.stdout.on("data", (chunk) => {
    printed += String(chunk);
    look();
  });
  return {
    pid: child.pid ?? 0,
    letOn: () => void child.stdin.write("\n"),
    statuses: (count = 1) =>
      new Promise((resolve) => {
        look = () => {
          const found = [...printed.matchAll(/^it (\S+)$/gm)].map(([, status]) => status ?? "");
          if (found.length >= count) resolve(found);
        };
        look();
      }),
  };
}

async function startWatched(script: string, options: FixtureOptions, ownSession = true): Promise<Started> {
  fixture = await openFixture({ watched: false, ...options });
  const child = start(script, { ownSession });
  fixture.endpoint.watchChild(child.pid);
  return child;
}

describe.skipIf(process.platform !== "linux")("on Linux", () => {
  const rows = [
    { name: "the child itself", script: `exec ${CALL}` },
    { name: "its child", script: `${CALL}; ${WAIT}` },
    { name: "one in the background", script: `${CALL} & ${WAIT}` },
    { name: "one far below", script: `( ( ( ${CALL}; true ); true ); true ); ${WAIT}` },
    { name: "one with a socket for IPv6, as Java's are", script: `${CALL} as=::ffff:127.0.0.1; ${WAIT}` },
  ];
  const both = rows.flatMap((row) => [true, false].map((ownSession) => ({ ...row, ownSession })));
  test.each(both)("$name is answered (own session: $ownSession)", async ({ script, ownSession }) => {
    const child = await startWatched(script, { peerCheck: "require" }, ownSession);
    expect(await child.statuses()).toEqual(["200"]);
    expect(fixture.refused).toEqual([]);
  });

  test("one whose parent has ended is answered when it was seen before", async () => {
    const script = `sh -c '${CALL} after=$$ & ${WAIT}'; ${WAIT}`;
    const child = await startWatched(script, { peerCheck: "require" }, false);
    expect(await child.statuses()).toEqual(["200"]);
    child.letOn();
    expect(await child.statuses(2)).toEqual(["200", "200"]);
  });

  test("one that a descendant has started is answered when that was seen, and both parents have ended", async () => {
    const script = `sh -c '( ${CALL}; ${CALL} only=$$; true ) & ${WAIT}'; ${WAIT}`;
    const child = await startWatched(script, { peerCheck: "require" }, false);
    expect(await child.statuses()).toEqual(["200"]);
    child.letOn();
    expect(await child.statuses(2)).toEqual(["200", "200"]);
  });

  const orphaned = `sh -c '${CALL} only=$$ & exit 0'; ${WAIT}`;
  test("one whose parent has ended is answered, seen or not, in the child's own session", async () => {
    const child = await startWatched(orphaned, { peerCheck: "require" });
    expect(await child.statuses()).toEqual(["200"]);
  });

  test("one that was orphaned before it was seen, in the session of all, is a stranger", async () => {
    const child = await startWatched(orphaned, { peerCheck: "auto" }, false);
    expect(await child.statuses()).toEqual(["403"]);
  });

  test.each(["auto", "require"] as const)(
    "another process of the user that has read the variables is refused with %s, and named",
    async (peerCheck) => {
      await startWatched(WAIT, { peerCheck });
      const other = start(`exec ${CALL}`);
      expect(await other.statuses()).toEqual(["403"]);
      expect(fixture.asked()).toBe(0);
      const peer = { pid: other.pid, program: expect.stringMatching(/\w/) };
      expect(fixture.refused).toEqual([
        { cloud: "aws", reason: "stranger", message: expect.any(String), peer, at: expect.any(Number) },
      ]);
    },
  );

  test("agentctl's own process is a stranger too", async () => {
    await startWatched(WAIT, { peerCheck: "auto" });
    expect(statusOf(await askHere())).toBe(403);
    expect(fixture.refused).toMatchObject([{ reason: "stranger", peer: { pid: process.pid } }]);
  });

  test("with peer_check: off nobody is looked at", async () => {
    await startWatched(WAIT, { peerCheck: "off" });
    expect(statusOf(await askHere())).toBe(200);
    expect(fixture.refused).toEqual([]);
  });
});

test("where it cannot be told whose a connection is, peer_check: require refuses it", async () => {
  const openSync = (): never => {
    throw new Error("no table");
  };
  const runtime = { platform: "linux", fs: { ...fs, openSync } as typeof fs } as const;
  await startWatched(WAIT, { peerCheck: "require", runtime });
  expect(statusOf(await askHere())).toBe(403);
  expect(fixture.refused).toMatchObject([{ reason: "stranger", message: expect.stringContaining("cannot be told") }]);
});

test("where it cannot be told, peer_check: auto answers, and that is on record once", async () => {
  await startWatched(WAIT, { peerCheck: "auto", runtime: { platform: "darwin" } });
  for (let index = 0; index < 2; index += 1) expect(statusOf(await askHere())).toBe(200);
  expect(fixture.refused).toMatchObject([{ cloud: "aws", reason: "undetermined" }]);
  expect(fixture.endpoint.refusedCount).toBe(0);
});

function askHere(): Promise<string> {
  const headers = [`Host: ${fixture.host}`, `Authorization: ${fixture.secret}`, "Connection: close"];
  return exchange(fixture.port, requestText({ target: fixture.path, headers }));
}
