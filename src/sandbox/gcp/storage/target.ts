import { queryValue, type ServiceRequest } from "../../service.js";

export interface StorageTarget {
  /** Such as `storage.objects.get`, Google's own name of the method; `unknown` for what is not here. */
  readonly operation: string;
  readonly bucket?: string;
  readonly object?: string;
  /** The content rather than its description. */
  readonly isMedia?: boolean;
}

/** The content of objects has addresses of its own. */
const UPLOAD_OR_DOWNLOAD = /^\/(?:download|(?:resumable\/)?upload)(?=\/storage\/)/;
const UNKNOWN: StorageTarget = { operation: "unknown" };

/** Works out what a request is for, in the JSON API or, for reading an object as Google's Go library does, the XML API. */
export function readStorageTarget(request: ServiceRequest): StorageTarget {
  const path = request.path.replace(UPLOAD_OR_DOWNLOAD, "");
  if (!path.startsWith("/storage/v1/")) return readXmlTarget(request);
  const isUpload = /^\/(?:resumable\/)?upload\//.test(request.path);
  const [kind, bucket, inside, ...rest] = path.slice("/storage/v1/".length).split("/").map(decode);
  if (kind !== "b") return UNKNOWN;
  if (bucket === undefined || bucket === "")
    return request.method === "GET" ? { operation: "storage.buckets.list" } : UNKNOWN;
  if (inside === undefined) return request.method === "GET" ? { operation: "storage.buckets.get", bucket } : UNKNOWN;
  if (inside === "iam") return { operation: nameOfPolicyMethod(request.method, rest), bucket };
  if (inside !== "o") return UNKNOWN;
  const object = rest.join("/");
  if (object === "") return readCollection(request, bucket, isUpload);
  const operation = { GET: "storage.objects.get", DELETE: "storage.objects.delete" }[request.method] ?? "unknown";
  const isMedia = request.path.startsWith("/download/") || queryValue(request, "alt") === "media";
  return { operation, bucket, object, isMedia };
}

function nameOfPolicyMethod(method: string, rest: readonly string[]): string {
  const methods: Readonly<Record<string, string>> = {
    "GET ": "storage.buckets.getIamPolicy",
    "PUT ": "storage.buckets.setIamPolicy",
    "GET testPermissions": "storage.buckets.testIamPermissions",
  };
  return methods[`${method} ${rest.join("/")}`] ?? "unknown";
}

function readCollection(request: ServiceRequest, bucket: string, isUpload: boolean): StorageTarget {
  if (isUpload) {
    const isOne = request.method === "POST" || request.method === "PUT";
    const name = queryValue(request, "name");
    return isOne
      ? { operation: "storage.objects.insert", bucket, ...(name !== undefined && { object: name }) }
      : UNKNOWN;
  }
  return request.method === "GET" ? { operation: "storage.objects.list", bucket } : UNKNOWN;
}

/** `/BUCKET/OBJECT` */
function readXmlTarget(request: ServiceRequest): StorageTarget {
  const [bucket = "", ...rest] = request.path.slice(1).split("/").map(decode);
  const object = rest.join("/");
  if (bucket === "" || object === "" || !["GET", "HEAD"].includes(request.method)) return UNKNOWN;
  return { operation: "storage.objects.get", bucket, object, isMedia: true };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
