import { findRefusal, refusalError } from "../iam/authorize.js";
import type { RoleAuthority } from "../iam/role-policies.js";
import type { Session, SessionStore } from "../iam/sessions.js";
import { verifySignature } from "../iam/signature.js";
import { queryValue, type Service, type ServiceAnswer, type ServiceRequest } from "../service.js";
import { WireError } from "../wire-error.js";
import type { WorldDefinition } from "../world.js";
import { listBuckets, listObjects } from "./list.js";
import { deleteObject, getObject, putObject } from "./objects.js";
import { explainS3Signature } from "./signature-errors.js";
import type { S3Store, StoredObject } from "./store.js";
import { nameS3Operation, readTarget } from "./target.js";
import { s3Answer, s3Error } from "./xml.js";

export interface S3Context {
  readonly world: WorldDefinition;
  readonly store: S3Store;
  readonly sessions: SessionStore;
  /** What S3 goes by when it is asked. */
  readonly authority: RoleAuthority;
  /** S3's own time, in milliseconds since the epoch. */
  now(): number;
}

/** The permission that each operation needs. */
const ACTIONS: Readonly<Record<string, string>> = {
  ListBuckets: "s3:ListAllMyBuckets",
  HeadBucket: "s3:ListBucket",
  ListObjectsV2: "s3:ListBucket",
  GetBucketLocation: "s3:GetBucketLocation",
  GetObject: "s3:GetObject",
  HeadObject: "s3:GetObject",
  PutObject: "s3:PutObject",
  DeleteObject: "s3:DeleteObject",
};

/** A little S3: buckets that are there from the start; objects listed, read, written and deleted. */
export function createS3Service(context: S3Context): Service {
  return {
    name: "s3",
    nameOperation: nameS3Operation,
    answer: async (request, operation, note) => {
      const now = context.now();
      note({ parameters: parametersOf(request) });
      const signed = await verifySignature(request, { service: "s3" }, context.sessions, now);
      if ("fault" in signed) throw explainS3Signature(signed.fault);
      note({ principal: signed.session.arn });
      return answerAs(signed.session, request, operation, context, now);
    },
    refuse: s3Error,
  };
}

function answerAs(
  session: Session,
  request: ServiceRequest,
  operation: string,
  context: S3Context,
  now: number,
): ServiceAnswer {
  const action = ACTIONS[operation];
  if (action === undefined) {
    throw new WireError(501, "NotImplemented", "A header you provided implies functionality that is not implemented");
  }
  const { bucket, key } = readTarget(request);
  const assertAllowed = (needed: string, resource: string): void => {
    const access = { action: needed, resource, context: contextKeys(request, operation) };
    const refusal = findRefusal(session, context.authority, access, now);
    if (refusal !== undefined) throw refusalError(session, access, refusal, true);
    // Another account's role would need a bucket policy, and these buckets have none.
    const isStranger = bucket !== undefined && session.accountId !== context.world.accountId;
    if (isStranger) throw refusalError(session, access, "no resource allow", true);
  };
  if (bucket === undefined) {
    assertAllowed(action, "*");
    return listBuckets(context.store, session.accountId);
  }
  const objects = context.store.get(bucket);
  if (objects === undefined) throw new WireError(404, "NoSuchBucket", "The specified bucket does not exist");
  const bucketArn = `arn:aws:s3:::${bucket}`;
  assertAllowed(action, key === undefined ? bucketArn : `${bucketArn}/${key}`);
  if (key === undefined) return answerForBucket(bucket, objects, request, operation);
  if (operation === "PutObject") return putObject(objects, key, request, now);
  if (operation === "DeleteObject") return deleteObject(objects, key);
  const object = objects.get(key);
  if (object !== undefined) return getObject(object, request);
  // Without the right to list, S3 does not tell what is missing from what is forbidden.
  assertAllowed("s3:ListBucket", bucketArn);
  throw new WireError(404, "NoSuchKey", "The specified key does not exist.");
}

function answerForBucket(
  bucket: string,
  objects: ReadonlyMap<string, StoredObject>,
  request: ServiceRequest,
  operation: string,
): ServiceAnswer {
  if (operation === "HeadBucket") return { status: 200, headers: { "x-amz-bucket-region": "us-east-1" } };
  // The empty constraint is S3's way to say us-east-1.
  if (operation === "GetBucketLocation") return s3Answer("LocationConstraint", "");
  return listObjects(bucket, objects, request);
}

/** The condition keys of a listing, present only where the request has them. */
function contextKeys(request: ServiceRequest, operation: string): Record<string, string> {
  const keys: Record<string, string> = { "s3:authType": "REST-HEADER", "s3:signatureversion": "AWS4-HMAC-SHA256" };
  if (operation !== "ListObjectsV2") return keys;
  for (const name of ["prefix", "delimiter", "max-keys"]) {
    const value = queryValue(request, name);
    if (value !== undefined) keys[`s3:${name}`] = value;
  }
  return keys;
}

function parametersOf(request: ServiceRequest): Record<string, string> {
  const { bucket, key } = readTarget(request);
  return { ...(bucket === undefined ? {} : { Bucket: bucket }), ...(key === undefined ? {} : { Key: key }) };
}
