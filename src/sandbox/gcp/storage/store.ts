import { createHash } from "node:crypto";
import type { GcpWorld } from "../world.js";
import { checksumCrc32c } from "./crc32c.js";

export interface StoredFile {
  readonly body: Buffer;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Microseconds since the epoch, one more where two writes fall together: a number as text. */
  readonly generation: string;
  readonly createdAt: number;
  /** Both in base64. */
  readonly md5: string;
  readonly crc32c: string;
}

/** Bucket → name → object, in memory. */
export type FileStore = ReadonlyMap<string, Map<string, StoredFile>>;

export interface FileContent {
  readonly body: Buffer;
  readonly contentType: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export function createFileStore(world: GcpWorld, now: number): FileStore {
  return new Map(
    Object.entries(world.buckets).map(([bucket, { objects }]) => {
      const files = new Map<string, StoredFile>();
      for (const [name, text] of Object.entries(objects)) {
        putFile(files, name, { body: Buffer.from(text), contentType: "text/plain" }, now);
      }
      return [bucket, files];
    }),
  );
}

export function putFile(files: Map<string, StoredFile>, name: string, content: FileContent, now: number): StoredFile {
  const before = BigInt(files.get(name)?.generation ?? "0");
  const fresh = BigInt(Math.floor(now)) * 1000n;
  const file: StoredFile = {
    body: content.body,
    contentType: content.contentType,
    metadata: content.metadata ?? {},
    generation: String(fresh > before ? fresh : before + 1n),
    createdAt: now,
    md5: createHash("md5").update(content.body).digest("base64"),
    crc32c: checksumCrc32c(content.body),
  };
  files.set(name, file);
  return file;
}
