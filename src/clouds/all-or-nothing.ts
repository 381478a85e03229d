import { type AgentctlError, toAgentctlError } from "../core/errors.js";
import type { Grant, IssueContext } from "../core/lease.js";
import type { CloudName } from "../core/profile.js";
import { nameCloud, worstOf } from "./worst-failure.js";

/** One cloud's part of a lease, ready to be asked for: a grant, or what has to be right beside it. */
export interface Issuing {
  readonly cloud: CloudName;
  /** The cloud's name as a user reads it. */
  readonly title: string;
  issue(context: IssueContext): Promise<Grant | undefined>;
}

/**
 * Asks for all at once. When one fails, the others are aborted and waited for; whatever was issued by then has been
 * told to `onIssued`.
 * @throws {AgentctlError} the worst failure, with the cloud named
 */
export async function issueAllOrNothing(
  issuings: readonly Issuing[],
  context: IssueContext,
  onIssued: (grant: Grant) => void,
): Promise<Grant[]> {
  const stop = new AbortController();
  const passOn = () => stop.abort(context.signal.reason);
  context.signal.addEventListener("abort", passOn, { once: true });
  if (context.signal.aborted) passOn();
  const failures: AgentctlError[] = [];
  const grants: Grant[] = [];
  const attempts = issuings.map(async (issuing) => {
    try {
      const grant = await issuing.issue({
        mintToken: (audiences) => context.mintToken(audiences),
        signal: stop.signal,
      });
      if (grant === undefined) return;
      grants.push(grant);
      onIssued(grant);
    } catch (error) {
      failures.push(nameCloud(toAgentctlError(error), issuing));
      stop.abort();
    }
  });
  await Promise.all(attempts);
  context.signal.removeEventListener("abort", passOn);
  const worst = worstOf(failures);
  if (worst === undefined) return inOrder(grants, issuings);
  throw worst;
}

function inOrder(grants: readonly Grant[], issuings: readonly Issuing[]): Grant[] {
  const clouds = [...new Set(issuings.map(({ cloud }) => cloud))];
  return clouds.flatMap((cloud) => grants.filter((grant) => grant.cloud === cloud));
}
