import type { GcpSettings } from "../../core/profile.js";

const SERVICE = "iam.googleapis.com";

/** What the OIDC token may be for; where nothing is said, what a provider accepts when it lists no allowed audiences. */
export function tokenAudiencesOf(settings: GcpSettings): readonly string[] {
  return settings.audiences ?? [`https://${SERVICE}/${settings.workloadIdentityProvider}`];
}

/** The provider's full resource name, which Google's STS calls the audience of the exchange. */
export function exchangeAudienceOf(settings: GcpSettings): string {
  return `//${SERVICE}/${settings.workloadIdentityProvider}`;
}

/** Whom an IAM policy names to mean one subject of the provider's pool, or with `*` all of them. */
export function poolMember(settings: GcpSettings, subject: string): string {
  const pool = settings.workloadIdentityProvider.replace(/\/providers\/[^/]*$/, "");
  return subject === "*" ? `principalSet://${SERVICE}/${pool}/*` : `principal://${SERVICE}/${pool}/subject/${subject}`;
}

/** Whom the child will be. */
export function principalOf(settings: GcpSettings): string {
  return settings.serviceAccount ?? `federated identity of ${settings.workloadIdentityProvider}`;
}
