/** The first and the last byte, counted from 0. */
export type ByteRange = readonly [first: number, last: number];

/** One `bytes=from-to` range of `length` bytes; undefined when the header asks for the whole. */
export function readByteRange(header: string | undefined, length: number): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  const isSuffix = match[1] === "";
  const first = isSuffix ? Math.max(0, length - Number(match[2])) : Number(match[1]);
  const last = isSuffix || match[2] === "" ? length - 1 : Math.min(Number(match[2]), length - 1);
  return first > last ? "unsatisfiable" : [first, last];
}
