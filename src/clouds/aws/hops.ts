import { formatDuration } from "../../core/durations.js";
import { AgentctlError } from "../../core/errors.js";
import type { GrantTerms } from "../../core/lease.js";
import type { AwsHop, AwsSettings } from "../../core/profile.js";
import { lifetimeKey } from "../lifetime-key.js";
import { checkPolicyBudget, type PolicyBudget } from "./policy-budget.js";
import { lastHopPolicy, passingHopPolicy, serializePolicy } from "./session-policy.js";

/** The shortest and the longest session that STS gives, and the longest of a role assumed from a role. */
const SHORTEST_SECONDS = 900;
const LONGEST_SECONDS = 43_200;
const LONGEST_CHAINED_SECONDS = 3_600;

/** One call to STS: which role, for how long, how narrowly. The first is asked with the OIDC token. */
export interface Hop extends AwsHop {
  readonly durationSeconds: number;
  readonly policyArns: readonly string[];
  readonly budget: PolicyBudget;
  /** The session policy to send, with the fence at `fenceAt` (epoch ms by STS's clock). */
  readonly policyAt: (fenceAt: number) => string;
}

type HopTerms = Pick<GrantTerms, "channel" | "lifetimeSeconds" | "endsAt">;

/**
 * The calls that lead from the OIDC token to the session of the last role, each within AWS's limits.
 * @throws {AgentctlError} CONFIG_INVALID, POLICY_INVALID, POLICY_TOO_LONG
 */
export function planHops(settings: AwsSettings, terms: HopTerms): readonly Hop[] {
  checkDuration(settings, terms);
  const roles: readonly AwsHop[] = [{ roleArn: settings.roleArn }, ...settings.chain];
  const at = fenceOf(terms);
  return roles.map((role, index) => {
    const next = roles[index + 1];
    return next === undefined ? lastHop(role, settings, terms.lifetimeSeconds, at) : passingHop(role, next, at);
  });
}

/** The grant's end in whole seconds, rounded down, as the policy can say it. */
export function fenceOf(terms: Pick<GrantTerms, "endsAt">): number {
  return Math.floor(terms.endsAt / 1000) * 1000;
}

function lastHop(role: AwsHop, settings: AwsSettings, lifetimeSeconds: number, fenceAt: number): Hop {
  const policyAt = (at: number) => lastHopPolicy(settings, at);
  const own = settings.sessionPolicy === undefined ? 0 : serializePolicy(settings.sessionPolicy.document).length;
  return {
    ...role,
    durationSeconds: Math.max(SHORTEST_SECONDS, lifetimeSeconds),
    policyArns: settings.policyArns,
    budget: checkPolicyBudget(policyAt(fenceAt), settings.policyArns, own),
    policyAt,
  };
}

/** Its session is used once, at once: the shortest that STS gives will do. */
function passingHop(role: AwsHop, next: AwsHop, fenceAt: number): Hop {
  const policyAt = (at: number) => passingHopPolicy(next.roleArn, at);
  const budget = checkPolicyBudget(policyAt(fenceAt), [], 0);
  return { ...role, durationSeconds: SHORTEST_SECONDS, policyArns: [], budget, policyAt };
}

function checkDuration(settings: AwsSettings, { channel, lifetimeSeconds }: HopTerms): void {
  const key = lifetimeKey(channel);
  const asked = `${key} is ${formatDuration(lifetimeSeconds)}`;
  if (lifetimeSeconds > LONGEST_SECONDS) {
    const message = `${asked}, and an AWS session lasts 12h at most`;
    throw new AgentctlError("CONFIG_INVALID", message, { hint: `lower ${key} to 12h or less` });
  }
  if (settings.chain.length > 0 && lifetimeSeconds > LONGEST_CHAINED_SECONDS) {
    const orElse = channel === "env" ? ", or deliver by the endpoint, which renews what it gives" : "";
    const message = `${asked}, and AWS lets a chained role's session last 1h at most`;
    throw new AgentctlError("CONFIG_INVALID", message, { hint: `lower ${key} to 1h or less${orElse}` });
  }
}
