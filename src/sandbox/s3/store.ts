import { createHash } from "node:crypto";

export interface StoredObject {
  readonly body: Buffer;
  /** The MD5 in quotes, as S3 gives for a plain upload. */
  readonly etag: string;
  readonly contentType: string;
  readonly modifiedAt: number;
}

/** Bucket → key → object, in memory. */
export type S3Store = ReadonlyMap<string, Map<string, StoredObject>>;

export function createS3Store(
  buckets: Readonly<Record<string, Readonly<Record<string, string>>>>,
  now: number,
): S3Store {
  return new Map(
    Object.entries(buckets).map(([bucket, objects]) => [
      bucket,
      new Map(Object.entries(objects).map(([key, text]) => [key, makeObject(Buffer.from(text), "text/plain", now)])),
    ]),
  );
}

export function makeObject(body: Buffer, contentType: string, modifiedAt: number): StoredObject {
  return { body, contentType, modifiedAt, etag: `"${createHash("md5").update(body).digest("hex")}"` };
}
