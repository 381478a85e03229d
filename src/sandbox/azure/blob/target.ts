import { queryValue, type ServiceRequest } from "../../service.js";

export interface BlobTarget {
  readonly account: string;
  readonly container?: string;
  readonly blob?: string;
}

/** `/ACCOUNT/CONTAINER/BLOB`: the account is in the path, as Azure's SDKs put it for a host that is an IP address. */
export function readBlobTarget(request: Pick<ServiceRequest, "path">): BlobTarget {
  const [account = "", container = "", ...rest] = request.path.slice(1).split("/").map(decode);
  const blob = rest.join("/");
  return { account, ...(container !== "" && { container }), ...(blob !== "" && { blob }) };
}

const BLOB_OPERATIONS: Readonly<Record<string, string>> = {
  GET: "GetBlob",
  HEAD: "GetBlobProperties",
  PUT: "PutBlob",
  DELETE: "DeleteBlob",
};

/** The operation in Azure's own words, or `NotImplemented` for what this little Blob Storage does not do. */
export function nameBlobOperation(request: ServiceRequest): string {
  const { container, blob } = readBlobTarget(request);
  const component = queryValue(request, "comp");
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (blob !== undefined) return component === undefined ? (BLOB_OPERATIONS[request.method] ?? NONE) : NONE;
  if (container === undefined) return request.method === "GET" && component === "list" ? "ListContainers" : NONE;
  if (queryValue(request, "restype") !== "container" || !isRead) return NONE;
  if (component === "list") return request.method === "GET" ? "ListBlobs" : NONE;
  return component === undefined ? "GetContainerProperties" : NONE;
}

const NONE = "NotImplemented";

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
