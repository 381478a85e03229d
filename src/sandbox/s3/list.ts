import { groupNames, type ListEntry } from "../listing.js";
import type { ServiceAnswer, ServiceRequest } from "../service.js";
import { queryValue } from "../service.js";
import type { S3Store, StoredObject } from "./store.js";
import { s3Answer, tag } from "./xml.js";

const MAX_KEYS = 1000;

export function listBuckets(store: S3Store, accountId: string): ServiceAnswer {
  const created = new Date(0).toISOString();
  const buckets = [...store.keys()].map(
    (name) => `<Bucket>${tag("Name", name)}${tag("CreationDate", created)}</Bucket>`,
  );
  return s3Answer(
    "ListAllMyBucketsResult",
    `<Buckets>${buckets.join("")}</Buckets><Owner>${tag("ID", accountId)}</Owner>`,
  );
}

export function listObjects(
  bucket: string,
  objects: ReadonlyMap<string, StoredObject>,
  request: ServiceRequest,
): ServiceAnswer {
  const prefix = queryValue(request, "prefix") ?? "";
  const delimiter = queryValue(request, "delimiter") ?? "";
  const token = queryValue(request, "continuation-token");
  const after =
    token === undefined ? (queryValue(request, "start-after") ?? "") : Buffer.from(token, "base64url").toString();
  const asked = Number.parseInt(queryValue(request, "max-keys") ?? String(MAX_KEYS), 10);
  const limit = Math.max(0, Math.min(MAX_KEYS, Number.isNaN(asked) ? MAX_KEYS : asked));
  const encode = queryValue(request, "encoding-type") === "url" ? encodeKey : (text: string) => text;

  const entries = groupNames(objects.keys(), prefix, delimiter).filter((entry) => nameOf(entry) > after);
  const shown = entries.slice(0, limit);
  const last = shown.at(-1);
  const isTruncated = shown.length < entries.length && last !== undefined;
  return s3Answer(
    "ListBucketResult",
    [
      tag("Name", bucket),
      tag("Prefix", encode(prefix)),
      delimiter === "" ? "" : tag("Delimiter", encode(delimiter)),
      tag("KeyCount", shown.length),
      tag("MaxKeys", limit),
      encode === encodeKey ? tag("EncodingType", "url") : "",
      tag("IsTruncated", isTruncated),
      isTruncated ? tag("NextContinuationToken", Buffer.from(nameOf(last)).toString("base64url")) : "",
      ...shown.map((entry) => renderEntry(entry, objects, encode)),
    ].join(""),
  );
}

function nameOf(entry: ListEntry): string {
  return "prefix" in entry ? entry.prefix : entry.name;
}

function renderEntry(
  entry: ListEntry,
  objects: ReadonlyMap<string, StoredObject>,
  encode: (text: string) => string,
): string {
  if ("prefix" in entry) return `<CommonPrefixes>${tag("Prefix", encode(entry.prefix))}</CommonPrefixes>`;
  const object = objects.get(entry.name);
  if (object === undefined) return "";
  const modified = tag("LastModified", new Date(object.modifiedAt).toISOString());
  const details = `${tag("ETag", object.etag)}${tag("Size", object.body.length)}${tag("StorageClass", "STANDARD")}`;
  return `<Contents>${tag("Key", encode(entry.name))}${modified}${details}</Contents>`;
}

function encodeKey(text: string): string {
  return encodeURIComponent(text).replaceAll("%2F", "/");
}
