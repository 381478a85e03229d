import { AgentctlError } from "../../../core/errors.js";
import type { GcpSettings } from "../../../core/profile.js";
import { type PolicyResource, RESOURCE_EXAMPLES, readResource } from "./resources.js";

/** On these, from before IAM, Google takes no condition. */
const BASIC_ROLES: readonly string[] = ["roles/owner", "roles/editor", "roles/viewer"];
const ENTITLEMENT = /^((?:projects|folders|organizations)\/[^/\s]+)\/locations\/[^/\s]+\/entitlements\/[a-z0-9-]+$/;

/** How long a grant of an entitlement is waited for where nothing is said. */
const USUAL_WAIT_SECONDS = 300;

/** What a profile gives for the time of a lease. */
export interface Rights {
  /** Who writes the policies; there whenever there are gifts. */
  readonly granter?: string;
  /** One for each resource, so that its policy is written once. */
  readonly gifts: readonly { readonly resource: PolicyResource; readonly roles: readonly string[] }[];
  readonly entitlement?: string;
  readonly ready?: { readonly resource: PolicyResource; readonly permissions: readonly string[] };
  /** How long any of it is waited for. */
  readonly waitSeconds: number;
}

export function hasRights({ bindings, entitlement }: Pick<GcpSettings, "bindings" | "entitlement">): boolean {
  return bindings.length > 0 || entitlement !== undefined;
}

/**
 * Undefined where the profile gives nothing.
 * @throws {AgentctlError} CONFIG_INVALID for what Google could not give, or nobody could take back
 */
export function rightsOf(settings: GcpSettings): Rights | undefined {
  if (!hasRights(settings)) return undefined;
  const { granter, serviceAccount, entitlement, bindings, ready } = settings;
  if (granter !== undefined && granter.serviceAccount === serviceAccount) {
    throw invalid(`gcp.granter is ${serviceAccount}, which is what the command itself is`, {
      hint: "name a service account of its own: what may write policies must not be in the command's hands",
    });
  }
  if (bindings.length > 0 && granter === undefined) {
    throw invalid("gcp.bindings are given by nobody", { hint: "name who gives and takes them with gcp.granter" });
  }
  const gifts = giftsOf(bindings);
  const places = [...gifts.map(({ resource }) => resource), ...holderOf(entitlement)];
  return {
    ...(granter !== undefined && { granter: granter.serviceAccount }),
    gifts,
    ...(entitlement !== undefined && { entitlement }),
    ...(ready !== undefined && { ready: { permissions: ready.permissions, resource: placeOf(ready.at, places) } }),
    waitSeconds: ready?.timeoutSeconds ?? USUAL_WAIT_SECONDS,
  };
}

function giftsOf(bindings: GcpSettings["bindings"]): Rights["gifts"] {
  const roles = new Map<string, readonly string[]>();
  for (const { role, resource } of bindings) {
    if (BASIC_ROLES.includes(role)) {
      throw invalid(
        `gcp.bindings gives ${role}, on which Google takes no condition, so that it would not end by itself`,
        {
          hint: "give a predefined or a custom role in its place",
        },
      );
    }
    roles.set(resource, [...(roles.get(resource) ?? []), role]);
  }
  return [...roles].map(([name, given]) => ({ resource: mustRead(name, "gcp.bindings"), roles: [...new Set(given)] }));
}

/** The project, folder or organization that an entitlement gives its roles on. */
function holderOf(entitlement: string | undefined): readonly PolicyResource[] {
  if (entitlement === undefined) return [];
  const holder = ENTITLEMENT.exec(entitlement)?.[1];
  const resource = holder === undefined ? undefined : readResource(`//cloudresourcemanager.googleapis.com/${holder}`);
  if (resource !== undefined) return [resource];
  throw invalid(`gcp.entitlement is ${entitlement}, which is none`, {
    hint: "write it like projects/my-project/locations/global/entitlements/my-entitlement",
  });
}

function placeOf(at: string | undefined, places: readonly PolicyResource[]): PolicyResource {
  if (at !== undefined) return mustRead(at, "gcp.ready.at");
  const [place, ...others] = [...new Map(places.map((resource) => [resource.name, resource])).values()];
  if (place !== undefined && others.length === 0) return place;
  throw invalid(
    "gcp.ready does not say where its permissions are tried, and something is given on more than one resource",
    {
      hint: `set gcp.ready.at to one of ${places.map(({ name }) => name).join(", ")}`,
    },
  );
}

function mustRead(name: string, key: string): PolicyResource {
  const resource = readResource(name);
  if (resource !== undefined) return resource;
  throw invalid(`${key} names ${name}, on which nothing can be given`, {
    hint: `name one of ${RESOURCE_EXAMPLES.join(", ")}`,
  });
}

function invalid(message: string, { hint }: { readonly hint: string }): AgentctlError {
  return new AgentctlError("CONFIG_INVALID", message, { hint });
}
