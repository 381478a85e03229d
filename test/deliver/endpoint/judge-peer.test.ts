import * as fs from "node:fs";
import type { Socket } from "node:net";
import os from "node:os";
import { describe, expect, test } from "vitest";
import type { Runtime } from "../../../src/core/runtime.js";
import { judgePeersOf, type PeerVerdict } from "../../../src/deliver/endpoint/judge-peer.js";
import { fakeRuntime } from "../../fake-runtime.js";
import { type FakeProcess, type FakeSystem, procOf } from "./fake-proc.js";

const [OURS, CHILD, US] = [0x1f90, 100, 50];
const UID = 1000;
const PEER_INODE = 777;
const OWN_INODE = 555;

const row = (local: string, remote: string, inode: number, uid = UID, state = "01"): string =>
  `   7: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 ${inode} 1 0000000000000000 20 4 30 10 -1`;
const [V4_PEER, V4_OWN] = ["0100007F:C350", "0100007F:1F90"];
const mapped = (address: string): string => `0000000000000000FFFF0000${address}`;
const OWN_ROW = row(V4_OWN, V4_PEER, OWN_INODE);
const peerRow = (uid = UID): string => row(V4_PEER, V4_OWN, PEER_INODE, uid);
const TCP = [OWN_ROW, peerRow()];

const socketOf = (remotePort = 0xc350, remoteAddress = "127.0.0.1"): Socket =>
  ({ remoteAddress, remotePort, localAddress: "127.0.0.1", localPort: OURS }) as Socket;

function runtimeOf(system: () => FakeSystem, overrides: Partial<Runtime> = {}): Runtime {
  return fakeRuntime({ fs: procOf(system), platform: "linux", pid: US, uid: UID, ...overrides });
}

const us: FakeProcess = { sockets: [OWN_INODE] };
const child: FakeProcess = { parent: US, session: CHILD };
const STRANGER = (pid: number): PeerVerdict => ({ is: "stranger", peer: { pid, program: "a\\u001b[2Jtool" } });

describe.skipIf(os.endianness() !== "LE")("a connection's other end is", () => {
  const rows: readonly { readonly name: string; readonly system: FakeSystem; readonly want: PeerVerdict }[] = [
    {
      name: "the child",
      system: { processes: { [US]: us, [CHILD]: { ...child, sockets: [1, PEER_INODE] } }, tcp: TCP },
      want: { is: "child" },
    },
    {
      name: "the child, with a socket for IPv6",
      system: {
        processes: { [US]: us, [CHILD]: { ...child, sockets: [PEER_INODE] } },
        tcp: [OWN_ROW],
        tcp6: [row(mapped(V4_PEER), mapped(V4_OWN), PEER_INODE)],
      },
      want: { is: "child" },
    },
    {
      name: "the child, where an older connection of the same ports is not quite over",
      system: {
        processes: { [US]: us, [CHILD]: { ...child, sockets: [PEER_INODE] } },
        tcp: [row(V4_PEER, V4_OWN, 0, 0, "06"), ...TCP],
      },
      want: { is: "child" },
    },
    {
      name: "a stranger",
      system: { processes: { [US]: us, [CHILD]: child, 200: { sockets: [PEER_INODE] } }, tcp: TCP },
      want: STRANGER(200),
    },
    {
      name: "a stranger, though the child's session has the number of another's",
      system: { processes: { [US]: us, [CHILD]: child, 200: { session: 7, sockets: [PEER_INODE] } }, tcp: TCP },
      want: STRANGER(200),
    },
    {
      name: "the child, where a stranger has the same socket",
      system: {
        processes: { [US]: us, 60: { sockets: [PEER_INODE] }, [CHILD]: { ...child, sockets: [PEER_INODE] } },
        tcp: TCP,
      },
      want: { is: "child" },
    },
    {
      name: "a stranger of this user who hides what it has open",
      system: { processes: { [US]: us, [CHILD]: child, 200: { sockets: "hidden" } }, tcp: TCP },
      want: { is: "stranger" },
    },
    {
      name: "a stranger of this user who is in nobody's hands",
      system: { processes: { [US]: us, [CHILD]: child }, tcp: TCP },
      want: { is: "stranger" },
    },
    {
      name: "undetermined for another user's, as in a container on the host's network",
      system: { processes: { [US]: us, [CHILD]: child }, tcp: [OWN_ROW, peerRow(0)] },
      want: { is: "undetermined" },
    },
    {
      name: "undetermined where one of the child's own hides what it has open",
      system: { processes: { [US]: us, [CHILD]: child, 101: { parent: CHILD, sockets: "hidden" } }, tcp: TCP },
      want: { is: "undetermined" },
    },
    {
      name: "undetermined where /proc does not even know our own end",
      system: { processes: { [US]: { sockets: [] }, [CHILD]: child }, tcp: TCP },
      want: { is: "undetermined" },
    },
    {
      name: "undetermined where the tables do not have it",
      system: { processes: { [US]: us, [CHILD]: { ...child, sockets: [PEER_INODE] } } },
      want: { is: "undetermined" },
    },
    {
      name: "undetermined where it is from another address",
      system: {
        processes: { [US]: us, [CHILD]: { ...child, sockets: [PEER_INODE] } },
        tcp: [OWN_ROW, row("0200007F:C350", V4_OWN, PEER_INODE)],
      },
      want: { is: "undetermined" },
    },
  ];
  test.each(rows)("$name", async ({ system, want }) => {
    expect(
      await judgePeersOf(
        CHILD,
        runtimeOf(() => system),
      )(socketOf()),
    ).toEqual(want);
  });

  test("the child's, from whatever address of the machine", async () => {
    const processes = { [US]: us, [CHILD]: { ...child, sockets: [PEER_INODE] } };
    const system = { processes, tcp: [row("0A01A8C0:C350", V4_OWN, PEER_INODE)] };
    expect(
      await judgePeersOf(
        CHILD,
        runtimeOf(() => system),
      )(socketOf(0xc350, "192.168.1.10")),
    ).toEqual({ is: "child" });
  });
});

