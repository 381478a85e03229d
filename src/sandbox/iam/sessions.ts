import { randomBytes } from "node:crypto";
import type { PolicyDocument } from "../../core/profile.js";
import { base32, roleId } from "./ids.js";

/** A role session: temporary keys and what they may do. */
export interface Session {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly roleArn: string;
  readonly accountId: string;
  /** `arn:aws:sts::…:assumed-role/ROLE/SESSION` */
  readonly arn: string;
  /** `AROA…:SESSION`, the value of `aws:userid`. */
  readonly userId: string;
  /** Empty when nothing narrows the role. */
  readonly sessionPolicies: readonly PolicyDocument[];
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface SessionTerms {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly sessionPolicies: readonly PolicyDocument[];
  readonly issuedAt: number;
  readonly durationSeconds: number;
}

export interface SessionStore {
  open(terms: SessionTerms): Session;
  find(accessKeyId: string): Session | undefined;
}

/** Keeps a session a day after its end, to tell an expired key from an unknown one, and no longer. */
const REMEMBERED_MS = 86_400_000;

export function createSessionStore(): SessionStore {
  const sessions = new Map<string, Session>();
  return {
    open: (terms) => {
      for (const [key, session] of sessions) {
        if (session.expiresAt + REMEMBERED_MS >= terms.issuedAt) break;
        sessions.delete(key);
      }
      const session = makeSession(terms);
      sessions.set(session.accessKeyId, session);
      return session;
    },
    find: (accessKeyId) => sessions.get(accessKeyId),
  };
}

function makeSession(terms: SessionTerms): Session {
  const { accountId, path } = splitRoleArn(terms.roleArn);
  // STS counts in whole seconds.
  const issuedAt = Math.floor(terms.issuedAt / 1000) * 1000;
  return {
    accessKeyId: `ASIA${base32(randomBytes(16), 16)}`,
    secretAccessKey: randomBytes(30).toString("base64"),
    sessionToken: `IQoJb3JpZ2luX2Vj${randomBytes(300).toString("base64")}`,
    roleArn: terms.roleArn,
    accountId,
    arn: `arn:aws:sts::${accountId}:assumed-role/${path.split("/").at(-1)}/${terms.sessionName}`,
    userId: `${roleId(terms.roleArn)}:${terms.sessionName}`,
    sessionPolicies: terms.sessionPolicies,
    issuedAt,
    expiresAt: issuedAt + terms.durationSeconds * 1000,
  };
}

function splitRoleArn(roleArn: string): { accountId: string; path: string } {
  const parts = roleArn.split(":");
  return { accountId: parts[4] ?? "", path: parts.slice(5).join(":") };
}
