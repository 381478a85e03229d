import type { EndContext } from "../../../core/lease.js";
import type { Runtime } from "../../../core/runtime.js";
import { untilAborted } from "../../../core/until-aborted.js";
import type { SessionKeys } from "../assumed-session.js";
import { askOnTheRightClock } from "../clock.js";
import { resolveEndpoint } from "../endpoint.js";
import { assumeHop } from "../exchange.js";
import type { ExchangeLimits } from "../limits.js";
import { policyForOnly } from "../session-policy.js";
import type { Target } from "./undo.js";

/** The shortest session that STS gives; its own fence is nearer. */
const SESSION_SECONDS = 900;
const FENCE_MS = 120_000;
const ACTIONS = ["iam:GetRole", "iam:ListRolePolicies", "iam:PutRolePolicy", "iam:DeleteRolePolicy"] as const;

/** The revoker's session: used at once, handed to nobody, and kept nowhere. */
export interface Revoker {
  readonly roleArn: string;
  readonly keys: SessionKeys;
  /** How far AWS's clock is ahead of this machine's. */
  readonly clockAheadMs: number;
}

/** Whom to assume, on whose behalf; without a lease's session where a role is swept. */
export type RevokerRequest = Pick<Target, "roleArn" | "revokerRoleArn" | "stsRegion" | "audiences"> & {
  readonly sessionName: string;
};

/** The session name by which CloudTrail shows whose lease was taken back. */
export function revokerSessionName(who: string): string {
  return `agentctl-revoke-${who}`.slice(0, 64);
}

/**
 * Assumes the revoker for this one role and a moment. `onTry` is told of each time that STS is asked.
 * @throws {AgentctlError} as `assumeHop` does
 */
export async function assumeRevoker(
  { roleArn, revokerRoleArn, stsRegion, audiences, sessionName }: RevokerRequest,
  context: Pick<EndContext, "mintToken" | "signal">,
  runtime: Runtime,
  limits: ExchangeLimits,
  onTry: () => void,
): Promise<Revoker> {
  const endpoint = resolveEndpoint("STS", stsRegion, runtime);
  const hop = { roleArn: revokerRoleArn, durationSeconds: SESSION_SECONDS, policyArns: [] };
  const minting = {
    signal: context.signal,
    mintToken: async (asked: readonly string[]) => {
      const token = await untilAborted(context.mintToken(asked), context.signal);
      onTry();
      return token;
    },
  };
  const taken = await askOnTheRightClock(hop, 0, (aheadSeconds) => {
    const clockAheadMs = aheadSeconds * 1000;
    const policy = policyForOnly(ACTIONS, roleArn, runtime.now() + FENCE_MS + clockAheadMs);
    const exchange = { hop, policy, sessionName, audiences, clockAheadMs, endpoint, limits };
    return assumeHop(exchange, minting, runtime);
  });
  return { roleArn: revokerRoleArn, keys: taken.session.keys, clockAheadMs: taken.aheadSeconds * 1000 };
}
