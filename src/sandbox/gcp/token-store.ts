import { randomBytes } from "node:crypto";
import type { AccessBoundaryRule } from "../../core/profile.js";
import type { GooglePrincipal } from "./principal.js";

export const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";

/** What an access token is good for. */
export interface GoogleAccess {
  readonly principal: GooglePrincipal;
  readonly scopes: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Absent: everything that the principal may do. */
  readonly boundary?: readonly AccessBoundaryRule[];
}

export interface GoogleTokens {
  /** An opaque token that looks like Google's of its kind. */
  issue(access: GoogleAccess, now: number): string;
  find(token: string): GoogleAccess | undefined;
}

/** Keeps a token an hour after its end, to tell an expired one from an unknown one. */
const REMEMBERED_MS = 3_600_000;

export function createGoogleTokens(): GoogleTokens {
  const tokens = new Map<string, GoogleAccess>();
  return {
    issue: (access, now) => {
      for (const [token, old] of tokens) if (old.expiresAt + REMEMBERED_MS < now) tokens.delete(token);
      const token = `ya29.${kindOf(access)}.${randomBytes(180).toString("base64url")}`;
      tokens.set(token, access);
      return token;
    },
    find: (token) => tokens.get(token),
  };
}

function kindOf({ principal, boundary }: GoogleAccess): string {
  if (boundary !== undefined) return "dr";
  return principal.kind === "federated" ? "d" : "c";
}
