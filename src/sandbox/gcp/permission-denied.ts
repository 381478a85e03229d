import { GoogleApiError } from "./google-error.js";

/** @param resource its full name, where the API tells it */
export function permissionDenied(permission: string, resource?: string): GoogleApiError {
  const where = resource === undefined ? "" : ` '${resource}'`;
  return new GoogleApiError(
    403,
    "PERMISSION_DENIED",
    `Permission '${permission}' denied on resource${where} (or it may not exist).`,
    "IAM_PERMISSION_DENIED",
    { permission, ...(resource !== undefined && { resource }) },
  );
}
