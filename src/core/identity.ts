import type { ActorKind } from "./profile.js";
import type { Secret } from "./secret.js";

export type Claims = Readonly<Record<string, unknown>>;

/** An OIDC ID token, already checked: a JWT, not expired, for an audience that was asked for. */
export interface IdToken {
  readonly token: Secret;
  readonly issuer: string;
  readonly subject: string;
  readonly audience: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly claims: Claims;
  /** SHA-256 of the token, lower-case hex. */
  readonly sha256: string;
}

/** The caller's OIDC proof: who it is, and a way to mint a token for an audience. */
export interface Identity {
  readonly source: string;
  /** Why this source was taken, in a few words, such as `ACTIONS_ID_TOKEN_REQUEST_URL is set`. */
  readonly reason: string;
  readonly issuer: string;
  readonly subject: string;
  /** The claims worth policing and recording; never the token. */
  readonly claims: Claims;
  /** SHA-256 of the first token obtained. */
  readonly tokenSha256: string;
  /**
   * When the last of the tokens that this source can give ends (epoch ms); absent where it mints on request, or
   * reads a file that somebody rotates.
   */
  readonly mintableUntil?: number;
  /**
   * A checked token for one of `audiences`: minted for the first, or, of what a source has, for the first that fits.
   * @throws {AgentctlError} TOKEN_* when the source's token does not do, NO_IDENTITY, IDENTITY_DENIED, UNREACHABLE
   */
  mintToken(audiences: readonly string[]): Promise<IdToken>;
}

/** What kind of caller it is, and how agentctl knows. */
export interface Actor {
  readonly kind: ActorKind;
  readonly name?: string;
  /** Such as `declared with --actor` or `CI is set`. */
  readonly reason: string;
}
