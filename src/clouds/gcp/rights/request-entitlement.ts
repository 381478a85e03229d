import { AgentctlError } from "../../../core/errors.js";
import type { GrantTerms, RightsContext, Wait } from "../../../core/lease.js";
import { pauseFor } from "../../../core/retry.js";
import type { Story } from "../../story.js";
import type { Asking } from "./ask-rights.js";
import { createGrant, findOpenGrants, readGrantNow } from "./entitlement-client.js";
import { busyError, neverActive, notActive, waitingText } from "./entitlement-errors.js";
import { type EntitlementGrant, isOver, justificationOf, requestedSeconds, requestIdOf } from "./entitlement-grant.js";
import type { Renewal } from "./renewal.js";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
const GROWTH = 1.5;
/** What was in the way can have ended before it is looked for; more often than this it was something else. */
const MOST_UNEXPLAINED = 3;

export interface EntitlementRequest {
  readonly entitlement: string;
  readonly terms: Pick<GrantTerms, "leaseId" | "profileName" | "latestEndsAt">;
  /** Nobody waits any longer. */
  readonly wait: Required<Wait>;
  readonly story: Story;
}

type Told = Pick<RightsContext, "onAsking" | "onProgress" | "onNotice">;

/**
 * Asks for a grant for the lease as its own principal, and waits until it is active.
 * @throws {AgentctlError} ASSIGNMENT_BUSY while an earlier grant of the same principal stands in the way, NOT_READY where
 *   it did not become active in time, CLOUD_DENIED where it never will; as `askRights` does, and what `be` throws
 */
export async function requestEntitlement(
  request: EntitlementRequest,
  be: Renewal,
  told: Told,
  asking: Asking,
): Promise<void> {
  const { entitlement, wait, story } = request;
  const asked = await askForGrant(request, be, told, asking);
  story.tell(`asked for ${asked.name} as ${(await be()).who}`);
  let [grant, pauseMs, isApprovalTold] = [asked, FIRST_PAUSE_MS, false];
  while (grant.state !== "ACTIVE") {
    if (isOver(grant)) throw neverActive(entitlement, grant);
    if (grant.state === "APPROVAL_AWAITED" && !isApprovalTold) {
      told.onNotice(`gcp: ${grant.name} waits for somebody to approve it`);
      isApprovalTold = true;
    }
    if (asking.runtime.now() >= wait.until) throw notActive(entitlement, grant, waitedMs(request, asking));
    told.onProgress(`waiting for ${entitlement}: ${grant.state}`, wait);
    await waitFor(pauseMs, asking);
    pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS);
    grant = await readGrantNow(asked.name, await be(), asking);
  }
  story.tell(`${asked.name} is active`);
}

/** Asks until Google takes the request: it does not while another grant of the same principal is open. */
async function askForGrant(
  request: EntitlementRequest,
  be: Renewal,
  told: Told,
  asking: Asking,
): Promise<EntitlementGrant> {
  const { entitlement, wait } = request;
  let [pauseMs, toldOf, unexplained] = [FIRST_PAUSE_MS, "", 0];
  for (;;) {
    const seen = await askOnce(request, be, told, asking);
    if ("grant" in seen) return seen.grant;
    const { other, error } = seen;
    unexplained = other === undefined ? unexplained + 1 : 0;
    if (unexplained > MOST_UNEXPLAINED) throw error;
    if (other !== undefined) {
      if (asking.runtime.now() >= wait.until) throw busyError(entitlement, other, waitedMs(request, asking));
      const text = waitingText(entitlement, other);
      if (toldOf !== other.name) told.onNotice(`gcp: ${text}`);
      toldOf = other.name;
      told.onProgress(text, wait);
    }
    await waitFor(pauseMs, asking);
    pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS);
  }
}

type Answered =
  | { readonly grant: EntitlementGrant }
  /** Google refused since something is open already: `other`, where it still is. */
  | { readonly error: AgentctlError; readonly other: EntitlementGrant | undefined };

async function askOnce(
  { entitlement, terms }: EntitlementRequest,
  be: Renewal,
  { onAsking }: Pick<Told, "onAsking">,
  asking: Asking,
): Promise<Answered> {
  const { leaseId, profileName, latestEndsAt } = terms;
  const wanted = {
    entitlement,
    requestId: requestIdOf(leaseId),
    // Of what is left: others may have been waited for.
    seconds: requestedSeconds(latestEndsAt - asking.runtime.now()),
    justification: justificationOf(leaseId, profileName, latestEndsAt),
  };
  const bearer = await be();
  throwIfInterrupted(asking.signal);
  onAsking();
  try {
    return { grant: await createGrant(wanted, bearer, asking) };
  } catch (error) {
    if (!(error instanceof AgentctlError) || !isAboutOthers(error)) throw error;
    const open = await findOpenGrants(entitlement, { bearer, isRequester: true }, asking);
    // An earlier try of ours, whose answer was lost.
    const own = open.find((grant) => grant.leaseId === leaseId);
    return own === undefined ? { error, other: open[0] } : { grant: own };
  }
}

function isAboutOthers({ code, facts, message }: AgentctlError): boolean {
  if (code !== "CLOUD_DENIED") return false;
  const googleCode = facts["googleCode"];
  if (googleCode === "ALREADY_EXISTS") return true;
  const mayBe = googleCode === "FAILED_PRECONDITION" || googleCode === "INVALID_ARGUMENT";
  return mayBe && /open|already|exist|same scope/i.test(message);
}

function waitedMs({ story }: EntitlementRequest, { runtime }: Asking): number {
  return runtime.now() - story.startedAt;
}

async function waitFor(ms: number, { signal, runtime }: Asking): Promise<void> {
  await pauseFor(ms, signal, runtime);
  throwIfInterrupted(signal);
}

function throwIfInterrupted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw signal.reason instanceof AgentctlError
    ? signal.reason
    : new AgentctlError("INTERRUPTED", "interrupted while a grant of an entitlement was waited for");
}
