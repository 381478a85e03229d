import { createHash } from "node:crypto";
import * as zlib from "node:zlib";
import type { ServiceRequest } from "../service.js";
import { WireError } from "../wire-error.js";

/** The object in an upload: as it is, or taken out of the aws-chunked framing that SDKs use over TLS. */
export function readObjectBody(request: ServiceRequest): Buffer {
  const declared = request.headers["x-amz-content-sha256"] ?? "";
  if (!declared.startsWith("STREAMING-")) {
    assertChecksums(request.body, request.headers);
    return request.body;
  }
  if (declared !== "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    throw new WireError(501, "NotImplemented", "A header you provided implies functionality that is not implemented");
  }
  const { body, trailers } = unchunk(request.body);
  if (String(body.length) !== request.headers["x-amz-decoded-content-length"]) throw incomplete();
  assertChecksums(body, { ...request.headers, ...trailers });
  return body;
}

/** `SIZE[;…]CRLF DATA CRLF … 0 CRLF [trailer: value CRLF]… CRLF`, the size in hexadecimal. */
function unchunk(framed: Buffer): { body: Buffer; trailers: Record<string, string> } {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = framed.indexOf("\r\n", at);
    const size = end < 0 ? Number.NaN : Number.parseInt(framed.toString("latin1", at, end), 16);
    if (Number.isNaN(size) || end + 2 + size > framed.length) throw incomplete();
    at = end + 2;
    if (size === 0) break;
    chunks.push(framed.subarray(at, at + size));
    at += size + 2;
  }
  const lines = framed.toString("latin1", at).split("\r\n");
  const pairs = lines.filter((line) => line.includes(":")).map((line) => splitAt(line, line.indexOf(":")));
  return { body: Buffer.concat(chunks), trailers: Object.fromEntries(pairs) };
}

function splitAt(line: string, mark: number): readonly [string, string] {
  return [line.slice(0, mark).trim().toLowerCase(), line.slice(mark + 1).trim()];
}

/** The checksums that Node can compute; the others that a client may send are taken as they are. */
function assertChecksums(body: Buffer, headers: Readonly<Record<string, string>>): void {
  const computed: Record<string, string> = {
    "content-md5": createHash("md5").update(body).digest("base64"),
    "x-amz-checksum-sha256": createHash("sha256").update(body).digest("base64"),
    "x-amz-checksum-sha1": createHash("sha1").update(body).digest("base64"),
    ...crc32Of(body),
  };
  for (const [name, value] of Object.entries(computed)) {
    if (headers[name] !== undefined && headers[name] !== value) {
      throw new WireError(400, "BadDigest", `The ${name} you specified did not match the calculated checksum.`);
    }
  }
}

/** Node has it from 20.15 on. */
function crc32Of(body: Buffer): Record<string, string> {
  if (typeof zlib.crc32 !== "function") return {};
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(zlib.crc32(body));
  return { "x-amz-checksum-crc32": bytes.toString("base64") };
}

function incomplete(): WireError {
  return new WireError(400, "IncompleteBody", "The request body terminated unexpectedly");
}