describe.skipIf(os.endianness() !== "LE")("over time", () => {
  test("what looks like a stranger is looked at twice", async () => {
    const late = { processes: { [US]: us, [CHILD]: child, 101: { parent: CHILD, sockets: [PEER_INODE] } }, tcp: TCP };
    let system: FakeSystem = { ...late, processes: { ...late.processes, 101: { sockets: [PEER_INODE] } } };
    const sleep = (): Promise<void> => {
      system = late;
      return Promise.resolve();
    };
    const judge = judgePeersOf(
      CHILD,
      runtimeOf(() => system, { sleep }),
    );
    expect(await judge(socketOf())).toEqual({ is: "child" });
  });

  test("a process that was seen stays known by its start, and a later one with its pid is not it", async () => {
    const before = { [US]: us, [CHILD]: child, 101: { parent: CHILD, sockets: [PEER_INODE] } };
    let system: FakeSystem = { processes: before, tcp: TCP };
    const judge = judgePeersOf(
      CHILD,
      runtimeOf(() => system),
    );
    expect(await judge(socketOf())).toEqual({ is: "child" });
    system = { processes: { [US]: us, 101: { parent: 1, sockets: [PEER_INODE] } }, tcp: TCP };
    expect(await judge(socketOf())).toEqual({ is: "child" });
    system = { processes: { [US]: us, 101: { parent: 1, startedAt: 10, sockets: [PEER_INODE] } }, tcp: TCP };
    expect(await judge(socketOf())).toEqual(STRANGER(101));
  });

  test("a later process with the child's pid leads no session of the child's", async () => {
    let system: FakeSystem = { processes: { [US]: us, [CHILD]: child }, tcp: TCP };
    const judge = judgePeersOf(
      CHILD,
      runtimeOf(() => system),
    );
    const inSession = { session: CHILD, sockets: [PEER_INODE] };
    system = { processes: { [US]: us, 101: inSession }, tcp: TCP };
    expect(await judge(socketOf())).toEqual({ is: "child" });
    system = { processes: { [US]: us, [CHILD]: { ...child, startedAt: 10 }, 102: inSession }, tcp: TCP };
    expect(await judge(socketOf())).toEqual(STRANGER(102));
  });

  test("a connection is judged once, and many at once by one look", async () => {
    const processes = { [US]: us, [CHILD]: { ...child, sockets: [PEER_INODE] } };
    const real = runtimeOf(() => ({ processes, tcp: TCP }));
    let reads = 0;
    const openSync = (file: string): number => {
      reads += 1;
      return real.fs.openSync(file, "r");
    };
    const judge = judgePeersOf(CHILD, { ...real, fs: { ...real.fs, openSync } as unknown as Runtime["fs"] });
    const sockets = Array.from({ length: 50 }, () => socketOf());
    const verdicts = await Promise.all([...sockets, ...sockets].map((socket) => judge(socket)));
    expect(verdicts).toEqual(verdicts.map(() => ({ is: "child" })));
    await Promise.all(sockets.map((socket) => judge(socket)));
    expect(reads).toBe(1);
  });

  test("a system that cannot be looked at is one where nothing is known", async () => {
    const fail = (): never => {
      throw new Error("no /proc");
    };
    const files = { ...fs, readFileSync: fail, readdirSync: fail } as unknown as Runtime["fs"];
    expect(await judgePeersOf(CHILD, fakeRuntime({ fs: files, platform: "linux" }))(socketOf())).toEqual({
      is: "undetermined",
    });
    expect(await judgePeersOf(CHILD, fakeRuntime({ platform: "darwin" }))(socketOf())).toEqual({ is: "undetermined" });
    expect(await judgePeersOf(CHILD, fakeRuntime({ platform: "linux" }))({} as Socket)).toEqual({ is: "undetermined" });
  });
});
