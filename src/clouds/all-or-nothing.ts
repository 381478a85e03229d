import { AgentctlError, toAgentctlError } from "../core/errors.js";
import { EXIT } from "../core/exit-codes.js";
import type { Grant, IssueContext } from "../core/lease.js";
import type { CloudName } from "../core/profile.js";

/** One cloud's part of a lease, ready to be asked for: a grant, or what has to be right beside it. */
export interface Issuing {
  readonly cloud: CloudName;
  /** The cloud's name as a user reads it. */
  readonly title: string;
  issue(context: IssueContext): Promise<Grant | undefined>;
}

/**
 * When several clouds fail, the one that says most about what to change is told: a denial, then wrong
 * configuration, then a senseless answer, then a defect, then a service out of reach; the interruption
 * that a failure causes in the others comes last.
 */
const WORST_FIRST: readonly number[] = [
  EXIT.denied,
  EXIT.config,
  EXIT.protocol,
  EXIT.defect,
  EXIT.io,
  EXIT.unavailable,
];

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

function worstOf(failures: readonly AgentctlError[]): AgentctlError | undefined {
  return [...failures].sort((one, other) => rankOf(one) - rankOf(other))[0];
}

function rankOf(error: AgentctlError): number {
  const rank = error.code === "INTERRUPTED" ? -1 : WORST_FIRST.indexOf(error.exitCode);
  return rank < 0 ? WORST_FIRST.length : rank;
}

function inOrder(grants: readonly Grant[], issuings: readonly Issuing[]): Grant[] {
  const clouds = [...new Set(issuings.map(({ cloud }) => cloud))];
  return clouds.flatMap((cloud) => grants.filter((grant) => grant.cloud === cloud));
}

function nameCloud(error: AgentctlError, { cloud, title }: Issuing): AgentctlError {
  // As one of the first words: further on, an audience or a subject may hold the name by chance.
  const named = error.code === "INTERRUPTED" || new RegExp(`^(\\w+ ){0,2}${title}\\b`).test(error.message);
  const message = named ? error.message : `${title}: ${error.message}`;
  return copyOf(error, message, { cloud });
}

function copyOf(error: AgentctlError, message: string, facts: AgentctlError["facts"]): AgentctlError {
  return new AgentctlError(error.code, message, {
    ...(error.hint !== undefined && { hint: error.hint }),
    facts: { ...error.facts, ...facts },
    exitCode: error.exitCode,
    cause: error.cause,
  });
}
