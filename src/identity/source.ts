import type { CloudName } from "../core/profile.js";
import type { Environment, Runtime } from "../core/runtime.js";
import type { Secret } from "../core/secret.js";

/** What a source sees of itself in the environment, before it asks anybody for anything. */
export interface Detection {
  readonly found: boolean;
  /** In a few words, such as `AGENTCTL_ID_TOKEN is set`. */
  readonly reason: string;
  /** Where it was not found: what would make it so, if the source can tell. */
  readonly hint?: string;
}

/** What a token is wanted for. */
export interface TokenRequest {
  /** What the token may be for, the first preferred; at least one. A source that mints is to mint for the first. */
  readonly audiences: readonly [string, ...string[]];
  /** The clouds that asked for these audiences; none when it is for something else. */
  readonly clouds: readonly CloudName[];
}

/** A token as a source holds it, not yet looked into. */
export interface TokenCandidate {
  readonly token: Secret;
  /** What to call it in an error, such as `the token in AGENTCTL_ID_TOKEN`. */
  readonly origin: string;
}

/** What to tell a user whose tokens do not do, in place of the general advice. */
export interface SourceAdvice {
  /** `seen` are the audiences of the tokens that there are. */
  whenAudienceMissing(audience: string, seen: readonly string[]): string;
  readonly whenExpired: string;
}

/**
 * Where a source's next token comes from: `minted` for each request, so that one is worth keeping for the next;
 * `rotated` by somebody else, so that it is looked up anew each time; or `fixed`: there will never be another one.
 */
export type TokenSupply = "minted" | "rotated" | "fixed";

/** One way of coming by an OIDC ID token. A new source is a file with one of these, and a line in the list. */
export interface IdentitySource {
  readonly name: string;
  readonly supply: TokenSupply;
  readonly advice?: SourceAdvice;
  /** Looks at the environment and, at most, for files in well-known places; no service is asked. */
  detect(runtime: Runtime): Detection;
  /** The names of all variables by which a process could use this source, whether set or not. */
  variables(env: Environment): readonly string[];
  /**
   * The tokens that might do, the likeliest first; never none.
   * @throws {AgentctlError} NO_IDENTITY, IDENTITY_DENIED, UNREACHABLE, THROTTLED, SERVICE_FAILED, BAD_ANSWER,
   * TOKEN_MALFORMED, ENDPOINT_INVALID
   */
  obtainTokens(request: TokenRequest, runtime: Runtime): Promise<readonly TokenCandidate[]>;
}
