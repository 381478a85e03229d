import type { AzureApp } from "./azure/world.js";
import type { GcpWorld, IamBinding } from "./gcp/world.js";

const NOTHING = "no role";

/** An application's name and what it is assigned from the start, for a reader. */
export function describeApp({ name, roles }: AzureApp): string {
  const held = listRoles(roles.map(({ role, condition }) => (condition === undefined ? role : `${role}, conditioned`)));
  return name === undefined ? held : `${name}: ${held}`;
}

/** What a service account is given from the start, by itself and not as one of many. */
export function describeServiceAccount(
  email: string,
  { bindings, ancestors, buckets, serviceAccounts }: GcpWorld,
): string {
  const all: readonly (readonly IamBinding[])[] = [
    bindings,
    ...Object.values(ancestors),
    ...Object.values(buckets).map((bucket) => bucket.bindings),
    ...Object.values(serviceAccounts),
  ];
  const own = all.flat().filter(({ members }) => members.includes(`serviceAccount:${email}`));
  return listRoles(own.map(({ role }) => role));
}

function listRoles(roles: readonly string[]): string {
  return roles.length === 0 ? NOTHING : [...new Set(roles)].join("; ");
}
