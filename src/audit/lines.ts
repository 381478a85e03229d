import type { Runtime } from "../core/runtime.js";

export interface Line {
  /** Without the newline. */
  readonly bytes: Buffer;
  /** The offset in the file after the line and its newline. */
  readonly end: number;
  /** False for what stands after the last newline. */
  readonly complete: boolean;
}

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** Reads a file line by line from an offset up to another (default: its present end), a chunk at a time. */
export function* readLines(fd: number, fs: Runtime["fs"], from = 0, to = fs.fstatSync(fd).size): Generator<Line> {
  let pending: Buffer[] = [];
  let offset = from;
  let end = from;
  while (offset < to) {
    const chunk = readUpTo(fd, offset, Math.min(CHUNK_BYTES, to - offset), fs);
    if (chunk.length === 0) break;
    offset += chunk.length;
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, start)) {
      const bytes = Buffer.concat([...pending, chunk.subarray(start, at)]);
      pending = [];
      start = at + 1;
      end += bytes.length + 1;
      yield { bytes, end, complete: true };
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
  const rest = Buffer.concat(pending);
  if (rest.length > 0) yield { bytes: rest, end: end + rest.length, complete: false };
}

/** The last complete line of a file, and what stands after it; read backwards, so only the end is read. */
export function readLastLine(fd: number, fs: Runtime["fs"]): { readonly last?: Line; readonly half: Buffer } {
  const size = fs.fstatSync(fd).size;
  let tail: Buffer = Buffer.alloc(0);
  let from = size;
  while (from > 0 && !holdsWholeLine(tail)) {
    const length = Math.min(Math.max(CHUNK_BYTES, tail.length), from);
    from -= length;
    tail = Buffer.concat([readUpTo(fd, from, length, fs), tail]);
  }
  const newline = tail.lastIndexOf(NEWLINE);
  const half = tail.subarray(newline + 1);
  if (newline < 0) return { half };
  const start = newline === 0 ? 0 : tail.lastIndexOf(NEWLINE, newline - 1) + 1;
  return { last: { bytes: tail.subarray(start, newline), end: size - half.length, complete: true }, half };
}

function holdsWholeLine(tail: Buffer): boolean {
  const newline = tail.lastIndexOf(NEWLINE);
  return newline > 0 && tail.lastIndexOf(NEWLINE, newline - 1) >= 0;
}

/** Shorter than asked for only where the file ends. */
function readUpTo(fd: number, from: number, length: number, fs: Runtime["fs"]): Buffer {
  const chunk = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const count = fs.readSync(fd, chunk, filled, length - filled, from + filled);
    if (count === 0) break;
    filled += count;
  }
  return chunk.subarray(0, filled);
}
