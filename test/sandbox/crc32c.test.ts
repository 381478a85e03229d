import { expect, test } from "vitest";
import { checksumCrc32c } from "../../src/sandbox/gcp/storage/crc32c.js";

const CASES: readonly { name: string; input: Uint8Array; want: number }[] = [
  // RFC 3720, appendix B.4, whose bytes are in the order of the wire.
  { name: "32 bytes of zeroes", input: new Uint8Array(32), want: 0x8a9136aa },
  { name: "32 bytes of ones", input: new Uint8Array(32).fill(0xff), want: 0x62a8ab43 },
  { name: "the check value of the catalogues", input: Buffer.from("123456789"), want: 0xe3069283 },
  { name: "nothing", input: new Uint8Array(), want: 0 },
];

test.each(CASES)("the CRC32C of $name", ({ input, want }) => {
  const bytes = Buffer.from(checksumCrc32c(input), "base64");
  expect(bytes.toString("hex")).toBe(want.toString(16).padStart(8, "0"));
});
