import { fieldOf, textOf } from "../../exchange/wire.js";
import type { Arm } from "./arm.js";
import { markOf, nameTarget, readMark, requestNameOf, type Subject, type Target } from "./names.js";
import { isSameRole } from "./role-definitions.js";

const API = { "api-version": "2022-04-01" };
const ASSIGNMENTS = "providers/Microsoft.Authorization/roleAssignments";

/** An assignment that does not end by itself. */
export interface PlainAssignment {
  /** A UUID, in lower case. */
  readonly name: string;
  readonly scope: string;
  readonly roleDefinitionId: string;
  readonly principalId: string;
  /** Of one that a lease was given: whose, and until when it was meant to be. */
  readonly mark: { readonly leaseId: string; readonly endsAt: number } | undefined;
}

export async function assignPlainly(arm: Arm, subject: Subject, endsAt: number): Promise<void> {
  const { principalId, roleDefinitionId, leaseId, clientId } = subject;
  const description = markOf(leaseId, endsAt);
  const properties = { principalId, roleDefinitionId, principalType: "ServicePrincipal", description };
  const what = `assign ${nameTarget(subject)} to application ${clientId}`;
  await arm.put(pathOf(subject.scope, requestNameOf(subject, "give")), API, { properties }, what);
}

/** What the lease was given; undefined where it was not, or has it no more. */
export async function findPlain(arm: Arm, target: Target): Promise<PlainAssignment | undefined> {
  const path = pathOf(target.scope, requestNameOf(target, "give"));
  const found = await arm.find(path, API, `read the assignment of ${nameTarget(target)}`);
  return found === undefined ? undefined : readPlain(found);
}

/** All that a principal is assigned at a scope, above it and below. */
export async function listPlain(arm: Arm, scope: string, principalId: string): Promise<readonly PlainAssignment[]> {
  const query = { ...API, $filter: `principalId eq '${principalId}'` };
  const all = await arm.list(`${scope}/${ASSIGNMENTS}`, query, `read what is assigned at ${scope}`);
  return all.map(readPlain);
}

/** That which a plain assignment of the same cannot be made beside. */
export async function findPlainOf(arm: Arm, subject: Subject): Promise<PlainAssignment | undefined> {
  const { scope, principalId, roleDefinitionId } = subject;
  const all = await listPlain(arm, scope, principalId);
  return all.find((one) => isAt(one, scope) && isSameRole(one.roleDefinitionId, roleDefinitionId));
}

export function isAt(one: PlainAssignment, scope: string): boolean {
  return one.scope.toLowerCase() === scope.toLowerCase();
}

/** Deleting what is not there does no harm. */
export function deletePlain(arm: Arm, { scope, name }: Pick<PlainAssignment, "scope" | "name">): Promise<void> {
  return arm.delete(pathOf(scope, name), API, `delete the role assignment ${name} at ${scope}`);
}

function pathOf(scope: string, name: string): string {
  return `${scope}/${ASSIGNMENTS}/${name}`;
}

function readPlain(json: unknown): PlainAssignment {
  const properties = fieldOf(json, "properties");
  return {
    name: textOf(json, "name")?.toLowerCase() ?? "",
    scope: textOf(properties, "scope") ?? "",
    roleDefinitionId: textOf(properties, "roleDefinitionId") ?? "",
    principalId: textOf(properties, "principalId") ?? "",
    mark: readMark(textOf(properties, "description")),
  };
}
