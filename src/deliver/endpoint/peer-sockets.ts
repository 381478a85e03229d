import { endianness } from "node:os";
import type { Runtime } from "../../core/runtime.js";

/** The two ends of a TCP connection over IPv4; `near` is the one whose socket is looked for. */
export interface ConnectionEnds {
  readonly near: Address;
  readonly far: Address;
}

export interface Address {
  /** Dotted, such as `127.0.0.1`. */
  readonly address: string;
  readonly port: number;
}

export interface SystemSocket {
  /** What /proc/PID/fd/N links to, such as `socket:[4711]`. */
  readonly link: string;
  /** Of the user who made it. */
  readonly uid: number;
}

type FileSystem = Pick<Runtime["fs"], "readFileSync">;

/** In the second are the sockets of Java and others that reach IPv4 by `::ffff:127.0.0.1`. */
const TABLES = [
  { file: "/proc/net/tcp", prefix: "" },
  { file: "/proc/net/tcp6", prefix: `${"0".repeat(16)}${hexWord([0, 0, 0xff, 0xff])}` },
] as const;

/** The sockets at the near ends, in the connections' order; undefined where the system's tables have none (proc(5)). */
export function findSockets(connections: readonly ConnectionEnds[], fs: FileSystem): (SystemSocket | undefined)[] {
  const found: (SystemSocket | undefined)[] = connections.map(() => undefined);
  for (const { file, prefix } of TABLES) {
    if (found.every((socket) => socket !== undefined)) break;
    const table = readTable(file, fs);
    connections.forEach(({ near, far }, index) => {
      const pair = ` ${prefix}${hexAddress(near)} ${prefix}${hexAddress(far)} `;
      found[index] ??= findRow(table, pair);
    });
  }
  return found;
}

function readTable(file: string, fs: FileSystem): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** The columns after the pair of addresses: state, queues, timer, retransmits, uid, timeout, inode. */
function findRow(table: string, pair: string): SystemSocket | undefined {
  for (let at = table.indexOf(pair); at >= 0; at = table.indexOf(pair, at + 1)) {
    const columns = table.slice(at + pair.length, at + pair.length + 120).split(/\s+/, 7);
    const [uid, inode] = [columns[4], columns[6]];
    // One that no process holds any more, such as one in TIME_WAIT, has the inode 0.
    if (uid !== undefined && inode !== undefined && inode !== "0")
      return { link: `socket:[${inode}]`, uid: Number(uid) };
  }
  return undefined;
}

function hexAddress({ address, port }: Address): string {
  return `${hexWord(address.split(".").map(Number))}:${port.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** The kernel prints the four bytes as one number in the machine's own order. */
function hexWord(bytes: readonly number[]): string {
  const ordered = endianness() === "LE" ? bytes.toReversed() : bytes;
  return ordered.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join("");
}
