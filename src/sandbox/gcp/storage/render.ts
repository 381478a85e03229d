import { readByteRange } from "../../byte-range.js";
import { jsonAnswer } from "../../json-answer.js";
import { groupNames, type ListEntry } from "../../listing.js";
import { queryValue, type ServiceAnswer, type ServiceRequest } from "../../service.js";
import { WireError } from "../../wire-error.js";
import type { GcpWorld } from "../world.js";
import type { StoredFile } from "./store.js";

const MAX_RESULTS = 1000;

/** An object's description, as the JSON API gives it. */
export function describeFile(bucket: string, name: string, file: StoredFile, origin: string): Record<string, unknown> {
  const path = `storage/v1/b/${bucket}/o/${encodeURIComponent(name)}`;
  const time = new Date(file.createdAt).toISOString();
  return {
    kind: "storage#object",
    id: `${bucket}/${name}/${file.generation}`,
    selfLink: `${origin}/${path}`,
    mediaLink: `${origin}/download/${path}?generation=${file.generation}&alt=media`,
    name,
    bucket,
    generation: file.generation,
    metageneration: "1",
    contentType: file.contentType,
    storageClass: "STANDARD",
    size: String(file.body.length),
    md5Hash: file.md5,
    crc32c: file.crc32c,
    etag: Buffer.from(file.generation).toString("base64"),
    timeCreated: time,
    updated: time,
    ...(Object.keys(file.metadata).length > 0 && { metadata: file.metadata }),
  };
}

/** An object's content. */
export function sendFile(file: StoredFile, request: ServiceRequest): ServiceAnswer {
  const headers: Record<string, string> = {
    "content-type": file.contentType,
    "last-modified": new Date(file.createdAt).toUTCString(),
    "accept-ranges": "bytes",
    etag: `"${Buffer.from(file.generation).toString("base64")}"`,
    "x-goog-generation": file.generation,
    "x-goog-metageneration": "1",
    "x-goog-hash": `crc32c=${file.crc32c},md5=${file.md5}`,
    "x-goog-storage-class": "STANDARD",
    "x-goog-stored-content-length": String(file.body.length),
  };
  const range = readByteRange(request.headers["range"], file.body.length);
  if (range === "unsatisfiable")
    throw new WireError(416, "requestedRangeNotSatisfiable", "Request range not satisfiable");
  if (range === undefined) {
    return { status: 200, headers: { ...headers, "content-length": String(file.body.length) }, body: file.body };
  }
  const body = file.body.subarray(range[0], range[1] + 1);
  const contentRange = `bytes ${range[0]}-${range[1]}/${file.body.length}`;
  return { status: 206, headers: { ...headers, "content-range": contentRange }, body };
}

/** The objects of a bucket by name; the page token is the name to go on from. */
export function listFiles(
  bucket: string,
  files: ReadonlyMap<string, StoredFile>,
  request: ServiceRequest,
  origin: string,
): ServiceAnswer {
  const from = Buffer.from(queryValue(request, "pageToken") ?? "", "base64url").toString();
  const start = queryValue(request, "startOffset") ?? "";
  const asked = Number(queryValue(request, "maxResults") ?? MAX_RESULTS);
  const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, MAX_RESULTS) : MAX_RESULTS;
  const prefix = queryValue(request, "prefix") ?? "";
  const all = groupNames(files.keys(), prefix, queryValue(request, "delimiter") ?? "");
  const entries = all.filter((entry) => textOf(entry) >= from && textOf(entry) >= start);
  const shown = entries.slice(0, limit);
  const next = entries[limit];
  const prefixes = shown.flatMap((entry) => ("prefix" in entry ? [entry.prefix] : []));
  const items = shown.flatMap((entry) => {
    const file = "name" in entry ? files.get(entry.name) : undefined;
    return "name" in entry && file !== undefined ? [describeFile(bucket, entry.name, file, origin)] : [];
  });
  return jsonAnswer({
    kind: "storage#objects",
    ...(next !== undefined && { nextPageToken: Buffer.from(textOf(next)).toString("base64url") }),
    ...(prefixes.length > 0 && { prefixes }),
    ...(items.length > 0 && { items }),
  });
}

function textOf(entry: ListEntry): string {
  return "name" in entry ? entry.name : entry.prefix;
}

export function describeBucket(bucket: string, { projectNumber, buckets }: GcpWorld): Record<string, unknown> {
  const time = new Date(0).toISOString();
  const isUniform = buckets[bucket]?.hasUniformAccess ?? true;
  return {
    kind: "storage#bucket",
    id: bucket,
    name: bucket,
    projectNumber,
    location: "EU",
    locationType: "multi-region",
    storageClass: "STANDARD",
    metageneration: "1",
    etag: "CAE=",
    timeCreated: time,
    updated: time,
    iamConfiguration: { uniformBucketLevelAccess: { enabled: isUniform }, publicAccessPrevention: "enforced" },
  };
}
