import { jsonAnswer } from "../../json-answer.js";
import { queryValue, type Service, type ServiceAnswer, type ServiceRequest } from "../../service.js";
import { WireError } from "../../wire-error.js";
import type { GcpContext } from "../context.js";
import type { GoogleAccess } from "../token-store.js";
import { assertStorageAccess, authenticateStorageCaller, type StorageAccess } from "./authorize.js";
import { conditionNotMet, noSuchBucket, noSuchObject, STORAGE_FAILURES, storageRefusal } from "./errors.js";
import { answerBucketPolicy, isPolicyOperation } from "./policy.js";
import { describeBucket, describeFile, listFiles, sendFile } from "./render.js";
import { type FileContent, type FileStore, putFile, type StoredFile } from "./store.js";
import { readStorageTarget, type StorageTarget } from "./target.js";
import { continueSession, nameOfUpload, openSession, readUpload, type UploadSessions } from "./upload.js";

interface StorageContext {
  readonly gcp: GcpContext;
  readonly store: FileStore;
  readonly sessions: UploadSessions;
}

/** A little Cloud Storage: buckets that are there from the start; objects listed, read, written and deleted. */
export function createStorageService(gcp: GcpContext, store: FileStore): Service {
  const context: StorageContext = { gcp, store, sessions: new Map() };
  return {
    name: "gcs",
    failures: STORAGE_FAILURES,
    nameOperation: (request) => readStorageTarget(request).operation,
    answer: async (request, operation, note) => {
      const target = readStorageTarget(request);
      if (operation === "unknown") throw new WireError(404, "notFound", "The sandbox does not do this.");
      if (isContinuation(request)) return takePart(request, context);
      const object = operation === "storage.objects.insert" ? nameOfUpload(request) : target.object;
      note({ parameters: { ...named("bucket", target.bucket), ...named("object", object) } });
      const access = accessOf(target, object, request);
      const caller = authenticateStorageCaller(request, access, gcp, note);
      return answerAs(caller, { ...target, ...named("object", object) }, access, request, context);
    },
    refuse: storageRefusal,
  };
}

function accessOf(target: StorageTarget, object: string | undefined, request: ServiceRequest): StorageAccess {
  const isInsert = target.operation === "storage.objects.insert";
  const prefix = target.operation === "storage.objects.list" ? (queryValue(request, "prefix") ?? "") : undefined;
  return {
    permission: isInsert ? "storage.objects.create" : target.operation,
    ...named("bucket", target.bucket),
    ...named("object", object),
    ...(prefix !== undefined && { listPrefix: prefix }),
  };
}

function answerAs(
  caller: GoogleAccess,
  target: StorageTarget,
  access: StorageAccess,
  request: ServiceRequest,
  context: StorageContext,
): ServiceAnswer {
  const { gcp, store, sessions } = context;
  const { bucket, object, operation } = target;
  if (bucket === undefined) return listBuckets(caller, access, context);
  const files = store.get(bucket);
  if (files === undefined) throw noSuchBucket();
  if (isPolicyOperation(operation)) return answerBucketPolicy(caller, bucket, operation, request, gcp);
  assertStorageAccess(caller, access, gcp);
  if (operation === "storage.buckets.get") return jsonAnswer(describeBucket(bucket, gcp.world));
  if (object === undefined) return listFiles(bucket, files, request, gcp.origin);
  const current = files.get(object);
  if (operation === "storage.objects.insert") {
    // Google takes an overwrite for a deletion as well.
    if (current !== undefined) assertStorageAccess(caller, { ...access, permission: "storage.objects.delete" }, gcp);
    if (queryValue(request, "uploadType") === "resumable") return openSession(bucket, request, sessions, gcp.origin);
    return write(bucket, object, readUpload(request), queryValue(request, "ifGenerationMatch"), context);
  }
  if (current === undefined) throw noSuchObject(bucket, object);
  assertGeneration(current, queryValue(request, "generation"), noSuchObject(bucket, object));
  assertGeneration(current, queryValue(request, "ifGenerationMatch"), conditionNotMet());
  if (operation === "storage.objects.delete") {
    files.delete(object);
    return { status: 204 };
  }
  if (target.isMedia === true) return sendFile(current, request);
  return jsonAnswer(describeFile(bucket, object, current, gcp.origin));
}

function listBuckets(caller: GoogleAccess, access: StorageAccess, { gcp, store }: StorageContext): ServiceAnswer {
  assertStorageAccess(caller, access, gcp);
  const items = [...store.keys()].map((name) => describeBucket(name, gcp.world));
  return jsonAnswer({ kind: "storage#buckets", items });
}

function write(
  bucket: string,
  object: string,
  content: FileContent,
  ifGenerationMatch: string | undefined,
  { gcp, store }: StorageContext,
): ServiceAnswer {
  const files = store.get(bucket);
  if (files === undefined) throw noSuchBucket();
  const current = files.get(object)?.generation ?? "0";
  if (ifGenerationMatch !== undefined && ifGenerationMatch !== current) throw conditionNotMet();
  const file = putFile(files, object, content, gcp.now("gcs"));
  return jsonAnswer(describeFile(bucket, object, file, gcp.origin));
}

/** Whoever holds the id of an upload may go on with it: Google asks for no token again. */
function isContinuation(request: ServiceRequest): boolean {
  return request.method === "PUT" && queryValue(request, "upload_id") !== undefined;
}

function takePart(request: ServiceRequest, context: StorageContext): ServiceAnswer {
  const result = continueSession(request, context.sessions);
  if (!("session" in result)) return result;
  const { bucket, name, contentType, metadata, ifGenerationMatch } = result.session;
  return write(bucket, name, { body: result.body, contentType, metadata }, ifGenerationMatch, context);
}

function assertGeneration(file: StoredFile, wanted: string | undefined, refusal: WireError): void {
  if (wanted !== undefined && wanted !== file.generation) throw refusal;
}

function named<Name extends string>(name: Name, value: string | undefined): { readonly [Key in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [Key in Name]?: string });
}
