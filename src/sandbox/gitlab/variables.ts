import type { CloudAudiences } from "../oidc/audiences.js";
import type { OidcIssuer } from "../oidc/issuer.js";

/** A job's own time-out, within which its ID tokens are good, is an hour by default. */
const LIFE_SECONDS = 3600;

/** What a GitLab job finds that asks for one of `id_tokens` for each cloud: the tokens, in variables named as it likes. */
export async function gitlabVariables(issuer: OidcIssuer, audiences: CloudAudiences): Promise<Record<string, string>> {
  const mint = (audience: string): Promise<string> => issuer.mintToken({ audience, expiresInSeconds: LIFE_SECONDS });
  const [aws, azure, gcp] = await Promise.all([mint(audiences.aws), mint(audiences.azure), mint(audiences.gcp)]);
  return {
    CI: "true",
    GITLAB_CI: "true",
    CI_PROJECT_PATH: "acme/site",
    GITLAB_OIDC_TOKEN_AWS: aws,
    GITLAB_OIDC_TOKEN_AZURE: azure,
    GITLAB_OIDC_TOKEN_GCP: gcp,
  };
}
