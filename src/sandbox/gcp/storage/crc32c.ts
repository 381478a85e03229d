/** The polynomial of Castagnoli, in the bit order of RFC 3720, section 12.1. */
const POLYNOMIAL = 0x82f63b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** The checksum by which Google's libraries compare what they sent with what arrived: base64 of its four bytes. */
export function checksumCrc32c(content: Uint8Array): string {
  let value = 0xffffffff;
  for (const byte of content) value = (value >>> 8) ^ (TABLE[(value ^ byte) & 0xff] ?? 0);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(~value >>> 0);
  return bytes.toString("base64");
}
