import { formatInstant } from "../../../core/durations.js";
import { AgentctlError } from "../../../core/errors.js";
import type { GrantTerms, RightsContext } from "../../../core/lease.js";
import { pauseFor } from "../../../core/retry.js";
import { type Story, secondsSince } from "../../story.js";
import type { Asking, Bearer } from "./ask-rights.js";
import { createGrant, findOpenGrants, readGrantNow } from "./entitlement-client.js";
import { type EntitlementGrant, isOver, justificationOf, requestedSeconds, requestIdOf } from "./entitlement-grant.js";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
const GROWTH = 1.5;

export interface EntitlementRequest {
  readonly entitlement: string;
  readonly terms: Pick<GrantTerms, "leaseId" | "profileName" | "latestEndsAt">;
  /** Nobody waits any longer than until then; epoch ms. */
  readonly until: number;
  readonly story: Story;
}

type Told = Pick<RightsContext, "onProgress" | "onNotice">;

/**
 * Asks for a grant for the lease as its own principal, and waits until it is active.
 * @throws {AgentctlError} ASSIGNMENT_BUSY while an earlier grant of the same principal stands in the way, NOT_READY where
 *   it did not become active in time, CLOUD_DENIED where it never will; and as `askRights` does
 */
export async function requestEntitlement(
  request: EntitlementRequest,
  bearer: Bearer,
  told: Told,
  asking: Asking,
): Promise<void> {
  const { entitlement, story } = request;
  const asked = await askForGrant(request, bearer, told, asking);
  story.tell(`asked for ${asked.name} as ${bearer.who}`);
  let [grant, pauseMs, isApprovalTold] = [asked, FIRST_PAUSE_MS, false];
  while (grant.state !== "ACTIVE") {
    if (isOver(grant)) throw neverActive(entitlement, grant);
    if (grant.state === "APPROVAL_AWAITED" && !isApprovalTold) {
      told.onNotice(`Google Cloud: ${grant.name} waits for somebody to approve it`);
      isApprovalTold = true;
    }
    if (asking.runtime.now() >= request.until) throw notActive(request, grant, asking);
    told.onProgress(`waiting for ${entitlement}: ${grant.state} (${sinceStart(story, asking)})`);
    await waitFor(pauseMs, asking);
    pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS);
    grant = await readGrantNow(asked.name, bearer, asking);
  }
  story.tell(`${asked.name} is active`);
}

/** Asks until Google takes the request: it does not while another grant of the same principal is open. */
async function askForGrant(
  request: EntitlementRequest,
  bearer: Bearer,
  told: Told,
  asking: Asking,
): Promise<EntitlementGrant> {
  const { entitlement, terms, until, story } = request;
  const wanted = {
    entitlement,
    requestId: requestIdOf(terms.leaseId),
    seconds: requestedSeconds(terms.latestEndsAt - asking.runtime.now()),
    justification: justificationOf(terms.leaseId, terms.profileName),
  };
  let [pauseMs, toldOf] = [FIRST_PAUSE_MS, ""];
  for (;;) {
    try {
      return await createGrant(wanted, bearer, asking);
    } catch (error) {
      const other = await findWhatIsInTheWay(error, request, bearer, asking);
      if (other === undefined) throw error;
      const text = describeBusy(entitlement, other);
      if (asking.runtime.now() >= until) throw busy(text, other);
      if (toldOf !== other.name) told.onNotice(`Google Cloud: ${text}; waiting`);
      toldOf = other.name;
      told.onProgress(`${text} (${sinceStart(story, asking)})`);
    }
    await waitFor(pauseMs, asking);
    pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS);
  }
}

/** An open grant of the same principal that is not the lease's own, when that can be why Google refused. */
async function findWhatIsInTheWay(
  error: unknown,
  { entitlement, terms }: EntitlementRequest,
  bearer: Bearer,
  asking: Asking,
): Promise<EntitlementGrant | undefined> {
  if (!(error instanceof AgentctlError) || error.code !== "CLOUD_DENIED" || !isAboutOthers(error)) return undefined;
  const open = await findOpenGrants(entitlement, { bearer, isRequester: true }, asking);
  return open.find(({ leaseId }) => leaseId !== terms.leaseId);
}

function isAboutOthers({ facts, message }: AgentctlError): boolean {
  const code = facts["googleCode"];
  if (code === "ALREADY_EXISTS") return true;
  return (
    (code === "FAILED_PRECONDITION" || code === "INVALID_ARGUMENT") && /open|already|exist|same scope/i.test(message)
  );
}

function describeBusy(entitlement: string, { leaseId, requester, endsAt }: EntitlementGrant): string {
  const whose = leaseId === undefined ? `a grant of ${requester}, not of agentctl,` : `lease ${leaseId}`;
  const end = endsAt === undefined ? "" : `, until ${formatInstant(endsAt)} at the latest`;
  return `${whose} has ${entitlement}${end}`;
}

function busy(text: string, { name, state }: EntitlementGrant): AgentctlError {
  return new AgentctlError("ASSIGNMENT_BUSY", `${text}, and Google gives it to one at a time`, {
    hint: "try again when that has ended, or give the profile a service account of its own",
    facts: { grant: name, state },
  });
}

function neverActive(entitlement: string, { name, state }: EntitlementGrant): AgentctlError {
  const why = state === "DENIED" ? "its approver said no" : `it is ${state}`;
  return new AgentctlError("CLOUD_DENIED", `Google did not give ${entitlement}: ${why}`, {
    hint: `look at ${name} in Privileged Access Manager`,
    facts: { grant: name, state },
  });
}

function notActive({ entitlement, story }: EntitlementRequest, { name, state }: EntitlementGrant, asking: Asking) {
  const message = `${entitlement} was not active after ${sinceStart(story, asking)}: it is ${state}`;
  const hint =
    state === "APPROVAL_AWAITED"
      ? "have it approved in time, or raise gcp.ready.timeout"
      : "raise gcp.ready.timeout, or try again in a while";
  return new AgentctlError("NOT_READY", message, { hint, facts: { grant: name, state } });
}

function sinceStart({ startedAt }: Story, { runtime }: Asking): string {
  return secondsSince(startedAt, runtime.now());
}

async function waitFor(ms: number, { signal, runtime }: Asking): Promise<void> {
  await pauseFor(ms, signal, runtime);
  if (!signal.aborted) return;
  throw signal.reason instanceof AgentctlError
    ? signal.reason
    : new AgentctlError("INTERRUPTED", "interrupted while a grant of an entitlement was waited for");
}
