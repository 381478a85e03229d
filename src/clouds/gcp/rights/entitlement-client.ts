import { AgentctlError } from "../../../core/errors.js";
import type { Refusal } from "../../exchange/failed-try.js";
import { fieldOf, textOf } from "../../exchange/wire.js";
import { type Asking, askRights, type Bearer } from "./ask-rights.js";
import { type EntitlementGrant, isOver, readGrant } from "./entitlement-grant.js";

const PAGE_SIZE = 100;
/** Grants are kept for 30 days after their end. */
const MOST_PAGES = 50;

export const DURATION_HINT =
  "shorten the ttl or gcp.ready.timeout, which are asked for together, or let the entitlement be granted for longer; no grant is shorter than 30m";

/** Who looks: whoever asked for a grant finds it without any permission. */
export interface Looking {
  readonly bearer: Bearer;
  readonly isRequester: boolean;
}

export interface GrantRequest {
  readonly entitlement: string;
  readonly requestId: string;
  readonly seconds: number;
  readonly justification: string;
}

/** Asks for a grant; of two with one request id Google makes one. @throws {AgentctlError} as `askRights` does */
export function createGrant(request: GrantRequest, bearer: Bearer, asking: Asking): Promise<EntitlementGrant> {
  const { entitlement, requestId, seconds, justification } = request;
  const body = {
    requestedDuration: `${seconds}s`,
    justification: { unstructuredJustification: justification },
  };
  return askRights(
    {
      service: "pam",
      request: { method: "POST", path: `v1/${entitlement}/grants?requestId=${requestId}`, body },
      action: `a grant of ${entitlement}`,
      hintFor: (refusal) => hintOf(refusal, entitlement, bearer),
      read: ({ json }) => readGrant(json),
    },
    bearer,
    asking,
  );
}

/** @throws {AgentctlError} as `askRights` does */
export function readGrantNow(name: string, bearer: Bearer, asking: Asking): Promise<EntitlementGrant> {
  return askRights(
    {
      service: "pam",
      request: { method: "GET", path: `v1/${name}` },
      action: `privilegedaccessmanager.grants.get on ${name}`,
      hintFor: (refusal) => hintOf(refusal, name, bearer),
      read: ({ json }) => readGrant(json),
    },
    bearer,
    asking,
  );
}

/** The entitlement's grants that are not over: all of them, or those that the bearer asked for. @throws {AgentctlError} as `askRights` does */
export async function findOpenGrants(
  entitlement: string,
  { bearer, isRequester }: Looking,
  asking: Asking,
): Promise<readonly EntitlementGrant[]> {
  const found: EntitlementGrant[] = [];
  let pageToken: string | undefined = "";
  for (let page = 0; page < MOST_PAGES && pageToken !== undefined; page += 1) {
    const query = new URLSearchParams({
      ...(isRequester && { callerRelationship: "HAD_CREATED" }),
      pageSize: String(PAGE_SIZE),
      ...(pageToken !== "" && { pageToken }),
    });
    const answer: GrantPage = await askRights(
      {
        service: "pam",
        request: { method: "GET", path: `v1/${entitlement}/grants${isRequester ? ":search" : ""}?${query}` },
        action: `${isRequester ? "its own grants" : "privilegedaccessmanager.grants.list"} of ${entitlement}`,
        hintFor: (refusal) => hintOf(refusal, entitlement, bearer),
        read: ({ json }) => readPage(json),
      },
      bearer,
      asking,
    );
    found.push(...answer.grants.filter((grant) => !isOver(grant)));
    pageToken = answer.next;
  }
  if (pageToken === undefined) return found;
  // What is on the pages that were not read must not be taken for nothing.
  throw new AgentctlError(
    "BAD_ANSWER",
    `${entitlement} has more than ${MOST_PAGES * PAGE_SIZE} grants, or a list of them without end`,
    {
      hint: "look at the grants of that entitlement in Privileged Access Manager",
      facts: { entitlement },
    },
  );
}

/** Whether the grant may be ended in this way is for Google to say. `withdraw`, of whoever asked for it, is in its beta. */
export type EndingVerb = "revoke" | "withdraw";

/** @throws {AgentctlError} as `askRights` does */
export function endGrant(
  verb: EndingVerb,
  name: string,
  reason: string,
  bearer: Bearer,
  asking: Asking,
): Promise<void> {
  const isRevoke = verb === "revoke";
  return askRights(
    {
      service: "pam",
      request: {
        method: "POST",
        path: `${isRevoke ? "v1" : "v1beta"}/${name}:${verb}`,
        body: isRevoke ? { reason } : {},
      },
      action: `to ${verb} ${name}`,
      hintFor: () => endingHint(bearer.who),
      read: () => undefined,
    },
    bearer,
    asking,
  );
}

/** What whoever ends grants of others has to be allowed. */
export function endingHint(who: string): string {
  return `give ${who} privilegedaccessmanager.grants.get, .list and .revoke where the entitlement is, as agentctl setup gcp writes it, and name it as gcp.granter`;
}

interface GrantPage {
  readonly grants: readonly EntitlementGrant[];
  readonly next: string | undefined;
}

function readPage(json: unknown): GrantPage {
  const grants = fieldOf(json, "grants") ?? [];
  if (!Array.isArray(grants)) throw new Error("there are no grants in it");
  const next = textOf(json, "nextPageToken");
  return { grants: grants.map(readGrant), next: next === "" ? undefined : next };
}

function hintOf({ code, text }: Refusal, what: string, { who }: Bearer): string {
  if (/duration/i.test(text)) return DURATION_HINT;
  if (/justification/i.test(text)) return `check what justification ${what} asks for: agentctl gives the lease's id`;
  if (code === "PERMISSION_DENIED")
    return `${who} must be among the entitlement's requesters: whoever asks for a grant gets it`;
  if (code === "NOT_FOUND") return `check gcp.entitlement: ${what} must exist`;
  return `look at ${what} in Privileged Access Manager, and at the grants of ${who} that are open`;
}
