import type { AzureSettings } from "../../../core/profile.js";
import { type Application, granterOf } from "./applications.js";

/** Role Based Access Control Administrator: of the built-in roles that give roles, the least. */
export const GIVING_ROLE = {
  id: "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
  name: "Role Based Access Control Administrator",
};
const ROLE_ID = /(?:^|\/)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/** A role that may be given: by the id of its definition, or by its name, whose id has to be looked up. */
export interface GivenRole {
  readonly name: string;
  readonly id?: string;
}

export interface GranterPlan {
  readonly application: Application;
  /** What it may give, on exactly this scope. */
  readonly scopes: readonly { readonly scope: string; readonly roles: readonly GivenRole[] }[];
}

/** Who assigns what the profile names for the time of a lease, if anybody does, and all that it may. */
export function planGranter(settings: AzureSettings, name: string): GranterPlan | undefined {
  const application = granterOf(settings, name);
  if (application === undefined) return undefined;
  const scopes = [...new Set(settings.assignments.map(({ scope }) => scope))];
  return {
    application,
    scopes: scopes.map((scope) => ({
      scope,
      roles: settings.assignments.filter((one) => one.scope === scope).map(({ role }) => readRole(role)),
    })),
  };
}

/**
 * Version 2.0 of Azure's conditions: only these roles, and only to these principals, whether given or taken. What is
 * asked for is in the request, and what is there in the resource.
 * @param roleIds ids, with a comma between @param principalIds object ids, likewise
 */
export function givingCondition(roleIds: string, principalIds: string): string {
  return `${actionCondition("write", "Request", roleIds, principalIds)} AND ${actionCondition("delete", "Resource", roleIds, principalIds)}`;
}

function actionCondition(
  verb: "write" | "delete",
  source: "Request" | "Resource",
  roleIds: string,
  principalIds: string,
): string {
  const attribute = (name: string) => `@${source}[Microsoft.Authorization/roleAssignments:${name}]`;
  const isOneOf = "ForAnyOfAnyValues:GuidEquals";
  const role = `${attribute("RoleDefinitionId")} ${isOneOf} {${roleIds}}`;
  const principal = `${attribute("PrincipalId")} ${isOneOf} {${principalIds}}`;
  return `((!(ActionMatches{'Microsoft.Authorization/roleAssignments/${verb}'})) OR (${role} AND ${principal}))`;
}

/** What is to be known of what is assigned for the time of a lease. */
export function granterNotes({ assignments, allowUnbounded, otherClientIds }: AzureSettings): readonly string[] {
  if (assignments.length === 0) return [];
  const pool = otherClientIds.length === 0 ? "" : ", and for each of the pool";
  return [
    `the granter's condition is for the profile's roles and applications alone, so that it has to be written anew when they change${pool}`,
    "time-bound assignments are of Privileged Identity Management: the tenant needs Microsoft Entra ID P2 or Governance, and the role's settings on the scope have to allow active assignments without multi-factor authentication; by default they refuse a permanent one, and one without a justification, which agentctl gives",
    "which right PIM checks of a granter that has a condition could not be verified: try a lease, and where Azure refuses it look at the role's settings in PIM first",
    ...(allowUnbounded
      ? [
          "allow_unbounded needs no PIM, and an assignment that agentctl could not take back stays until somebody removes it",
        ]
      : []),
  ];
}

function readRole(role: string): GivenRole {
  const id = ROLE_ID.exec(role)?.[1];
  return { name: role, ...(id !== undefined && { id: id.toLowerCase() }) };
}
