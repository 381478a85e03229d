import type { IdToken } from "../../core/identity.js";
import { printable } from "../../core/scrub.js";
import { plainCode } from "./service-failure.js";

/** Who asked STS for a role: the holder of an OIDC token, or the session of the role before it. */
export type Asker =
  | { readonly kind: "token"; readonly token: IdToken | undefined; readonly audience: string }
  | { readonly kind: "session"; readonly roleArn: string };

const CHECK_CLOCK = "check this machine's clock";

/** What to change on AWS's side, by the code that STS refused with. */
export function refusalHint(code: string, roleArn: string, asker: Asker, region: string): string {
  switch (plainCode(code)) {
    case "AccessDenied":
      return accessHint(roleArn, asker);
    case "InvalidIdentityToken":
      return `the role's account needs an IAM OIDC provider for ${issuerOf(asker)} with the audience ${audienceOf(asker)}, whose keys AWS can fetch`;
    case "ExpiredToken":
      return `the token had expired when it reached AWS: get a new one, or ${CHECK_CLOCK}`;
    case "IDPRejectedClaim":
      return "the identity provider rejected the token: it may be revoked or expired; get a new one";
    case "RegionDisabled":
      return `activate STS for ${region} in the account's settings, or set another aws.region`;
    case "SignatureDoesNotMatch":
    case "RequestExpired":
    case "InvalidClientTokenId":
      return CHECK_CLOCK;
    default:
      return `look in CloudTrail for this refusal of ${roleArn}`;
  }
}

function accessHint(roleArn: string, asker: Asker): string {
  if (asker.kind === "token") {
    return `${roleArn} must exist, and its trust policy must allow sts:AssumeRoleWithWebIdentity to the provider ${issuerOf(asker)} with this aud and sub`;
  }
  return `${asker.roleArn} needs sts:AssumeRole on ${roleArn}, and ${roleArn} must trust it (and its external id, if it demands one)`;
}

function issuerOf(asker: Asker): string {
  return asker.kind === "token" && asker.token !== undefined ? printable(asker.token.issuer) : "the token's issuer";
}

function audienceOf(asker: Asker): string {
  return asker.kind === "token" ? printable(asker.audience) : "of the token";
}
