import type { AzureApp } from "./world.js";

interface RolePermissions {
  readonly actions: readonly string[];
  readonly dataActions: readonly string[];
}

const BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs";
const CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers";

/** Built-in roles, as far as this sandbox's services ask for what they grant. */
const ROLES: Readonly<Record<string, RolePermissions>> = {
  Owner: { actions: ["*"], dataActions: [] },
  Contributor: { actions: ["*"], dataActions: [] },
  Reader: { actions: ["*/read"], dataActions: [] },
  "Storage Blob Data Reader": { actions: [`${CONTAINERS}/read`], dataActions: [`${BLOBS}/read`] },
  "Storage Blob Data Contributor": {
    actions: [`${CONTAINERS}/read`, `${CONTAINERS}/write`, `${CONTAINERS}/delete`],
    dataActions: [`${BLOBS}/read`, `${BLOBS}/write`, `${BLOBS}/delete`, `${BLOBS}/add/action`],
  },
  "Storage Blob Data Owner": { actions: [`${CONTAINERS}/*`], dataActions: [`${BLOBS}/*`] },
};

export function isBuiltInRole(name: string): boolean {
  return Object.hasOwn(ROLES, name);
}

export interface AzureAccess {
  readonly action: string;
  /** A data action is granted by data roles alone: a subscription's owner does not read its blobs. */
  readonly isDataAction: boolean;
  /** The resource id. */
  readonly resource: string;
}

/** Whether a role assignment at the resource or above it grants the access. */
export function isAllowed(app: AzureApp | undefined, access: AzureAccess): boolean {
  return (app?.roles ?? []).some(({ role, scope }) => {
    const permissions = ROLES[role];
    if (permissions === undefined || !isWithin(access.resource, scope)) return false;
    const granted = access.isDataAction ? permissions.dataActions : permissions.actions;
    return granted.some((pattern) => matches(access.action, pattern));
  });
}

/** Resource ids compare without regard to case. */
function isWithin(resource: string, scope: string): boolean {
  const [inner, outer] = [resource.toLowerCase(), scope.toLowerCase().replace(/\/$/, "")];
  return inner === outer || inner.startsWith(`${outer}/`);
}

/** An asterisk stands for any text. */
function matches(action: string, pattern: string): boolean {
  const [before = "", after] = pattern.split("*");
  if (after === undefined) return action === pattern;
  return action.startsWith(before) && action.endsWith(after) && action.length >= before.length + after.length;
}
