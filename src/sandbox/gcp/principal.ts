/** Who a Google access token is. */
export type GooglePrincipal =
  | {
      readonly kind: "federated";
      /** `projects/NUMBER/locations/global/workloadIdentityPools/POOL` */
      readonly pool: string;
      readonly subject: string;
      /** Without the `attribute.` before the name. */
      readonly attributes: Readonly<Record<string, string>>;
      readonly groups: readonly string[];
    }
  | { readonly kind: "service account"; readonly email: string };

/** The principal as an IAM policy would name it, most closely. */
export function nameOf(principal: GooglePrincipal): string {
  return principal.kind === "federated"
    ? `principal://iam.googleapis.com/${principal.pool}/subject/${principal.subject}`
    : `serviceAccount:${principal.email}`;
}

/** The principal as Google's refusals name it. */
export function shownName(principal: GooglePrincipal): string {
  return principal.kind === "federated" ? nameOf(principal) : principal.email;
}

/** Every member of a binding that the principal is. */
export function membersOf(principal: GooglePrincipal): ReadonlySet<string> {
  const everybody = ["allUsers", "allAuthenticatedUsers"];
  if (principal.kind === "service account") return new Set([nameOf(principal), ...everybody]);
  const set = `principalSet://iam.googleapis.com/${principal.pool}`;
  return new Set([
    nameOf(principal),
    `${set}/*`,
    ...Object.entries(principal.attributes).map(([name, value]) => `${set}/attribute.${name}/${value}`),
    ...principal.groups.map((group) => `${set}/group/${group}`),
    ...everybody,
  ]);
}
