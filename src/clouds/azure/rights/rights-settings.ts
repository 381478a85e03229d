import { AgentctlError } from "../../../core/errors.js";
import type { AzureSettings } from "../../../core/profile.js";

/** How long is waited for others and for Azure where the profile does not say. */
const DEFAULT_WAIT_SECONDS = 300;
/** Azure assigns for no less, and takes nothing back that was given less than this ago. */
export const SHORTEST_MS = 5 * 60_000;
/** What the profile names the granter by. */
export const GRANTER_SETTING = "azure.granter.client_id";
/** Such as a container `$web`, or the DNS record `*` of a zone. */
const SCOPE = /^(?:\/[\w().:@$*~-][\w().:@$*~ -]*)+$/;

/** What is to be seen working before the command starts. */
export interface Readiness {
  readonly permissions: readonly string[];
  /** A resource id. */
  readonly at: string;
}

/** What a profile gives for the time of a lease, checked. */
export interface Rights {
  readonly granterClientId: string;
  /** At least one, the first to be tried first. */
  readonly clientIds: readonly string[];
  /** In the one order in which every lease takes them, so that no two wait for one another. */
  readonly assignments: readonly { readonly role: string; readonly scope: string }[];
  readonly allowUnbounded: boolean;
  readonly ready?: Readiness;
  /** For others to give back, and again for what was given to work. */
  readonly waitSeconds: number;
}

/**
 * The rights that the settings name; undefined where they name none.
 * @throws {AgentctlError} CONFIG_INVALID
 */
export function rightsOf(settings: AzureSettings): Rights | undefined {
  const { granter, clientId, otherClientIds, allowUnbounded } = settings;
  if (settings.assignments.length === 0) return undefined;
  if (granter === undefined) throw invalid("azure.assignments needs azure.granter, which gives and takes them");
  const clientIds = [clientId, ...otherClientIds];
  if (clientIds.some((id) => isSame(id, granter.clientId))) {
    throw invalid("azure.granter is the application that it gives the assignments to");
  }
  const assignments = settings.assignments.map(({ role, scope }) => ({ role, scope: readScope(scope) }));
  const ready = readinessOf(settings, assignments);
  return {
    granterClientId: granter.clientId,
    clientIds,
    assignments: assignments.sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1)),
    allowUnbounded,
    ...(ready !== undefined && { ready }),
    waitSeconds: settings.ready?.timeoutSeconds ?? DEFAULT_WAIT_SECONDS,
  };
}

/** Whether a text can be a resource id: nothing of it leads elsewhere, or is a query. */
export function isScope(text: unknown): text is string {
  return typeof text === "string" && SCOPE.test(text) && !/\/\.{1,2}(\/|$)/.test(text);
}

/** What the profile names the applications by that are given the assignments. */
export function poolSettingOf({ clientIds }: Pick<Rights, "clientIds">): string {
  return clientIds.length > 1 ? "azure.client_ids" : "azure.client_id";
}

function readinessOf(
  { ready }: AzureSettings,
  assignments: readonly { readonly scope: string }[],
): Readiness | undefined {
  if (ready === undefined) return undefined;
  const scopes = [...new Set(assignments.map(({ scope }) => scope.toLowerCase()))];
  const at = ready.at ?? (scopes.length === 1 ? assignments[0]?.scope : undefined);
  if (at === undefined) throw invalid("azure.ready needs an `at`, since azure.assignments has several scopes");
  return { permissions: ready.permissions, at: readScope(at) };
}

function readScope(text: string): string {
  const scope = text.replace(/\/+$/, "");
  if (!isScope(scope)) throw invalid(`${text} in azure.assignments is no resource id`);
  return scope;
}

function keyOf({ role, scope }: { readonly role: string; readonly scope: string }): string {
  return `${scope}\n${role}`.toLowerCase();
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function invalid(message: string): AgentctlError {
  return new AgentctlError("CONFIG_INVALID", message, {
    hint: "write assignments like { role: Reader, scope: /subscriptions/ID/resourceGroups/NAME }, and a granter: { client_id: … }",
  });
}
