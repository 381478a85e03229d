import { formatDuration } from "../../../core/durations.js";
import { AgentctlError, toAgentctlError } from "../../../core/errors.js";
import type { GrantTerms } from "../../../core/lease.js";
import { doubtful, type RightsSight, type RightsSights, remark, seen, wrong } from "../../rights-sight.js";
import type { Asking, Bearer } from "./ask-rights.js";
import { DURATION_HINT, endingHint } from "./entitlement-client.js";
import { requestedSeconds } from "./entitlement-grant.js";
import { type Entitlement, findRequestable } from "./entitlement-search.js";
import { testPermissions } from "./policy-client.js";
import { readResource } from "./resources.js";

/** Of these none is given. */
const GOING: readonly string[] = ["DELETING", "DELETED"];
const ENDING = ["get", "list", "revoke"].map((verb) => `privilegedaccessmanager.grants.${verb}`);

export interface EntitlementLook {
  readonly entitlement: string;
  readonly terms: Pick<GrantTerms, "endsAt" | "latestEndsAt" | "lifetimeSeconds">;
  /** How long a run waits for the grant. */
  readonly waitSeconds: number;
}

/**
 * Looks, as whoever would ask for a grant, whether the entitlement gives it one for as long as a run asks for.
 * @throws {AgentctlError} as `findRequestable` does
 */
export async function lookAtEntitlement(
  { entitlement, terms, waitSeconds }: EntitlementLook,
  requester: Bearer,
  asking: Asking,
): Promise<RightsSights> {
  const { who } = requester;
  const what = `the entitlement ${entitlement}, as ${who}`;
  const found = await findRequestable(entitlement, requester, asking);
  if (found === undefined) return [wrong(what, notShown(entitlement, who))];
  if (GOING.includes(found.state)) return [wrong(what, notShown(entitlement, who, found.state))];
  return [judgeLength(found, entitlement, terms, who), ...describeApproval(found, entitlement, waitSeconds)];
}

function judgeLength(
  { mostSeconds }: Entitlement,
  entitlement: string,
  { endsAt, lifetimeSeconds, latestEndsAt }: EntitlementLook["terms"],
  who: string,
): RightsSight {
  if (mostSeconds === undefined) return seen(`${who} may ask for ${entitlement}; for how long is not told`);
  const most = formatDuration(mostSeconds);
  const asked = requestedSeconds(latestEndsAt - (endsAt - lifetimeSeconds * 1000));
  if (asked <= mostSeconds) return seen(`${who} may ask for ${entitlement}, for ${most} at the most`);
  const message = `${entitlement} is given for ${most} at the most, and a run asks for ${formatDuration(asked)}: its ttl, and as long as it may wait`;
  const facts = { entitlement, mostSeconds, askedSeconds: asked };
  return wrong(
    `how long ${entitlement} is given for`,
    new AgentctlError("CLOUD_DENIED", message, { hint: DURATION_HINT, facts }),
  );
}

function describeApproval({ approvals }: Entitlement, entitlement: string, waitSeconds: number): RightsSights {
  if (approvals === 0) return [];
  const times = approvals === 1 ? "" : `, ${approvals} times`;
  return [
    remark(
      `a grant of ${entitlement} waits for approval${times}: a run waits for it, ${formatDuration(waitSeconds)} at the most`,
    ),
  ];
}

/** Google shows nobody else's, so that the one cannot be told from the other. */
function notShown(entitlement: string, who: string, state?: string): AgentctlError {
  const message =
    state === undefined
      ? `Google does not show ${entitlement} among what ${who} may ask for: it is not there, or ${who} is not among its requesters`
      : `${entitlement} is ${state}`;
  return new AgentctlError("CLOUD_DENIED", message, {
    hint: `check gcp.entitlement, and that ${who} is among its requesters; it takes some minutes until a new one is known`,
    facts: { entitlement, ...(state !== undefined && { state }) },
  });
}

/**
 * Looks whether the granter may end a grant. Without it the requester withdraws the grant, as where there is no granter.
 * @throws {AgentctlError} INTERRUPTED
 */
export async function lookAtItsEnding(
  entitlement: string,
  granter: Bearer,
  member: string,
  asking: Asking,
): Promise<RightsSights> {
  const { who } = granter;
  const holder = entitlement.split("/locations/")[0] ?? "";
  const resource = readResource(`//cloudresourcemanager.googleapis.com/${holder}`);
  if (resource === undefined) return [];
  const what = `the grants of ${entitlement}, as ${who}`;
  try {
    const granted = await testPermissions(resource, ENDING, granter, asking);
    const missing = ENDING.filter((permission) => !granted.includes(permission));
    if (missing.length === 0) return [seen(`${who} may read, list and revoke the grants of ${entitlement}`)];
    const message = `${who} may not end the grants of ${entitlement}: testIamPermissions on ${resource.name} does not grant it ${missing.join(", ")}; ${member} would have to withdraw its own`;
    const facts = { resource: resource.name, permissions: missing };
    return [doubtful(what, new AgentctlError("CLOUD_DENIED", message, { hint: endingHint(who), facts }))];
  } catch (thrown) {
    const { code, message } = toAgentctlError(thrown);
    if (code === "INTERRUPTED") throw thrown;
    return [remark(`whether ${who} may end the grants of ${entitlement} is not known: ${message}`)];
  }
}
