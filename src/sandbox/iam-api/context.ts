import type { RoleAuthority, RolePolicies } from "../iam/role-policies.js";
import type { SessionStore } from "../iam/sessions.js";
import type { RoleDefinition } from "../world.js";

/** What the embedded IAM works with. */
export interface IamContext {
  readonly roles: Readonly<Record<string, RoleDefinition>>;
  readonly policies: RolePolicies;
  /** What IAM itself goes by when it is asked. */
  readonly authority: RoleAuthority;
  readonly sessions: SessionStore;
  /** When the roles were made; milliseconds since the epoch. */
  readonly createdAt: number;
  /** IAM's own time, in milliseconds since the epoch. */
  now(): number;
}
