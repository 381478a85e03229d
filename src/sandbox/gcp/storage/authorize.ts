import type { ServiceRequest, TakeNotes } from "../../service.js";
import { WireError } from "../../wire-error.js";
import { authenticate } from "../authenticate.js";
import { isWithinBoundary } from "../boundary.js";
import type { GcpContext } from "../context.js";
import { isAllowed } from "../iam.js";
import { shownName } from "../principal.js";
import { CLOUD_PLATFORM, type GoogleAccess } from "../token-store.js";

const SCOPE = "https://www.googleapis.com/auth/devstorage";
const WRITING_SCOPES = [CLOUD_PLATFORM, `${SCOPE}.full_control`, `${SCOPE}.read_write`];
/** To read a policy takes as much as to write it. */
const POLICY_SCOPES = [CLOUD_PLATFORM, `${SCOPE}.full_control`];
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
  const enough = scopesFor(access.permission);
  if (caller.scopes.some((scope) => enough.includes(scope))) return caller;
  throw new WireError(403, "insufficientPermissions", "Insufficient Permission");
}

function scopesFor(permission: string): readonly string[] {
  if (/[gs]etIamPolicy$/.test(permission)) return POLICY_SCOPES;
  return /\.(?:get|list|testIamPermissions)$/.test(permission) ? READING_SCOPES : WRITING_SCOPES;
}

/** Refuses unless the roles give the permission and the token's boundary, where it has one, leaves it. */
export function assertStorageAccess(caller: GoogleAccess, access: StorageAccess, context: GcpContext): void {
  const { bucket, object, permission } = access;
  const bucketName = `projects/_/buckets/${bucket ?? ""}`;
  const resource = {
    name: object === undefined ? bucketName : `${bucketName}/objects/${object}`,
    type: `storage.googleapis.com/${object === undefined ? "Bucket" : "Object"}`,
    service: "storage.googleapis.com",
  };
  const holder = bucket === undefined ? `projects/${context.world.projectId}` : bucketName;
  const api = { "storage.googleapis.com/objectListPrefix": access.listPrefix ?? "" };
  const asked = { principal: caller.principal, permission, holder, resource, api };
  const isGiven = isAllowed(context, { ...asked, service: "gcs" });
  const isLeft =
    caller.boundary === undefined || isWithinBoundary(caller.boundary, bucket ?? "", permission, resource, api);
  if (!isGiven || !isLeft) throw storageDenied(caller, access);
}

export function storageDenied(caller: GoogleAccess, access: StorageAccess): WireError {
  return new WireError(403, "forbidden", refusalText(shownName(caller.principal), access));
}

function refusalText(caller: string, { permission, bucket, object }: StorageAccess): string {
  const bucketOrProject = bucket === undefined ? "project" : "bucket";
  const what = object === undefined ? bucketOrProject : "object";
  return `${caller} does not have ${permission} access to the Google Cloud Storage ${what}. Permission '${permission}' denied on resource (or it may not exist).`;
}
