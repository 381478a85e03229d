import type { AccessBoundaryRule } from "../../core/profile.js";
import { evaluateExpression, isExpression } from "./cel.js";
import type { GcpResource } from "./policy/holder.js";
import { isRole, roleGrants } from "./roles.js";

const BUCKET = /^\/\/storage\.googleapis\.com\/projects\/_\/buckets\/([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])$/;
const IN_ROLE = /^inRole:(roles\/[\w.]+)$/;
const MAX_RULES = 10;

/** Reads `options` of a token exchange; answers what is wrong as a text. */
export function readBoundary(options: string): readonly AccessBoundaryRule[] | string {
  const rules = parseRules(options);
  if (rules === undefined) return "The access boundary is not valid.";
  if (rules.length > MAX_RULES) return `The access boundary has more than ${MAX_RULES} rules.`;
  const problem = rules.map(findProblem).find((text) => text !== undefined);
  return problem ?? rules;
}

function parseRules(options: string): readonly AccessBoundaryRule[] | undefined {
  try {
    const parsed = JSON.parse(options) as { accessBoundary?: { accessBoundaryRules?: unknown } };
    const rules = parsed.accessBoundary?.accessBoundaryRules;
    return Array.isArray(rules) && rules.length > 0 ? (rules as readonly AccessBoundaryRule[]) : undefined;
  } catch {
    return undefined;
  }
}

function findProblem(rule: AccessBoundaryRule): string | undefined {
  const { availableResource, availablePermissions, availabilityCondition } = rule;
  if (!BUCKET.test(String(availableResource))) return `Invalid available resource: ${availableResource}.`;
  const unknown = [availablePermissions ?? []].flat().find((one) => !isRole(IN_ROLE.exec(String(one))?.[1] ?? ""));
  if (unknown !== undefined || !(availablePermissions?.length > 0)) return `Invalid available permission: ${unknown}.`;
  const expression = availabilityCondition?.expression;
  if (availabilityCondition !== undefined && !isExpression(String(expression))) {
    return `Invalid availability condition: ${expression}.`;
  }
  return undefined;
}

/** Whether one of the rules leaves the permission on the bucket, its condition being true of the resource. */
export function isWithinBoundary(
  rules: readonly AccessBoundaryRule[],
  bucket: string,
  permission: string,
  resource: GcpResource,
  api: Readonly<Record<string, string>>,
): boolean {
  return rules.some(
    ({ availableResource, availablePermissions, availabilityCondition }) =>
      BUCKET.exec(availableResource)?.[1] === bucket &&
      availablePermissions.some((one) => roleGrants(IN_ROLE.exec(one)?.[1] ?? "", permission)) &&
      (availabilityCondition === undefined ||
        evaluateExpression(availabilityCondition.expression, { resource }, api) === true),
  );
}
