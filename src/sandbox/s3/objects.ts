import { readByteRange } from "../byte-range.js";
import type { ServiceAnswer, ServiceRequest } from "../service.js";
import { WireError } from "../wire-error.js";
import { readObjectBody } from "./body.js";
import { makeObject, type StoredObject } from "./store.js";

/** The store of one bucket. */
type Objects = Map<string, StoredObject>;

/** For GET and HEAD; the caller has made sure that it is there. */
export function getObject(object: StoredObject, request: ServiceRequest): ServiceAnswer {
  const ifMatch = request.headers["if-match"];
  if (ifMatch !== undefined && ifMatch !== object.etag) throw preconditionFailed();
  const headers = {
    etag: object.etag,
    "content-type": object.contentType,
    "last-modified": new Date(object.modifiedAt).toUTCString(),
    "accept-ranges": "bytes",
  };
  if (request.headers["if-none-match"] === object.etag) return { status: 304, headers };
  const range = readByteRange(request.headers["range"], object.body.length);
  if (range === "unsatisfiable") throw new WireError(416, "InvalidRange", "The requested range is not satisfiable");
  if (range === undefined) {
    return { status: 200, headers: { ...headers, "content-length": String(object.body.length) }, body: object.body };
  }
  const [from, to] = range;
  const body = object.body.subarray(from, to + 1);
  const contentRange = `bytes ${from}-${to}/${object.body.length}`;
  return {
    status: 206,
    headers: { ...headers, "content-range": contentRange, "content-length": String(body.length) },
    body,
  };
}

export function putObject(objects: Objects, key: string, request: ServiceRequest, now: number): ServiceAnswer {
  const current = objects.get(key);
  if (request.headers["if-none-match"] === "*" && current !== undefined) throw preconditionFailed();
  const ifMatch = request.headers["if-match"];
  if (ifMatch !== undefined && ifMatch !== current?.etag) throw preconditionFailed();
  const object = makeObject(readObjectBody(request), request.headers["content-type"] ?? "binary/octet-stream", now);
  objects.set(key, object);
  return { status: 200, headers: { etag: object.etag } };
}

export function deleteObject(objects: Objects, key: string): ServiceAnswer {
  objects.delete(key);
  return { status: 204 };
}

function preconditionFailed(): WireError {
  return new WireError(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
}
