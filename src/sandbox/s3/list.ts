import type { ServiceAnswer, ServiceRequest } from "../service.js";
import { queryValue } from "../service.js";
import type { S3Store, StoredObject } from "./store.js";
import { s3Answer, tag } from "./xml.js";

const MAX_KEYS = 1000;

type Entry = { readonly prefix: string } | { readonly key: string; readonly object: StoredObject };

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

  const entries = groupEntries(objects, prefix, delimiter).filter((entry) => nameOf(entry) > after);
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
      ...shown.map((entry) => renderEntry(entry, encode)),
    ].join(""),
  );
}

/** Objects in key order, those that share a part up to the delimiter folded into one prefix. */
function groupEntries(objects: ReadonlyMap<string, StoredObject>, prefix: string, delimiter: string): Entry[] {
  const entries: Entry[] = [];
  for (const [key, object] of [...objects].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!key.startsWith(prefix)) continue;
    const mark = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    if (mark < 0) entries.push({ key, object });
    else {
      const common = key.slice(0, mark + delimiter.length);
      const last = entries.at(-1);
      if (last === undefined || nameOf(last) !== common) entries.push({ prefix: common });
    }
  }
  return entries;
}

function nameOf(entry: Entry): string {
  return "prefix" in entry ? entry.prefix : entry.key;
}

function renderEntry(entry: Entry, encode: (text: string) => string): string {
  if ("prefix" in entry) return `<CommonPrefixes>${tag("Prefix", encode(entry.prefix))}</CommonPrefixes>`;
  const { key, object } = entry;
  const modified = tag("LastModified", new Date(object.modifiedAt).toISOString());
  const details = `${tag("ETag", object.etag)}${tag("Size", object.body.length)}${tag("StorageClass", "STANDARD")}`;
  return `<Contents>${tag("Key", encode(key))}${modified}${details}</Contents>`;
}

function encodeKey(text: string): string {
  return encodeURIComponent(text).replaceAll("%2F", "/");
}
