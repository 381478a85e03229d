import { formatDuration } from "../../../core/durations.js";
import { AgentctlError } from "../../../core/errors.js";
import type { RightsContext, Wait } from "../../../core/lease.js";
import { pauseFor } from "../../../core/retry.js";
import type { Story } from "../../story.js";
import type { Asking } from "./ask-rights.js";
import { testPermissions } from "./policy-client.js";
import type { Renewal } from "./renewal.js";
import type { PolicyResource } from "./resources.js";
import { workingText } from "./working-text.js";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
const GROWTH = 1.5;
/** Google's servers do not all learn of a change at the same moment. */
const TIMES_IN_A_ROW = 3;
/** What may be over by the next time. */
const PASSING: readonly string[] = ["UNREACHABLE", "THROTTLED", "SERVICE_FAILED"];

export interface Readiness {
  readonly resource: PolicyResource;
  readonly permissions: readonly string[];
  /** How long it is waited for, in all. */
  readonly timeoutSeconds: number;
  readonly wait: Required<Wait>;
  readonly story: Story;
}

/**
 * Waits until the lease's own principal has all of the permissions, three times in a row.
 * @throws {AgentctlError} NOT_READY with what is missing; what `be` throws, and as `askRights` does but for a refusal
 *   of the principal, which may be for want of the very right that is waited for, and for what may pass
 */
export async function awaitReady(
  { resource, permissions, timeoutSeconds, wait, story }: Readiness,
  be: Renewal,
  { onProgress }: Pick<RightsContext, "onProgress">,
  asking: Asking,
): Promise<void> {
  const { runtime, signal } = asking;
  let [inARow, pauseMs] = [0, FIRST_PAUSE_MS];
  for (;;) {
    const seen = await look(resource, permissions, be, asking);
    inARow = seen.missing.length === 0 ? inARow + 1 : 0;
    if (inARow === TIMES_IN_A_ROW) return story.tell(`${workingText(permissions, resource)} for ${seen.who}`);
    if (seen.missing.length > 0 && runtime.now() >= wait.until) throw notReady(resource, seen, timeoutSeconds);
    onProgress(`waiting for ${describe(seen, permissions, resource)}`, wait);
    await pauseFor(inARow > 0 ? FIRST_PAUSE_MS : pauseMs, signal, runtime);
    if (signal.aborted) throw interruption(signal);
    pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS);
  }
}

interface Seen {
  readonly who: string;
  readonly missing: readonly string[];
  /** Google's words, where it gave no answer to the question. */
  readonly refusal?: string;
}

async function look(
  resource: PolicyResource,
  permissions: readonly string[],
  be: Renewal,
  asking: Asking,
): Promise<Seen> {
  const bearer = await be();
  const { who } = bearer;
  try {
    const granted = await testPermissions(resource, permissions, bearer, asking);
    return { who, missing: permissions.filter((permission) => !granted.includes(permission)) };
  } catch (error) {
    if (!(error instanceof AgentctlError)) throw error;
    if (!isRefusalOfPrincipal(error) && !PASSING.includes(error.code)) throw error;
    return { who, missing: permissions, refusal: error.message };
  }
}

/** A question that makes no sense to Google, such as one about a permission that there is not, will make none later. */
function isRefusalOfPrincipal({ code, facts }: AgentctlError): boolean {
  return code === "CLOUD_DENIED" && facts["httpStatus"] !== 400;
}

function describe({ missing }: Seen, permissions: readonly string[], { name }: PolicyResource): string {
  return `${(missing.length === 0 ? permissions : missing).join(", ")} on ${name}`;
}

function notReady({ name }: PolicyResource, { who, missing, refusal }: Seen, timeoutSeconds: number): AgentctlError {
  const said = refusal === undefined ? "" : `; ${refusal}`;
  const message = `${who} does not have ${missing.join(", ")} on ${name} after ${formatDuration(timeoutSeconds)}${said}`;
  return new AgentctlError("NOT_READY", message, {
    hint: `${missing.length === 1 ? "it may be misspelt, or not" : "they may be misspelt, or not all"} in the roles given: check gcp.ready, or raise gcp.ready.timeout, since Google says 7 minutes or longer`,
    facts: { resource: name, missing, waitedSeconds: timeoutSeconds },
  });
}

function interruption(signal: AbortSignal): AgentctlError {
  if (signal.reason instanceof AgentctlError) return signal.reason;
  return new AgentctlError("INTERRUPTED", "interrupted while what was given was waited for");
}
