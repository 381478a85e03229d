import os from "node:os";
import { describe, expect, test } from "vitest";
import type { Runtime } from "../../../src/core/runtime.js";
import { findSockets } from "../../../src/deliver/endpoint/peer-sockets.js";

const ROW_BYTES = 150;
const PORT = 0x1f90;

const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");
const rowOf = (port: number): string =>
  `   1: 0100007F:${hex(port)} 0100007F:${hex(PORT)} 01 00000000:00000000 00:00000000 00000000     0        0 ${port} 1`;

/** A table of so many connections, from the port 1 on, that counts how often it is read and gives what is asked for. */
function tableOf(count: number): { readonly fs: Runtime["fs"]; readonly reads: () => number } {
  const rows = ["  sl  local_address", ...Array.from({ length: count }, (_, index) => rowOf(index + 1))];
  const text = rows.map((row) => `${row.padEnd(ROW_BYTES - 1)}\n`).join("");
  let [at, reads] = [0, 0];
  const readSync = (_fd: number, buffer: Buffer, offset: number, length: number): number => {
    reads += 1;
    const size = buffer.write(text.slice(at, at + length), offset, "latin1");
    at += size;
    return size;
  };
  return { fs: { openSync: () => 3, closeSync: () => {}, readSync } as unknown as Runtime["fs"], reads: () => reads };
}

describe.skipIf(os.endianness() !== "LE")("the table of connections", () => {
  const rows = [
    { name: "no further than the row that is looked for", count: 20, port: 5, reads: 6 },
    { name: "in large pieces where there are many", count: 1000, port: 1000, reads: 41 },
  ];
  test.each(rows)("is read $name", ({ count, port, reads }) => {
    const table = tableOf(count);
    const ends = { near: { address: "127.0.0.1", port }, far: { address: "127.0.0.1", port: PORT } };
    expect(findSockets([ends], table.fs)).toEqual([{ link: `socket:[${port}]`, uid: 0 }]);
    expect(table.reads()).toBe(reads);
  });
});
