/** The kinds of resources of Microsoft.Authorization that there are here. */
const KINDS = [
  "roleDefinitions",
  "roleAssignments",
  "roleAssignmentScheduleRequests",
  "roleAssignmentSchedules",
  "roleAssignmentScheduleInstances",
  "permissions",
  "locks",
] as const;
export type AuthorizationKind = (typeof KINDS)[number];

export interface AuthorizationTarget {
  /** A resource id; empty for the tenant. */
  readonly scope: string;
  readonly kind: AuthorizationKind;
  readonly name?: string;
}

const PROVIDER = "/providers/microsoft.authorization/";
/** Another way to name a subscription. */
const SUBSCRIPTION_ALIAS = /^\/providers\/Microsoft\.Subscription(?=\/subscriptions\/)/i;

/** What a path below `/providers/Microsoft.Authorization/` names; undefined for any other. */
export function readAuthorizationTarget(path: string): AuthorizationTarget | undefined {
  const full = decodePath(path).replace(/\/$/, "");
  const mark = full.toLowerCase().lastIndexOf(PROVIDER);
  if (mark < 0) return undefined;
  const [type = "", name, ...rest] = full.slice(mark + PROVIDER.length).split("/");
  const kind = KINDS.find((one) => one.toLowerCase() === type.toLowerCase());
  if (kind === undefined || rest.length > 0) return undefined;
  const scope = full.slice(0, mark).replace(SUBSCRIPTION_ALIAS, "").replace(/^\/+/, "/");
  return { scope, kind, ...(name !== undefined && { name }) };
}

/** In the words of the SDKs; undefined for what cannot be asked. */
export function nameAuthorizationOperation(method: string, { kind, name }: AuthorizationTarget): string | undefined {
  if (method === "GET") return name === undefined ? `${kindTitle(kind)}_ListForScope` : `${kindTitle(kind)}_Get`;
  if (name === undefined) return undefined;
  const isDeleted = kind === "roleAssignments" || kind === "locks";
  if (method === "PUT" && (isDeleted || kind === "roleAssignmentScheduleRequests")) return `${kindTitle(kind)}_Create`;
  return method === "DELETE" && isDeleted ? `${kindTitle(kind)}_Delete` : undefined;
}

function kindTitle(kind: AuthorizationKind): string {
  return kind.slice(0, 1).toUpperCase() + kind.slice(1);
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
