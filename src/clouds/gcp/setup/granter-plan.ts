import { AgentctlError } from "../../../core/errors.js";
import type { GcpSettings } from "../../../core/profile.js";
import { readResource } from "../rights/resources.js";
import { celString } from "./cel.js";
import { type ServiceAccount, serviceAccountAt } from "./service-account.js";

/** As many as Google takes in one `hasOnly`. */
const MAX_ROLES = 10;
const MAX_ROLE_ID = 64;
const GRANTS = ["get", "list", "revoke"].map((verb) => `privilegedaccessmanager.grants.${verb}`);

export type RightKind = "project" | "folder" | "organization" | "bucket" | "serviceAccount";

/** Where a role is defined; an organization's number is undefined where the profile does not tell. */
export type RoleHome =
  | { readonly kind: "project"; readonly id: string }
  | { readonly kind: "organization"; readonly id?: string };

/** A role of its own, with a few permissions, on one resource. */
export interface GranterRight {
  readonly kind: RightKind;
  /** A project's id, a number, a bucket's name or an e-mail address. */
  readonly id: string;
  readonly role: { readonly id: string; readonly home: RoleHome; readonly title: string };
  readonly permissions: readonly string[];
  /** Only these roles may be given and taken, by Google's own condition. */
  readonly condition?: { readonly title: string; readonly expression: string };
}

export interface GranterPlan {
  readonly account: ServiceAccount;
  readonly rights: readonly GranterRight[];
}

/**
 * Who gives what the profile names for the time of a lease, if anybody does, and all that it may.
 * @throws {AgentctlError} CONFIG_INVALID for more roles than Google limits
 */
export function planGranter(profileName: string, settings: GcpSettings): GranterPlan | undefined {
  const { granter, bindings, entitlement } = settings;
  if (granter === undefined || (bindings.length === 0 && entitlement === undefined)) return undefined;
  const account = serviceAccountAt(granter.serviceAccount);
  const roles = [...new Set(bindings.map(({ role }) => role))];
  const resources = [...new Set(bindings.map(({ resource }) => resource))];
  const condition = { title: `only the roles of ${profileName}`, expression: onlyRoles(roles) };
  const home = settings.projectId ?? account.projectId;
  const onPolicies = resources.map((name): GranterRight => {
    const { kind, id } = targetOf(name);
    const permissions = ["get", "set"].map((verb) => `${readResource(name)?.permissions}.${verb}IamPolicy`);
    const role = { id: roleId(profileName, kind), title: `agentctl: the policy of a ${WORDS[kind]}` };
    return { kind, id, role: { ...role, home: homeOf(kind, id, home) }, permissions, condition };
  });
  return { account, rights: [...onPolicies, ...onGrants(profileName, entitlement)] };
}

const WORDS: Readonly<Record<RightKind, string>> = {
  project: "project",
  folder: "folder",
  organization: "organization",
  bucket: "bucket",
  serviceAccount: "service account",
};

/** An entitlement has no policy of its own: what its grants take is given where it is. */
function onGrants(profileName: string, entitlement: string | undefined): readonly GranterRight[] {
  if (entitlement === undefined) return [];
  const { kind, id } = targetOf(`//cloudresourcemanager.googleapis.com/${entitlement.split("/locations/")[0]}`);
  const role = { id: roleId(profileName, "grants"), title: "agentctl: the grants of entitlements" };
  return [{ kind, id, role: { ...role, home: homeOf(kind, id, id) }, permissions: GRANTS }];
}

/**
 * The profile's roles, whatever the resource: who writes a policy also prunes what earlier leases left in it. A service
 * that does not tell which roles are changed has the list empty, and limits nothing.
 */
function onlyRoles(roles: readonly string[]): string {
  if (roles.length > MAX_ROLES) {
    throw new AgentctlError(
      "CONFIG_INVALID",
      `gcp.bindings has ${roles.length} roles, and Google limits to ${MAX_ROLES}`,
      {
        hint: "split the profile, each part with a granter of its own",
      },
    );
  }
  return `api.getAttribute("iam.googleapis.com/modifiedGrantsByRole", []).hasOnly([${roles.map(celString).join(", ")}])`;
}

function targetOf(name: string): { readonly kind: RightKind; readonly id: string } {
  const [, , service = "", collection = ""] = name.split("/");
  const id = name.slice(name.lastIndexOf("/") + 1);
  if (service.startsWith("storage.")) return { kind: "bucket", id };
  if (service.startsWith("iam.")) return { kind: "serviceAccount", id };
  return { kind: collection.replace(/s$/, "") as RightKind, id };
}

/** A project's own role can be given in that project alone; a folder's has to be of the organization. */
function homeOf(kind: RightKind, id: string, home: string | undefined): RoleHome {
  if (kind === "organization") return { kind, id };
  if (kind === "folder") return { kind: "organization" };
  if (kind === "project") return { kind, id };
  const own = kind === "serviceAccount" ? serviceAccountAt(id).projectId : undefined;
  const project = own ?? home;
  if (project !== undefined) return { kind: "project", id: project };
  throw new AgentctlError("CONFIG_INVALID", `nothing says which project the ${WORDS[kind]} ${id} is in`, {
    hint: "name it as gcp.project_id: a role is defined in a project, and given in that alone",
  });
}

function roleId(profileName: string, what: string): string {
  const [before, after] = ["agentctl_", `_${what}`];
  const room = MAX_ROLE_ID - before.length - after.length;
  return `${before}${profileName.replace(/\W/g, "_").slice(0, room)}${after}`;
}
