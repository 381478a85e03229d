import { formatInstant } from "../../../core/durations.js";
import { AgentctlError } from "../../../core/errors.js";
import { pauseFor } from "../../../core/retry.js";
import { scrub } from "../../exchange/scrub.js";
import type { Asking, Bearer } from "./ask-rights.js";
import { getPolicy, setPolicy } from "./policy-client.js";
import type { PolicyResource } from "./resources.js";
import { withGrace } from "./within-time.js";

/** How long others may be first, before that is a failure. */
export interface ChangeLimits {
  readonly attempts: number;
  readonly changeMs: number;
}

const FIRST_PAUSE_MS = 100;
/** Thirty leases that want the same policy spread over this much. */
const LONGEST_PAUSE_MS = 6_000;
const GROWTH = 1.5;
/** A write that was sent is not given up at once: it could land after what was given has been taken back. */
const WRITE_GRACE_MS = 8_000;

/** What becomes of a policy's bindings, and what is told of it; without `bindings` nothing is written. */
export interface Change<Told> {
  readonly bindings?: readonly unknown[];
  readonly told: Told;
}

/**
 * Reads the policy, lets `change` have its bindings, and writes them back unless somebody else wrote meanwhile: then all
 * of it again, with a growing pause of random length.
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
  let conflict = "";
  let pauseMs = FIRST_PAUSE_MS;
  for (let attempt = 1; attempt <= limits.attempts && (attempt === 1 || runtime.now() < until); attempt += 1) {
    const { policy, googleNow } = await getPolicy(resource, bearer, asking);
    const { bindings, told } = change(policy.bindings, googleNow);
    if (bindings === undefined) return told;
    if (signal.aborted) throw interruption(signal);
    const written = await withGrace(WRITE_GRACE_MS, signal, (patient) =>
      setPolicy(resource, { policy, bindings }, bearer, { ...asking, signal: patient }),
    );
    if (written.conflict === undefined) return told;
    conflict = scrub(written.conflict, [bearer.token]);
    await pauseFor(runtime.random() * pauseMs, signal, runtime);
    if (signal.aborted) throw interruption(signal);
    pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS);
  }
  const message = `the policy of ${resource.name} was changed by others each time before ${bearer.who} could write it: ${conflict}`;
  throw new AgentctlError("SERVICE_FAILED", message, {
    hint: "try again in a while; where somebody rewrites the policy all the time, find out who",
    facts: { resource: resource.name, givenUpAt: formatInstant(runtime.now()) },
  });
}

function interruption(signal: AbortSignal): AgentctlError {
  if (signal.reason instanceof AgentctlError) return signal.reason;
  return new AgentctlError("INTERRUPTED", "interrupted while a policy was changed");
}
