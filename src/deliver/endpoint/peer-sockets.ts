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

type FileSystem = Pick<Runtime["fs"], "openSync" | "readSync" | "closeSync">;

/** In the second are the sockets of Java and others that reach IPv4 by `::ffff:127.0.0.1`. */
const TABLES = [
  { file: "/proc/net/tcp", prefix: "" },
  { file: "/proc/net/tcp6", prefix: `${"0".repeat(16)}${hexWord([0, 0, 0xff, 0xff])}` },
] as const;
/** What a row of the first table is padded to. */
const ROW_BYTES = 150;
const SINGLE_ROWS = 32;
const READ_BYTES = 16 * 1024;

/** The sockets at the near ends, in the connections' order; undefined where the system's tables have none (proc(5)). */
export function findSockets(connections: readonly ConnectionEnds[], fs: FileSystem): (SystemSocket | undefined)[] {
  const found: (SystemSocket | undefined)[] = connections.map(() => undefined);
  for (const { file, prefix } of TABLES) {
    const pairs = connections.map(({ near, far }) => ` ${prefix}${hexAddress(near)} ${prefix}${hexAddress(far)} `);
    for (const rows of readRows(file, fs)) {
      pairs.forEach((pair, index) => {
        found[index] ??= findRow(rows, pair);
      });
      if (!found.includes(undefined)) return found;
    }
  }
  return found;
}

/**
 * Some whole rows at a time. Nobody should read on who has what he wants: the kernel walks its table of all
 * connections until it has as many bytes as were asked for, which takes milliseconds on a machine with much memory,
 * however few they are. So the first rows are read one by one; where there are many, that costs more than it saves.
 */
function* readRows(file: string, fs: FileSystem): Generator<string> {
  const fd = openTable(file, fs);
  if (fd === undefined) return;
  try {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    let rest = "";
    for (let reads = 0; ; reads += 1) {
      const size = fs.readSync(fd, buffer, 0, reads < SINGLE_ROWS ? ROW_BYTES : READ_BYTES, null);
      if (size === 0) return;
      const text = rest + buffer.toString("latin1", 0, size);
      const end = text.lastIndexOf("\n") + 1;
      rest = text.slice(end);
      yield text.slice(0, end);
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** A kernel without IPv6 has no table of it. */
function openTable(file: string, fs: FileSystem): number | undefined {
  try {
    return fs.openSync(file, "r");
  } catch {
    return undefined;
  }
}

/** The columns after the pair of addresses: state, queues, timer, retransmits, uid, timeout, inode. */
function findRow(rows: string, pair: string): SystemSocket | undefined {
  for (let at = rows.indexOf(pair); at >= 0; at = rows.indexOf(pair, at + 1)) {
    const columns = rows.slice(at + pair.length, at + pair.length + 120).split(/\s+/, 7);
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
