import { createHash, randomBytes } from "node:crypto";
import { queryValue, type ServiceAnswer, type ServiceRequest } from "../../service.js";
import { WireError } from "../../wire-error.js";
import { readMultipart } from "./multipart.js";
import type { FileContent } from "./store.js";

/** An object as it is sent: its name, and what it is to hold. */
export interface Upload extends FileContent {
  readonly name: string;
}

/** An upload in several requests; its unguessable id is all that the later ones need. */
interface UploadSession {
  readonly bucket: string;
  readonly name: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly ifGenerationMatch: string | undefined;
  received: Buffer;
}

export type UploadSessions = Map<string, UploadSession>;

interface Description {
  readonly name?: string;
  readonly contentType?: string;
  readonly md5Hash?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

const DEFAULT_TYPE = "application/octet-stream";

/** An upload that comes whole: `uploadType=media` or `multipart`. */
export function readUpload(request: ServiceRequest): Upload {
  const contentType = request.headers["content-type"];
  if (queryValue(request, "uploadType") === "media") {
    return { name: requireName(request, {}), body: request.body, contentType: contentType ?? DEFAULT_TYPE };
  }
  const [first, content] = readMultipart(request.body, contentType ?? "");
  const description = readDescription(first.body);
  const digest = createHash("md5").update(content.body).digest("base64");
  if (description.md5Hash !== undefined && description.md5Hash !== digest) {
    throw new WireError(
      400,
      "invalid",
      `Provided MD5 hash "${description.md5Hash}" doesn't match calculated MD5 hash "${digest}".`,
    );
  }
  return {
    name: requireName(request, description),
    body: content.body,
    contentType: description.contentType ?? content.contentType ?? DEFAULT_TYPE,
    metadata: description.metadata ?? {},
  };
}

/** The name of the object that an upload is for, before its content is looked at. */
export function nameOfUpload(request: ServiceRequest): string {
  const named = queryValue(request, "name");
  if (named !== undefined) return named;
  if (queryValue(request, "uploadType") === "resumable") return requireName(request, readDescription(request.body));
  return readUpload(request).name;
}

/** Opens an upload in several requests and says where they go. */
export function openSession(
  bucket: string,
  request: ServiceRequest,
  sessions: UploadSessions,
  origin: string,
): ServiceAnswer {
  const description = readDescription(request.body);
  const id = randomBytes(24).toString("base64url");
  const contentType = description.contentType ?? request.headers["x-upload-content-type"] ?? DEFAULT_TYPE;
  const name = requireName(request, description);
  const metadata = description.metadata ?? {};
  const ifGenerationMatch = queryValue(request, "ifGenerationMatch");
  sessions.set(id, { bucket, name, contentType, metadata, ifGenerationMatch, received: Buffer.alloc(0) });
  const location = `${origin}/upload/storage/v1/b/${bucket}/o?uploadType=resumable&upload_id=${id}`;
  return { status: 200, headers: { location, "x-guploader-uploadid": id } };
}

/** Takes the next part; answers the whole when it was the last, else what to say meanwhile. */
export function continueSession(
  request: ServiceRequest,
  sessions: UploadSessions,
): { readonly session: UploadSession; readonly body: Buffer } | ServiceAnswer {
  const id = queryValue(request, "upload_id") ?? "";
  const session = sessions.get(id);
  if (session === undefined) throw new WireError(404, "notFound", "Not Found");
  const range = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(request.headers["content-range"] ?? "");
  const offset = range?.[1] === undefined ? session.received.length : Number(range[1]);
  if (offset !== session.received.length) throw new WireError(400, "invalid", "Invalid Content-Range.");
  session.received = Buffer.concat([session.received, request.body]);
  const total = range === null ? session.received.length : Number(range[3]);
  if (session.received.length === total) {
    sessions.delete(id);
    return { session, body: session.received };
  }
  const last = session.received.length - 1;
  return { status: 308, headers: last < 0 ? {} : { range: `bytes=0-${last}` } };
}

function requireName(request: ServiceRequest, description: Description): string {
  const name = queryValue(request, "name") ?? description.name;
  if (name === undefined || name === "") throw new WireError(400, "required", "Required parameter: name");
  return name;
}

function readDescription(body: Buffer): Description {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString("utf8")) as Description;
  } catch {
    throw new WireError(400, "parseError", "Parse Error");
  }
}
