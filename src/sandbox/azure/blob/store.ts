import { randomBytes } from "node:crypto";
import type { AzureWorld } from "../world.js";

export interface StoredBlob {
  readonly body: Buffer;
  readonly contentType: string;
  /** Of the form that Azure gives: `"0x8…"`. */
  readonly etag: string;
  readonly modifiedAt: number;
}

/** Account → container → name → blob, in memory. */
export type BlobStore = ReadonlyMap<string, ReadonlyMap<string, Map<string, StoredBlob>>>;

export function createBlobStore(world: AzureWorld, now: number): BlobStore {
  const fill = (blobs: Readonly<Record<string, string>>): Map<string, StoredBlob> =>
    new Map(Object.entries(blobs).map(([name, text]) => [name, makeBlob(Buffer.from(text), "text/plain", now)]));
  return new Map(
    Object.entries(world.storageAccounts).map(([account, { containers }]) => [
      account,
      new Map(Object.entries(containers).map(([container, blobs]) => [container, fill(blobs)])),
    ]),
  );
}

export function makeBlob(body: Buffer, contentType: string, modifiedAt: number): StoredBlob {
  return { body, contentType, modifiedAt, etag: `"0x8${randomBytes(7).toString("hex").toUpperCase()}"` };
}
