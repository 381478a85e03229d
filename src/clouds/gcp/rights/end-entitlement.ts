import { AgentctlError, toAgentctlError } from "../../../core/errors.js";
import { pauseFor } from "../../../core/retry.js";
import type { Story } from "../../story.js";
import type { Asking, Bearer } from "./ask-rights.js";
import { type EndingVerb, endGrant, findOpenGrants, readGrantNow } from "./entitlement-client.js";
import { type EntitlementGrant, isOver } from "./entitlement-grant.js";

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 3_000;
const GROWTH = 1.6;
/** Being ended already. */
const UNDER_WAY: readonly string[] = ["REVOKING", "WITHDRAWING"];
/** On the way to be given: by itself it becomes active. */
const BEGINNING: readonly string[] = ["SCHEDULED", "ACTIVATING"];

export interface EntitlementEnd {
  readonly entitlement: string;
  readonly leaseId: string;
  /** Of that lease's no other than the grant of this name; absent: all. */
  readonly only?: string;
  /** How long the grant's end is waited for. */
  readonly waitMs: number;
  readonly story: Story;
}

/** Whoever asked for the grant, and the granter where there is one. */
export interface Enders {
  readonly granter?: Bearer;
  /** Why there is no granter, though one is named. */
  readonly refusal?: AgentctlError;
  /** Had only where it is needed. @throws {AgentctlError} as `bePrincipal` does */
  principal(): Promise<Bearer>;
}

/**
 * Finds the lease's grant and ends it; answers whether there was one.
 * @throws {AgentctlError} as `askRights` does; NOT_TAKEN_BACK where Google took the request and had not ended it in time
 */
export async function endEntitlement(end: EntitlementEnd, enders: Enders, asking: Asking): Promise<boolean> {
  const { entitlement, leaseId, only, story } = end;
  const { looker, open } = await lookFor(entitlement, enders, asking);
  const ours = open.filter(({ name, ...grant }) => grant.leaseId === leaseId && (only ?? name) === name);
  for (const grant of ours) {
    if (!UNDER_WAY.includes(grant.state)) await askForItsEnd(grant, end, enders, looker, asking);
    await awaitItsEnd(grant, end, looker, asking);
    story.tell(`${grant.name} has ended`);
  }
  return ours.length > 0;
}

/** By the granter where it may look; whoever asked for a grant finds it without any permission. */
async function lookFor(
  entitlement: string,
  { granter, principal }: Enders,
  asking: Asking,
): Promise<{ readonly looker: Bearer; readonly open: readonly EntitlementGrant[] }> {
  try {
    if (granter !== undefined) {
      const looking = { bearer: granter, isRequester: false };
      return { looker: granter, open: await findOpenGrants(entitlement, looking, asking) };
    }
  } catch (error) {
    if (!(error instanceof AgentctlError) || error.code !== "CLOUD_DENIED") throw error;
  }
  const bearer = await principal();
  return { looker: bearer, open: await findOpenGrants(entitlement, { bearer, isRequester: true }, asking) };
}

/** Asks for the grant's end; where Google ends none that only begins, as its guide says, until it has begun. */
async function askForItsEnd(
  grant: EntitlementGrant,
  end: EntitlementEnd,
  enders: Enders,
  looker: Bearer,
  asking: Asking,
): Promise<void> {
  const { runtime, signal } = asking;
  const until = runtime.now() + end.waitMs;
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    const refusal = await tryToEnd(grant, end, enders, looker, asking);
    if (refusal === undefined) return;
    const { state } = await readGrantNow(grant.name, looker, asking);
    if (!BEGINNING.includes(state) || runtime.now() >= until || signal.aborted) {
      end.story.tell(`it is ${state}, and could not be withdrawn either: ${refusal.second.message}`);
      throw refusal.first;
    }
    await pauseFor(pauseMs, signal, runtime);
    pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS);
  }
}

/**
 * Revoked by whoever may; else withdrawn by whoever asked for it, which Google lets every requester do. Answers both
 * refusals where neither is taken, and the grant has not ended otherwise.
 */
async function tryToEnd(
  { name }: EntitlementGrant,
  { leaseId, story }: EntitlementEnd,
  enders: Enders,
  looker: Bearer,
  asking: Asking,
): Promise<{ readonly first: AgentctlError; readonly second: AgentctlError } | undefined> {
  const ask = async (verb: EndingVerb, bearer: Bearer): Promise<void> => {
    await endGrant(verb, name, `agentctl lease ${leaseId} has ended`, bearer, asking);
    story.tell(`asked Google to ${verb} ${name}, as ${bearer.who}`);
  };
  try {
    await ask("revoke", looker);
  } catch (error) {
    if (!(error instanceof AgentctlError) || error.code !== "CLOUD_DENIED") throw error;
    const now = await readGrantNow(name, looker, asking);
    if (isOver(now) || UNDER_WAY.includes(now.state)) return undefined;
    try {
      await ask("withdraw", await enders.principal());
    } catch (second) {
      return { first: error, second: toAgentctlError(second) };
    }
  }
  return undefined;
}

async function awaitItsEnd(
  grant: EntitlementGrant,
  end: EntitlementEnd,
  looker: Bearer,
  asking: Asking,
): Promise<void> {
  const { runtime, signal } = asking;
  const until = runtime.now() + end.waitMs;
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    const now = await readGrantNow(grant.name, looker, asking);
    if (isOver(now)) return;
    if (runtime.now() >= until || signal.aborted) {
      throw new AgentctlError("NOT_TAKEN_BACK", `${grant.name} is ${now.state} after ${end.waitMs / 1000}s`);
    }
    await pauseFor(pauseMs, signal, runtime);
    pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS);
  }
}
