import { AgentctlError } from "../../../core/errors.js";
import type { Facts, GrantPlan, GrantTerms } from "../../../core/lease.js";
import type { AwsSettings } from "../../../core/profile.js";
import { NEAR_SECONDS } from "./near-fence.js";
import { isFitRevoker } from "./undo.js";

/**
 * The role that takes grants on these terms back; undefined where nobody does.
 * @throws {AgentctlError} CONFIG_INVALID for a revoker that cannot write on the last role, or is a role of the chain
 */
export function revokerOf(settings: AwsSettings, terms: Pick<GrantTerms, "revoke">): string | undefined {
  const revoker = settings.revoker?.roleArn;
  if (revoker === undefined || terms.revoke === "none") return undefined;
  const roles = [settings.roleArn, ...settings.chain.map(({ roleArn }) => roleArn)];
  if (roles.includes(revoker)) {
    throw new AgentctlError("CONFIG_INVALID", `aws.revoker is ${revoker}, a role that the grant itself goes by`, {
      hint: "name a role of its own: what may put policies on a role must not be in the command's hands",
    });
  }
  const last = lastRoleOf(settings);
  if (isFitRevoker(revoker, last)) return revoker;
  throw new AgentctlError("CONFIG_INVALID", `aws.revoker is ${revoker}, which is not of the account of ${last}`, {
    hint: "name a role of the last role's own account: IAM lets no other write its policies",
  });
}

/** The role whose session the child has. */
export function lastRoleOf({ roleArn, chain }: AwsSettings): string {
  return chain.at(-1)?.roleArn ?? roleArn;
}

/** The plan's words for taking back, on top of what ends a grant anyway; `revoker` as `revokerOf` gave it. */
export function describeRevoking(
  revoker: string | undefined,
  settings: AwsSettings,
  terms: GrantTerms,
  byTime: GrantPlan["ending"],
): { readonly steps: readonly string[]; readonly ending: GrantPlan["ending"]; readonly facts: Facts } {
  if (revoker === undefined) return { steps: [], ending: byTime, facts: { revoke: terms.revoke } };
  const role = lastRoleOf(settings);
  const facts = { revoke: terms.revoke, revoker, acceptEscalation: settings.acceptEscalation };
  if (terms.lifetimeSeconds < NEAR_SECONDS) {
    const detail = `no deny is put on the role, since the fence is less than ${NEAR_SECONDS}s away: ${byTime.detail}`;
    return { steps: [], ending: { ...byTime, detail }, facts };
  }
  const step = `at the end assume ${revoker} likewise, and put a deny for this session alone on ${role}`;
  const detail = `revoked at the end by ${revoker}, where AWS is seen to refuse the session, else removed; failing that, ${byTime.detail}`;
  return { steps: [step], ending: { ...byTime, detail }, facts };
}
