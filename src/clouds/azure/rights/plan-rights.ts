import { formatDuration, formatInstant } from "../../../core/durations.js";
import type { GrantPlan, GrantTerms } from "../../../core/lease.js";
import type { AzureSettings } from "../../../core/profile.js";
import type { Runtime } from "../../../core/runtime.js";
import { nameTarget } from "./names.js";
import { resolveResourceManager } from "./resource-manager.js";
import { type Rights, rightsOf } from "./rights-settings.js";
import { boundAtOf, undoOf } from "./undo.js";

const REST = "besides: all that the application is assigned otherwise; Azure cannot narrow a token";
const TOKENS = "each token lives on until it ends by itself, usually 60 to 90 minutes on";

/** What rights add to a plan. */
export type RightsPlan = Pick<GrantPlan, "steps" | "narrowing" | "ending" | "undo" | "facts" | "endpoints">;

/**
 * What will be given for the lease, by whom, and how it is taken back; undefined where nothing is.
 * @throws {AgentctlError} CONFIG_INVALID, ENDPOINT_INVALID
 */
export function planRights(
  settings: AzureSettings,
  terms: GrantTerms,
  runtime: Pick<Runtime, "env">,
): RightsPlan | undefined {
  const rights = rightsOf(settings);
  if (rights === undefined) return undefined;
  const manager = resolveResourceManager(runtime);
  const assigned = rights.assignments.map(nameTarget);
  return {
    steps: stepsOf(rights, terms, new URL(manager.url).host),
    narrowing: [...assigned.map((one) => `given for the lease alone: ${one}`), REST],
    ending: endingOf(rights, terms),
    undo: undoOf(settings, terms),
    facts: {
      granter: rights.granterClientId,
      assignments: assigned,
      applications: rights.clientIds,
      resourceManager: new URL(manager.url).host,
      ...(rights.ready !== undefined && { ready: rights.ready.permissions }),
    },
    endpoints: manager.override === undefined ? [] : [manager.override],
  };
}

function stepsOf(rights: Rights, terms: GrantTerms, host: string): string[] {
  const { granterClientId, clientIds, assignments, allowUnbounded, ready, waitSeconds } = rights;
  const [first = "", ...others] = clientIds;
  const whom = others.length === 0 ? `application ${first}` : `the first of ${clientIds.join(", ")} that is free of it`;
  const until = formatInstant(boundAtOf(rights, terms));
  const plain = allowUnbounded ? ", or without an end where the tenant has no licence for that" : "";
  return [
    `sign in as the granter, application ${granterClientId}, with the OIDC token`,
    ...assignments.map(
      (one) => `assign ${nameTarget(one)} to ${whom}, at ${host}, until ${until} at the latest${plain}`,
    ),
    ...(ready === undefined
      ? []
      : [
          `as the application, by a token that the command does not get, wait, ${formatDuration(waitSeconds)} at the most, until ${ready.permissions.join(", ")} works at ${ready.at}`,
        ]),
  ];
}

function endingOf(rights: Rights, terms: GrantTerms): GrantPlan["ending"] {
  const { granterClientId, allowUnbounded, ready } = rights;
  const until = formatInstant(boundAtOf(rights, terms));
  if (terms.revoke === "none" && !allowUnbounded) {
    return { word: "expires", detail: `Azure ends the assignments by itself at ${until} at the latest; ${TOKENS}` };
  }
  const seen = ready === undefined ? "" : "or revoked, where the lease's own token is seen to have lost it; ";
  const early = "within 5 minutes of being given they cannot be taken back, and that is queued on the ledger";
  const bound = allowUnbounded ? "" : `; at ${until} at the latest they end by themselves`;
  return {
    word: "removed",
    detail: `${seen}application ${granterClientId} takes the assignments back at the end, which Azure says takes effect within 10 minutes; ${early}${bound}; ${TOKENS}`,
  };
}
