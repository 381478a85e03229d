import { readByteRange } from "../../byte-range.js";
import type { ServiceAnswer, ServiceRequest } from "../../service.js";
import { WireError } from "../../wire-error.js";
import { makeBlob, type StoredBlob } from "./store.js";

/** For GET and HEAD. */
export function getBlob(blob: StoredBlob, request: ServiceRequest): ServiceAnswer {
  const headers: Record<string, string> = {
    etag: blob.etag,
    "content-type": blob.contentType,
    "last-modified": new Date(blob.modifiedAt).toUTCString(),
    "accept-ranges": "bytes",
    "x-ms-blob-type": "BlockBlob",
    "x-ms-server-encrypted": "true",
  };
  const range = readByteRange(request.headers["x-ms-range"] ?? request.headers["range"], blob.body.length);
  if (range === "unsatisfiable") {
    throw new WireError(416, "InvalidRange", "The range specified is invalid for the current size of the resource.");
  }
  if (range === undefined) {
    return { status: 200, headers: { ...headers, "content-length": String(blob.body.length) }, body: blob.body };
  }
  const body = blob.body.subarray(range[0], range[1] + 1);
  const contentRange = `bytes ${range[0]}-${range[1]}/${blob.body.length}`;
  return { status: 206, headers: { ...headers, "content-range": contentRange }, body };
}

export function putBlob(
  blobs: Map<string, StoredBlob>,
  name: string,
  request: ServiceRequest,
  now: number,
): ServiceAnswer {
  if (request.headers["x-ms-blob-type"] !== "BlockBlob") {
    const text = "An HTTP header that's mandatory for this request is not specified.";
    throw new WireError(400, "MissingRequiredHeader", text);
  }
  const current = blobs.get(name);
  if (request.headers["if-none-match"] === "*" && current !== undefined) {
    throw new WireError(409, "BlobAlreadyExists", "The specified blob already exists.");
  }
  const ifMatch = request.headers["if-match"];
  if (ifMatch !== undefined && ifMatch !== current?.etag) {
    throw new WireError(412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.");
  }
  const type = request.headers["x-ms-blob-content-type"] ?? request.headers["content-type"];
  const blob = makeBlob(request.body, type ?? "application/octet-stream", now);
  blobs.set(name, blob);
  const headers = { etag: blob.etag, "last-modified": new Date(now).toUTCString() };
  return { status: 201, headers: { ...headers, "x-ms-request-server-encrypted": "true" } };
}
