import type { Identity, IdToken } from "../core/identity.js";
import type { Runtime } from "../core/runtime.js";

/** A token with less left than this is not worth starting an exchange with. */
const MIN_LEFT_MS = 60_000;

interface Kept {
  readonly token: Promise<IdToken>;
  /** Unknown while the token is being minted. */
  expiresAt?: number;
}

/**
 * Keeps the token of each list of audiences, in this process only, while it has more than a minute left. Callers that come
 * while one is being minted share it; a failure is not kept.
 */
export function keepTokens(mintToken: Identity["mintToken"], runtime: Pick<Runtime, "now">): Identity["mintToken"] {
  const keptByAudiences = new Map<string, Kept>();
  return (audiences) => {
    const key = JSON.stringify(audiences);
    const earlier = keptByAudiences.get(key);
    if (earlier !== undefined && isWorthKeeping(earlier, runtime.now())) return earlier.token;
    const kept: Kept = { token: mintToken(audiences) };
    keptByAudiences.set(key, kept);
    kept.token.then(
      ({ expiresAt }) => {
        kept.expiresAt = expiresAt;
      },
      () => keptByAudiences.delete(key),
    );
    return kept.token;
  };
}

function isWorthKeeping({ expiresAt }: Kept, now: number): boolean {
  return expiresAt === undefined || expiresAt - now > MIN_LEFT_MS;
}
