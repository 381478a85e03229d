import type { ServiceRequest } from "../../service.js";
import { decodePath } from "../decode-path.js";
import { holderInHierarchy } from "../policy/holder.js";
import type { GcpWorld } from "../world.js";

/** What a request to Privileged Access Manager is for. */
export interface PamTarget {
  readonly operation: string;
  /** `projects/ID/locations/global` and the like. */
  readonly location: string;
  readonly entitlement: string;
  readonly grant: string;
  readonly longRunning: string;
}

const PATH =
  /^\/v1(beta)?\/(projects|folders|organizations)\/([^/]+)\/locations\/global\/(?:operations\/([\w-]+)|entitlements(?:\/([a-z0-9-]+)(?:\/grants(?:\/([0-9a-f-]+))?)?)?)(?::(\w+))?$/;

export function isForPam(path: string): boolean {
  return PATH.test(decodePath(path));
}

export function readPamTarget(request: ServiceRequest, world: GcpWorld): PamTarget | undefined {
  const path = decodePath(request.path);
  const match = PATH.exec(path);
  const [, beta, collection = "", id = "", operation, entitlement, grant, verb] = match ?? [];
  const holder = holderInHierarchy(collection, id, world);
  if (match === null || holder === undefined) return undefined;
  const location = `${holder.name}/locations/global`;
  const entitlementName = `${location}/entitlements/${entitlement ?? ""}`;
  const isGrants = /\/grants(?::\w+)?$/.test(path);
  const thing = operation !== undefined ? "operation" : grant !== undefined ? "grant" : isGrants ? "grants" : undefined;
  const what = thing ?? (entitlement === undefined ? "entitlements" : "entitlement");
  const asked = `${request.method} ${what}${verb === undefined ? "" : `:${verb}`}`;
  return {
    operation: (beta === undefined ? OPERATIONS : BETA_OPERATIONS)[asked] ?? "unknown",
    location,
    entitlement: entitlementName,
    grant: `${entitlementName}/grants/${grant ?? ""}`,
    longRunning: `${location}/operations/${operation ?? ""}`,
  };
}

const OPERATIONS: Readonly<Record<string, string>> = {
  "GET entitlements": "ListEntitlements",
  "GET entitlements:search": "SearchEntitlements",
  "GET entitlement": "GetEntitlement",
  "POST grants": "CreateGrant",
  "GET grants": "ListGrants",
  "GET grants:search": "SearchGrants",
  "GET grant": "GetGrant",
  "POST grant:revoke": "RevokeGrant",
  "GET operation": "GetOperation",
};

const BETA_OPERATIONS: Readonly<Record<string, string>> = {
  ...OPERATIONS,
  "POST grant:withdraw": "WithdrawGrant",
};
