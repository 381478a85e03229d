import type { ServiceRequest } from "../service.js";

export interface S3Target {
  readonly bucket?: string;
  readonly key?: string;
}

/** Path-style (`/BUCKET/KEY`), and virtual-host style on `BUCKET.localhost`. */
export function readTarget(request: ServiceRequest): S3Target {
  const host = /^(.+)\.localhost(?::\d+)?$/.exec(request.headers["host"] ?? "")?.[1];
  const path = decodePath(request.path.slice(1));
  if (host !== undefined) return path === "" ? { bucket: host } : { bucket: host, key: path };
  if (path === "") return {};
  const slash = path.indexOf("/");
  if (slash < 0 || slash === path.length - 1) return { bucket: path.replace(/\/$/, "") };
  return { bucket: path.slice(0, slash), key: path.slice(slash + 1) };
}

const OBJECT_OPERATIONS: Readonly<Record<string, string>> = {
  GET: "GetObject",
  HEAD: "HeadObject",
  PUT: "PutObject",
  DELETE: "DeleteObject",
};
/** What a plain object call may carry in its query; anything else names a feature that is not here. */
const PLAIN_QUERY = /^(x-id|response-.+)$/;

/** The operation in S3's own words, or `NotImplemented` for what this little S3 does not do. */
export function nameS3Operation(request: ServiceRequest): string {
  const { bucket, key } = readTarget(request);
  const isPlain = Object.keys(request.query).every((name) => PLAIN_QUERY.test(name));
  if (bucket === undefined) return request.method === "GET" ? "ListBuckets" : "NotImplemented";
  if (key === undefined) {
    if (request.method === "HEAD") return "HeadBucket";
    if (request.method !== "GET") return "NotImplemented";
    if (request.query["list-type"] === "2") return "ListObjectsV2";
    return "location" in request.query ? "GetBucketLocation" : "NotImplemented";
  }
  if (!isPlain || "x-amz-copy-source" in request.headers) return "NotImplemented";
  return OBJECT_OPERATIONS[request.method] ?? "NotImplemented";
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
