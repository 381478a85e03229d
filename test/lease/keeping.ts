import { vi } from "vitest";
import { AgentctlError } from "../../src/core/errors.js";
import type { Grant } from "../../src/core/lease.js";
import type { CloudName } from "../../src/core/profile.js";
import { Secret } from "../../src/core/secret.js";
import { type KeepInput, type KeptGrants, keepGrants } from "../../src/lease/index.js";

/** Tests count from here, in minutes. */
export const START = Date.parse("2026-01-31T09:00:00Z");
export const MINUTE = 60_000;
export const at = (minutes: number): number => START + minutes * MINUTE;

export interface Lasting {
  readonly cloud?: CloudName;
  readonly channel?: Grant["channel"];
  readonly from?: number;
  /** In minutes. */
  readonly until: number;
  readonly name?: string;
}

export function makeGrant({ cloud = "aws", channel = "endpoint", from = 0, until, name = "first" }: Lasting): Grant {
  const usableUntil = at(until);
  return {
    cloud,
    channel,
    principal: name,
    issuedAt: at(from),
    usableUntil,
    expiresAt: usableUntil,
    variables: {},
    secrets: { token: { value: new Secret(`secret-${name}`), usableUntil } },
    facts: {},
  };
}

/** A question for a grant, for the test to answer. */
export interface Asked {
  readonly cloud: CloudName;
  readonly signal: AbortSignal;
  readonly minute: number;
  give(grant: Grant): void;
  fail(error: AgentctlError): void;
}

export interface Keeping {
  readonly kept: KeptGrants;
  readonly asked: readonly Asked[];
  /** What was told, as `renewed NAME`, `failed CODE`, `recovered NAME`. */
  readonly told: readonly string[];
}

export const CLOUD_AWAY = new AgentctlError("UNREACHABLE", "nobody answers");

/**
 * A lease of an hour by the fake clock. Each renewal waits for the test; with `answer`, it is answered at once.
 */
export function startKeeping(
  grants: readonly Grant[],
  options: Pick<KeepInput, "mintableUntil"> & { answer?: (asked: Asked) => void; deadline?: number } = {},
): Keeping {
  const { answer, deadline = 60, ...rest } = options;
  const asked: Asked[] = [];
  const told: string[] = [];
  const renew = (cloud: CloudName, signal: AbortSignal): Promise<Grant> =>
    new Promise((resolve, reject) => {
      const question = { cloud, signal, minute: minutesNow(), give: resolve, fail: reject };
      asked.push(question);
      answer?.(question);
    });
  const input: KeepInput = {
    ...rest,
    grants,
    terms: { deadlineAt: at(deadline) },
    renew,
    onRenewed: (grant, previous) => told.push(`renewed ${previous.principal} to ${grant.principal}`),
    onFailed: (held, error) => told.push(`failed ${held.principal} ${error.code}`),
    onRecovered: (grant) => told.push(`recovered ${grant.principal}`),
  };
  const kept = keepGrants(input, { now: () => Date.now(), random: () => 0.5 });
  return { kept, asked, told };
}

export function minutesNow(): number {
  return (Date.now() - START) / MINUTE;
}

/** Goes on to a minute of the lease, letting everything on the way happen. */
export async function goTo(minute: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(at(minute) - Date.now());
}
