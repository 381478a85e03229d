import { formatDuration } from "../../../core/durations.js";
import { AgentctlError } from "../../../core/errors.js";
import type { RightsContext } from "../../../core/lease.js";
import { pauseFor } from "../../../core/retry.js";
import { type Story, secondsSince } from "../../story.js";
import type { Asking, Bearer } from "./ask-rights.js";
import { testPermissions } from "./policy-client.js";
import type { PolicyResource } from "./resources.js";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
const GROWTH = 1.5;
/** Google's servers do not all learn of a change at the same moment. */
const TIMES_IN_A_ROW = 3;
/** A token that ends within this is replaced before it is used. */
const SPARE_MS = 60_000;

export interface Readiness {
  readonly resource: PolicyResource;
  readonly permissions: readonly string[];
  /** How long it is waited for, in all. */
  readonly timeoutSeconds: number;
  /** Epoch ms. */
  readonly until: number;
  readonly story: Story;
}

/**
 * Waits until the lease's own principal has all of the permissions, three times in a row.
 * @throws {AgentctlError} NOT_READY with what is missing; what `bePrincipal` throws, and as `askRights` does but for a
 *   refusal, which may be for want of the very right that is waited for
 */
export async function awaitReady(
  { resource, permissions, timeoutSeconds, until, story }: Readiness,
  bePrincipal: () => Promise<Bearer>,
  { onProgress }: Pick<RightsContext, "onProgress">,
  asking: Asking,
): Promise<void> {
  const { runtime, signal } = asking;
  let bearer = await bePrincipal();
  let [inARow, pauseMs] = [0, FIRST_PAUSE_MS];
  for (;;) {
    if (bearer.expiresAt - runtime.now() < SPARE_MS) bearer = await bePrincipal();
    const seen = await look(resource, permissions, bearer, asking);
    inARow = seen.missing.length === 0 ? inARow + 1 : 0;
    if (inARow === TIMES_IN_A_ROW) break;
    if (seen.missing.length > 0 && runtime.now() >= until) throw notReady(resource, seen, timeoutSeconds);
    onProgress(
      `waiting for ${describe(seen, permissions, resource)} (${secondsSince(story.startedAt, runtime.now())})`,
    );
    await pauseFor(inARow > 0 ? FIRST_PAUSE_MS : pauseMs, signal, runtime);
    if (signal.aborted) throw interruption(signal);
    pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS);
  }
  story.tell(`${permissions.join(", ")} on ${resource.name} work for ${bearer.who}`);
}

interface Seen {
  readonly missing: readonly string[];
  /** Google's words, where it gave no answer to the question. */
  readonly refusal?: string;
}

async function look(
  resource: PolicyResource,
  permissions: readonly string[],
  bearer: Bearer,
  asking: Asking,
): Promise<Seen> {
  try {
    const granted = await testPermissions(resource, permissions, bearer, asking);
    return { missing: permissions.filter((permission) => !granted.includes(permission)) };
  } catch (error) {
    if (!(error instanceof AgentctlError) || error.code !== "CLOUD_DENIED") throw error;
    return { missing: permissions, refusal: error.message };
  }
}

function describe({ missing }: Seen, permissions: readonly string[], { name }: PolicyResource): string {
  return `${(missing.length === 0 ? permissions : missing).join(", ")} on ${name}`;
}

function notReady({ name }: PolicyResource, { missing, refusal }: Seen, timeoutSeconds: number): AgentctlError {
  const said = refusal === undefined ? "" : `; ${refusal}`;
  const message = `what was given on ${name} did not work within ${formatDuration(timeoutSeconds)}: without ${missing.join(", ")}${said}`;
  return new AgentctlError("NOT_READY", message, {
    hint: "check that the roles given have these permissions there, or raise gcp.ready.timeout: Google says 7 minutes or longer",
    facts: { resource: name, missing },
  });
}

function interruption(signal: AbortSignal): AgentctlError {
  if (signal.reason instanceof AgentctlError) return signal.reason;
  return new AgentctlError("INTERRUPTED", "interrupted while what was given was waited for");
}
