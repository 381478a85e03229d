import type { EndOrder, Facts, GrantTerms } from "../../../core/lease.js";
import type { AwsSettings } from "../../../core/profile.js";
import { derivedSessionsOf } from "../ending.js";
import type { ServiceEndpoint } from "../endpoint.js";
import { isRegion } from "../region.js";
import { sessionNameOf } from "../session-name.js";
import { readRoleArn } from "../setup/trust-policy.js";

const ROLE_ARN = /^arn:aws[a-z-]*:iam::\d{12}:role\/([!-~]+\/)*[\w+=,.@-]{1,64}$/;
const LEASE_ID = /^l-[0-9A-Za-z]{16}$/;

/** Whose session is taken back, and by whom. */
export interface Target {
  readonly leaseId: string;
  readonly roleArn: string;
  readonly sessionName: string;
  /** Where the session was issued, and where its refusal is looked for. */
  readonly stsRegion: string;
  /** Where STS and IAM were, in normal form; absent where AWS's own. Only ever compared with where they are now. */
  readonly stsUrl?: string;
  readonly iamUrl?: string;
  readonly revokerRoleArn: string;
  /** True: it may also put policies on a role without a permissions boundary. */
  readonly acceptEscalation: boolean;
  readonly audiences: readonly string[];
}

/** What a grant's order says about taking it back. */
export type Undoing =
  | { readonly kind: "by-time" }
  | { readonly kind: "take-back"; readonly target: Target }
  | { readonly kind: "senseless"; readonly problem: string };

/** What ending a grant needs to know; `readUndoing` reads it again. */
export function undoOf(
  settings: AwsSettings,
  terms: Pick<GrantTerms, "leaseId" | "revoke">,
  roleArn: string,
  sts: ServiceEndpoint,
  iam: ServiceEndpoint | undefined,
): Facts {
  const { revoker, acceptEscalation, audiences } = settings;
  return {
    roleArn,
    sessionName: sessionNameOf(terms),
    stsRegion: sts.region,
    ...(sts.override !== undefined && { stsUrl: sts.override.url }),
    ...(iam?.override !== undefined && { iamUrl: iam.override.url }),
    derivedSessions: derivedSessionsOf(settings),
    fenceForwarded: settings.fenceForwarded,
    revoke: terms.revoke,
    ...(revoker !== undefined && { revokerRoleArn: revoker.roleArn, acceptEscalation, audiences }),
  };
}

/** Reads what `undoOf` wrote. It may come from a file, so nothing of it is believed: a deny can name one's own session only. */
export function readUndoing({ undo, leaseId }: Pick<EndOrder, "undo" | "leaseId">): Undoing {
  const { revoke, revokerRoleArn, roleArn, stsRegion, sessionName, audiences, stsUrl, iamUrl } = undo;
  if (revokerRoleArn === undefined || revoke === "none") return { kind: "by-time" };
  if (revoke !== "auto" && revoke !== "required") return senseless("revoke");
  if (!LEASE_ID.test(leaseId)) return senseless("the lease's id");
  if (!isRoleArn(roleArn)) return senseless("the role");
  if (!isRoleArn(revokerRoleArn) || !isFitRevoker(revokerRoleArn, roleArn)) return senseless("the revoker");
  if (typeof stsRegion !== "string" || !isRegion(stsRegion)) return senseless("the region");
  if (sessionName !== sessionNameOf({ leaseId })) return senseless("the session's name");
  if (!Array.isArray(audiences) || audiences.length === 0) return senseless("the audience");
  if (!isAbsentOrText(stsUrl) || !isAbsentOrText(iamUrl)) return senseless("the endpoint");
  const target = {
    leaseId,
    roleArn,
    sessionName,
    stsRegion,
    ...(stsUrl !== undefined && { stsUrl }),
    ...(iamUrl !== undefined && { iamUrl }),
    revokerRoleArn,
    acceptEscalation: undo["acceptEscalation"] === true,
    audiences,
  };
  return { kind: "take-back", target };
}

/** A revoker writes on a role of its own account, and not on itself. */
export function isFitRevoker(revokerRoleArn: string, roleArn: string): boolean {
  const [revoker, role] = [readRoleArn(revokerRoleArn), readRoleArn(roleArn)];
  const isSameAccount = revoker.partition === role.partition && revoker.accountId === role.accountId;
  return isSameAccount && revokerRoleArn !== roleArn;
}

function isRoleArn(value: unknown): value is string {
  return typeof value === "string" && ROLE_ARN.test(value);
}

function isAbsentOrText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

function senseless(what: string): Undoing {
  return { kind: "senseless", problem: `${what}, as it was kept to end the session by, makes no sense` };
}
