import { AgentctlError } from "../../../core/errors.js";
import { pauseFor } from "../../../core/retry.js";
import { scrub } from "../../../core/scrub.js";
import { withGrace } from "../../within-time.js";
import type { Asking, Bearer } from "./ask-rights.js";
import { isOfGoneMember } from "./gone-member.js";
import { getPolicy, setPolicy } from "./policy-client.js";
import type { PolicyResource } from "./resources.js";

/** How long others may be first, before that is a failure. */
export interface ChangeLimits {
  readonly attempts: number;
  readonly changeMs: number;
}

const FIRST_PAUSE_MS = 100;
/** Thirty leases that want the same policy spread over this much. */
const LONGEST_PAUSE_MS = 6_000;
const GROWTH = 1.5;
/** A member that somebody deleted is seen as deleted by then, or else it is more than that. */
const MOST_GONE = 12;
/** A write that was sent is not given up at once: it could land after what was given has been taken back. */
export const WRITE_GRACE_MS = 8_000;

/** What becomes of a policy's bindings, and what is told of it; without `bindings` nothing is written. */
export interface Change<Told> {
  readonly bindings?: readonly unknown[];
  readonly told: Told;
  /** Called right before they are sent, each time. */
  readonly onWrite?: () => void;
}

/**
 * Reads the policy, lets `change` have its bindings, and writes them back unless somebody else wrote meanwhile, or deleted
 * one of its members: then all of it again, with a growing pause of random length, as where Google asks for fewer requests.
 * @throws {AgentctlError} as `getPolicy`, `setPolicy` and `change` do; SERVICE_FAILED where others were first every time
 */
export async function changePolicy<Told>(
  resource: PolicyResource,
  change: (bindings: readonly unknown[], googleNow: number) => Change<Told>,
  bearer: Bearer,
  asking: Asking,
  limits: ChangeLimits,
): Promise<Told> {
  const { runtime, signal } = asking;
  const until = runtime.now() + limits.changeMs;
  let [pauseMs, gone] = [FIRST_PAUSE_MS, 0];
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await tryOnce(resource, change, bearer, asking);
    if (outcome.later === undefined) return outcome.told;
    gone += outcome.isGone === true ? 1 : 0;
    if (attempt >= limits.attempts || gone > MOST_GONE || runtime.now() >= until) throw outcome.later;
    await pauseFor(runtime.random() * pauseMs, signal, runtime);
    if (signal.aborted) throw interruption(signal);
    pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS);
  }
}

/** What is told, or why another try may fare better. */
type Outcome<Told> =
  | { readonly told: Told; readonly later?: undefined }
  | { readonly told?: undefined; readonly later: AgentctlError; readonly isGone?: boolean };

async function tryOnce<Told>(
  resource: PolicyResource,
  change: (bindings: readonly unknown[], googleNow: number) => Change<Told>,
  bearer: Bearer,
  asking: Asking,
): Promise<Outcome<Told>> {
  const { signal } = asking;
  let read: readonly unknown[] = [];
  try {
    const { policy, googleNow } = await getPolicy(resource, bearer, asking);
    read = policy.bindings;
    const { bindings, told, onWrite } = change(policy.bindings, googleNow);
    if (bindings === undefined) return { told };
    if (signal.aborted) throw interruption(signal);
    onWrite?.();
    const { conflict } = await withGrace(WRITE_GRACE_MS, signal, (patient) =>
      setPolicy(resource, { policy, bindings }, bearer, { ...asking, signal: patient }),
    );
    return conflict === undefined ? { told } : { later: overtaken(resource, bearer, conflict) };
  } catch (error) {
    if (error instanceof AgentctlError && error.code === "THROTTLED") return { later: error };
    if (isOfGoneMember(error, read)) return { later: error, isGone: true };
    throw error;
  }
}

function overtaken({ name }: PolicyResource, { who, token }: Bearer, conflict: string): AgentctlError {
  const said = scrub(conflict, [token]);
  const message = `the policy of ${name} was changed by others each time before ${who} could write it: ${said}`;
  return new AgentctlError("SERVICE_FAILED", message, {
    hint: "try again in a while; where somebody rewrites the policy all the time, find out who",
    facts: { resource: name },
  });
}

function interruption(signal: AbortSignal): AgentctlError {
  if (signal.reason instanceof AgentctlError) return signal.reason;
  return new AgentctlError("INTERRUPTED", "interrupted while a policy was changed");
}
