import { generateKeyPair, type KeyObject, randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { createLocalJWKSet, exportJWK, type JSONWebKeySet, SignJWT } from "jose";

export interface MintRequest {
  readonly audience?: string | readonly string[];
  /** Laid over the default claims; undefined takes one away. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Default 300; negative gives an expired token. */
  readonly expiresInSeconds?: number;
  /** `stranger` signs with a key that the issuer never published, under the published key id. */
  readonly signedBy?: "issuer" | "stranger";
}

export interface OidcIssuer {
  readonly issuer: string;
  readonly jwks: JSONWebKeySet;
  readonly verificationKeys: ReturnType<typeof createLocalJWKSet>;
  mintToken(request?: MintRequest): Promise<string>;
}

const DEFAULT_LIFE_SECONDS = 300;
const makeKeyPair = promisify(generateKeyPair);

export type IssuerKeys = Awaited<ReturnType<typeof makeIssuerKeys>>;

export function makeIssuerKeys(): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return makeKeyPair("rsa", { modulusLength: 2048 });
}

/** An issuer of GitHub-like ID tokens, RS256. Tokens carry this issuer's own URL, not GitHub's. */
export async function createIssuer(
  issuer: string,
  own: IssuerKeys,
  claims: Readonly<Record<string, unknown>>,
  now: () => number,
): Promise<OidcIssuer> {
  const kid = randomUUID();
  const jwks = { keys: [{ ...(await exportJWK(own.publicKey)), kid, alg: "RS256", use: "sig" }] };
  let strangersKey: KeyObject | undefined;
  const keyOf = async (signer: MintRequest["signedBy"]): Promise<KeyObject> => {
    if (signer !== "stranger") return own.privateKey;
    strangersKey ??= (await makeIssuerKeys()).privateKey;
    return strangersKey;
  };
  return {
    issuer,
    jwks,
    verificationKeys: createLocalJWKSet(jwks),
    mintToken: async (request = {}) => {
      const issuedAt = Math.floor(now() / 1000);
      const payload = {
        ...claims,
        iss: issuer,
        aud: request.audience ?? "sts.amazonaws.com",
        jti: randomUUID(),
        iat: issuedAt,
        nbf: issuedAt - 300,
        exp: issuedAt + (request.expiresInSeconds ?? DEFAULT_LIFE_SECONDS),
        ...request.claims,
      };
      return new SignJWT(payload as Record<string, unknown>)
        .setProtectedHeader({ typ: "JWT", alg: "RS256", kid })
        .sign(await keyOf(request.signedBy));
    },
  };
}

/** The claims of a job on GitHub, without those that change from token to token. */
export function githubClaims(): Record<string, unknown> {
  return {
    sub: "repo:acme/site:ref:refs/heads/main",
    repository: "acme/site",
    repository_id: "700000001",
    repository_owner: "acme",
    repository_owner_id: "600000001",
    repository_visibility: "private",
    ref: "refs/heads/main",
    ref_type: "branch",
    ref_protected: "true",
    sha: "0123456789abcdef0123456789abcdef01234567",
    workflow: "deploy",
    workflow_ref: "acme/site/.github/workflows/deploy.yml@refs/heads/main",
    job_workflow_ref: "acme/site/.github/workflows/deploy.yml@refs/heads/main",
    event_name: "push",
    run_id: "8000000001",
    run_number: "42",
    run_attempt: "1",
    actor: "octocat",
    actor_id: "583231",
    runner_environment: "github-hosted",
  };
}
