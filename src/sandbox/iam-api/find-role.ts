import type { RoleDefinition } from "../world.js";

/** A role as IAM finds it: by its name, in the caller's own account. */
export interface FoundRole {
  readonly arn: string;
  readonly name: string;
  /** Such as `/` or `/ci/`. */
  readonly path: string;
  readonly definition: RoleDefinition;
}

export function findRole(
  roles: Readonly<Record<string, RoleDefinition>>,
  accountId: string,
  name: string,
): FoundRole | undefined {
  for (const [arn, definition] of Object.entries(roles)) {
    const [, account, path, last] = /^arn:[^:]+:iam::(\d+):role(\/(?:.+\/)?)([^/]+)$/.exec(arn) ?? [];
    if (account === accountId && last === name && path !== undefined) return { arn, name, path, definition };
  }
  return undefined;
}
