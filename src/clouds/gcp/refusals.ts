import type { IdToken } from "../../core/identity.js";
import type { GcpSettings } from "../../core/profile.js";
import { printable } from "../../core/scrub.js";
import type { Refusal } from "../exchange/failed-try.js";
import { USUAL_LIFETIME_SECONDS } from "./plan.js";
import { poolMember } from "./provider.js";

/** What to change on Google's side, when its STS refused the OIDC token. */
export function federationHint({ code, text }: Refusal, settings: GcpSettings, token: IdToken | undefined): string {
  const provider = settings.workloadIdentityProvider;
  const iss = token === undefined ? "the token's issuer" : printable(token.issuer);
  const aud = token === undefined ? "the token's audience" : printable(token.audience.join(", "));
  if (code === "invalid_target") {
    return `check gcp.workload_identity_provider: ${provider} must exist and be enabled, named with the project's number`;
  }
  if (/attribute condition/i.test(text))
    return `change the attribute condition of ${provider}: it is not true of this token`;
  if (/mapp(ed|ing)|google\.subject/i.test(text)) {
    return `change the attribute mapping of ${provider}: google.subject must be a claim of the token, of 127 bytes at most`;
  }
  if (/stale|expired|not yet valid|issued at/i.test(text)) {
    return "the token had expired, or was not valid yet, when it reached Google: get a new one, or check this machine's clock";
  }
  if (/audience/i.test(text)) {
    return `add ${aud} to the allowed audiences of ${provider}, or set gcp.audience to one of them`;
  }
  if (/connecting|jwk|signature|verif|\bkeys?\b/i.test(text)) {
    return `Google must be able to fetch the keys of ${iss} from the internet, or have them uploaded to ${provider}`;
  }
  if (/issuer/i.test(text)) return `the issuer URI of ${provider} must be ${iss}`;
  if (code === "invalid_scope" || /scope/i.test(text)) return "check gcp.scopes";
  return `check ${provider}: its issuer, allowed audiences, attribute mapping and attribute condition`;
}

/** What to change on Google's side, when a federated token was not let impersonate. */
export function impersonationHint(
  refusal: Refusal,
  settings: GcpSettings,
  token: IdToken | undefined,
  seconds: number,
): string {
  const { code, text, facts } = refusal;
  const account = settings.serviceAccount ?? "the service account";
  if (facts["reason"] === "SERVICE_DISABLED" || /has not been used|API .*disabled/i.test(text)) {
    return `enable iamcredentials.googleapis.com in the project of ${account}`;
  }
  if (code === "PERMISSION_DENIED") {
    const member = poolMember(settings, token === undefined ? "*" : printable(token.subject));
    return `give ${member} (or a principalSet it is in) roles/iam.workloadIdentityUser on ${account}, which must exist`;
  }
  if (code === "NOT_FOUND") return `check ${keyOf(settings)}: there is no ${account}`;
  if (/disabled/i.test(text)) return `enable ${account}`;
  if (code === "UNAUTHENTICATED") return "check that both endpoints in use are of one Google, and this machine's clock";
  if (code === "INVALID_ARGUMENT" && (/lifetime/i.test(text) || seconds > USUAL_LIFETIME_SECONDS)) {
    return `lower the ttl (by the endpoint, credential_ttl) to 1h, or allow ${account} longer with the organization policy iam.allowServiceAccountCredentialLifetimeExtension`;
  }
  return `check ${keyOf(settings)} and gcp.scopes`;
}

/** Where the service account was named: the granter is impersonated likewise. */
function keyOf({ serviceAccount, granter }: GcpSettings): string {
  return serviceAccount === granter?.serviceAccount ? "gcp.granter" : "gcp.service_account";
}

/** What to change, when Google's STS did not narrow the token. */
export function boundaryHint(): string {
  return "check gcp.access_boundary: Cloud Storage buckets only, at most 10 rules, permissions like inRole:roles/storage.objectViewer";
}
