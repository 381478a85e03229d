import type { ServiceRequest, TakeNotes } from "../../service.js";
import { WireError } from "../../wire-error.js";
import { authenticate } from "../authenticate.js";
import { isWithinBoundary } from "../boundary.js";
import type { GcpContext } from "../context.js";
import { isGranted } from "../iam.js";
import { shownName } from "../principal.js";
import { CLOUD_PLATFORM, type GoogleAccess } from "../token-store.js";

const SCOPE = "https://www.googleapis.com/auth/devstorage";
const WRITING_SCOPES = [CLOUD_PLATFORM, `${SCOPE}.full_control`, `${SCOPE}.read_write`];
const READING_SCOPES = [...WRITING_SCOPES, `${SCOPE}.read_only`, `${CLOUD_PLATFORM}.read-only`];

/** A permission asked for, on a bucket or on an object in it. */
export interface StorageAccess {
  readonly permission: string;
  /** Absent: the project. */
  readonly bucket?: string;
  readonly object?: string;
  /** For a listing: what it is narrowed to. */
  readonly listPrefix?: string;
}

/** The caller, whose token is good; the first step, before anything is looked for. */
export function authenticateStorageCaller(
  request: ServiceRequest,
  access: StorageAccess,
  context: GcpContext,
  note: TakeNotes,
): GoogleAccess {
  const caller = authenticate(request, "gcs", context, note);
  if (caller === "no token") throw new WireError(401, "required", refusalText("Anonymous caller", access));
  if (typeof caller === "string") throw new WireError(401, "authError", "Invalid Credentials");
  const isReading = /\.(?:get|list)$/.test(access.permission);
  const enough = isReading ? READING_SCOPES : WRITING_SCOPES;
  if (caller.scopes.some((scope) => enough.includes(scope))) return caller;
  throw new WireError(403, "insufficientPermissions", "Insufficient Permission");
}

/** Refuses unless the roles give the permission and the token's boundary, where it has one, leaves it. */
export function assertStorageAccess(caller: GoogleAccess, access: StorageAccess, context: GcpContext): void {
  const { world } = context;
  const { bucket, object, permission } = access;
  const bucketName = `projects/_/buckets/${bucket ?? ""}`;
  const resource = {
    name: object === undefined ? bucketName : `${bucketName}/objects/${object}`,
    type: `storage.googleapis.com/${object === undefined ? "Bucket" : "Object"}`,
    service: "storage.googleapis.com",
  };
  const bindings = [...world.bindings, ...(bucket === undefined ? [] : (world.buckets[bucket]?.bindings ?? []))];
  const isAllowed = isGranted(bindings, caller.principal, permission, resource, context.now("gcs"));
  const api = { "storage.googleapis.com/objectListPrefix": access.listPrefix ?? "" };
  const isLeft =
    caller.boundary === undefined || isWithinBoundary(caller.boundary, bucket ?? "", permission, resource, api);
  if (!isAllowed || !isLeft) throw new WireError(403, "forbidden", refusalText(shownName(caller.principal), access));
}

function refusalText(caller: string, { permission, bucket, object }: StorageAccess): string {
  const bucketOrProject = bucket === undefined ? "project" : "bucket";
  const what = object === undefined ? bucketOrProject : "object";
  return `${caller} does not have ${permission} access to the Google Cloud Storage ${what}. Permission '${permission}' denied on resource (or it may not exist).`;
}
