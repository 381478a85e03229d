import { formatDuration, formatInstant } from "../../../core/durations.js";
import type { EndpointOverride, Facts, GrantPlan, GrantTerms } from "../../../core/lease.js";
import type { GcpSettings } from "../../../core/profile.js";
import type { Runtime } from "../../../core/runtime.js";
import { overridesIn } from "../endpoints.js";
import type { Rights } from "./rights.js";
import { type RightsService, resolveRightsEndpoint } from "./rights-endpoints.js";
import { boundAtOf, undoOf } from "./undo.js";
import { workingText } from "./working-text.js";

const DELAY = "Google says that this takes effect within 2 minutes as a rule, potentially 7 or longer";

/** What giving rights adds to a plan. */
export interface RightsPlan {
  readonly steps: readonly string[];
  readonly narrowing: readonly string[];
  readonly ending: GrantPlan["ending"];
  readonly undo: Facts;
  readonly facts: Facts;
  readonly endpoints: readonly EndpointOverride[];
}

/**
 * The plan's words for what is given for the lease, and taken back; `byTime` is how the token itself ends.
 * @throws {AgentctlError} ENDPOINT_INVALID
 */
export function describeRights(
  rights: Rights,
  settings: GcpSettings,
  terms: GrantTerms,
  byTime: GrantPlan["ending"],
  runtime: Pick<Runtime, "env">,
): RightsPlan {
  const { granter, gifts, entitlement } = rights;
  const given = gifts.flatMap(({ resource, roles }) => roles.map((role) => `${role} on ${resource.name}`));
  const bound = formatInstant(boundAtOf(rights, terms));
  return {
    steps: stepsOf(rights, settings, given),
    narrowing: [
      ...given.map((one) => `${one}, for this lease alone, until ${bound} at the latest`),
      ...(entitlement === undefined ? [] : [`what ${entitlement} gives, until ${bound} at the latest`]),
    ],
    ending: endingOf(rights, bound, terms, byTime),
    undo: undoOf(rights, settings, terms),
    facts: {
      revoke: terms.revoke,
      ...(granter !== undefined && { granter }),
      ...(given.length > 0 && { bindings: given }),
      ...(entitlement !== undefined && { entitlement }),
      rightsEndAt: bound,
    },
    endpoints: overridesIn([...servicesOf(rights)].map((service) => resolveRightsEndpoint(service, runtime))),
  };
}

function stepsOf(
  { granter, entitlement, ready, waitSeconds }: Rights,
  settings: GcpSettings,
  given: readonly string[],
) {
  const whom = settings.serviceAccount ?? "the federated identity";
  return [
    ...(given.length === 0 ? [] : [`as ${granter}, give ${whom} ${given.join(" and ")}`]),
    ...(entitlement === undefined
      ? []
      : [`as ${whom}, ask for a grant of ${entitlement}, and wait until it is active`]),
    ...(ready === undefined
      ? []
      : [
          `as ${whom}, by a token that the command does not get, wait, ${formatDuration(waitSeconds)} at the most, until ${workingText(ready.permissions, ready.resource)}`,
        ]),
  ];
}

function endingOf(
  rights: Rights,
  bound: string,
  { revoke }: GrantTerms,
  byTime: GrantPlan["ending"],
): GrantPlan["ending"] {
  const byItself = `what was given ends by itself at ${bound} at the latest; ${byTime.detail}`;
  if (revoke === "none") return { word: byTime.word, detail: byItself };
  const seen = rights.ready === undefined ? [] : ["or revoked, where the lease's own token is seen to have lost it"];
  const detail = [...seen, ...takingBack(rights), DELAY, `failing that, ${byItself}`].join("; ");
  return { word: "removed", detail };
}

function takingBack({ granter, gifts, entitlement }: Rights): readonly string[] {
  const resources = gifts.map(({ resource }) => resource.name).join(" and ");
  return [
    ...(gifts.length === 0 ? [] : [`at the end ${granter} takes the roles off ${resources}`]),
    ...(entitlement === undefined ? [] : ["at the end the grant of the entitlement is revoked"]),
  ];
}

function servicesOf({ gifts, entitlement, ready }: Rights): ReadonlySet<RightsService> {
  const resources = [...gifts.map(({ resource }) => resource), ...(ready === undefined ? [] : [ready.resource])];
  return new Set([
    ...resources.map(({ service }) => service),
    ...(entitlement === undefined ? [] : (["pam"] as const)),
  ]);
}
