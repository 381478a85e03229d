import { formatInstant } from "../../core/durations.js";
import type { Facts, Grant, GrantTerms, IssueContext } from "../../core/lease.js";
import type { AwsSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import type { SessionKeys } from "./assumed-session.js";
import { askOnTheRightClock, clockNotice, type OnClock } from "./clock.js";
import { derivedSessionsOf } from "./ending.js";
import { resolveStsEndpoint } from "./endpoint.js";
import { assumeHop, type Exchange } from "./exchange.js";
import { fenceOf, type Hop, planHops } from "./hops.js";
import { EXCHANGE_LIMITS, type ExchangeLimits } from "./limits.js";
import { sessionNameOf } from "./session-name.js";
import { grantVariables } from "./variables.js";

/** One hop taken, and what STS gave for it. */
interface Taken extends OnClock {
  readonly hop: Hop;
}

/**
 * Trades the OIDC token for the session of the profile's last role, hop by hop.
 * @throws {AgentctlError} as `assumeHop` and `planHops` do
 */
export async function issueAwsGrant(
  settings: AwsSettings,
  terms: GrantTerms,
  context: IssueContext,
  runtime: Runtime,
  limits: ExchangeLimits = EXCHANGE_LIMITS,
): Promise<Grant> {
  const endpoint = resolveStsEndpoint(settings, runtime);
  const base = { sessionName: sessionNameOf(terms), audiences: settings.audiences, endpoint, limits };
  const taken: Taken[] = [];
  for (const hop of planHops(settings, terms)) {
    const before = taken.at(-1);
    const from = before && { roleArn: before.hop.roleArn, keys: before.session.keys };
    const ask = (aheadSeconds: number) => {
      const clockAheadMs = aheadSeconds * 1000;
      const policy = hop.policyAt(fenceOf(terms) + clockAheadMs);
      return assumeHop(
        { ...base, hop, policy, clockAheadMs, ...(from && { from }) } satisfies Exchange,
        context,
        runtime,
      );
    };
    taken.push({ hop, ...(await askOnTheRightClock(hop, before?.aheadSeconds ?? 0, ask)) });
  }
  return grantOf(settings, terms, taken, endpoint.override?.url);
}

function grantOf(
  settings: AwsSettings,
  terms: GrantTerms,
  taken: readonly Taken[],
  endpointUrl: string | undefined,
): Grant {
  const last = taken[taken.length - 1] as Taken;
  const expiresAt = last.session.expiresAtSts - last.aheadSeconds * 1000;
  const usableUntil = Math.min(fenceOf(terms), expiresAt);
  return {
    cloud: "aws",
    channel: terms.channel,
    principal: last.session.arn,
    issuedAt: Math.round(last.askedAt),
    usableUntil,
    expiresAt,
    variables: grantVariables(settings, last.session.keys, usableUntil, terms.channel),
    secrets: secretsOf(last.session.keys, usableUntil),
    facts: {
      fencedAt: formatInstant(fenceOf(terms)),
      ...grantFacts(settings, taken, last),
      ...(endpointUrl !== undefined && { stsEndpoint: endpointUrl }),
    },
  };
}

function secretsOf(keys: SessionKeys, usableUntil: number): Grant["secrets"] {
  return Object.fromEntries(Object.entries(keys).map(([name, value]) => [name, { value, usableUntil }]));
}

function grantFacts(settings: AwsSettings, taken: readonly Taken[], last: Taken): Facts {
  const { session, hop, aheadSeconds } = last;
  const packed = session.packedPolicySizePercent;
  const passing = taken.slice(0, -1).map(describePassing);
  return {
    role: hop.roleArn,
    assumedRoleId: session.assumedRoleId,
    durationSeconds: hop.durationSeconds,
    policyCharactersUsed: hop.budget.used,
    policyCharactersLeft: hop.budget.left,
    derivedSessions: derivedSessionsOf(settings),
    fenceForwarded: settings.fenceForwarded,
    ...(packed !== undefined && { packedPolicySizePercent: packed }),
    ...(passing.length > 0 && { passedThrough: passing }),
    ...(aheadSeconds !== 0 && { clockSkewSeconds: aheadSeconds, notice: clockNotice(aheadSeconds) }),
  };
}

function describePassing({ session }: Taken): string {
  const packed = session.packedPolicySizePercent;
  return packed === undefined ? session.arn : `${session.arn}, session policy packed to ${packed}%`;
}
