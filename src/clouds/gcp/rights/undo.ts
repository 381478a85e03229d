import { formatInstant } from "../../../core/durations.js";
import type { EndOrder, Facts, GrantTerms } from "../../../core/lease.js";
import type { GcpSettings } from "../../../core/profile.js";
import { tokenAudiencesOf } from "../provider.js";
import { CLOUD_PLATFORM } from "../scopes.js";
import { requestedSeconds } from "./entitlement-grant.js";
import type { Identities } from "./identities.js";
import { type PolicyResource, readResource } from "./resources.js";
import type { Rights } from "./rights.js";

const LEASE_ID = /^l-[0-9A-Za-z]{16}$/;
const PROVIDER = /^projects\/[\w-]+\/locations\/global\/workloadIdentityPools\/[\w-]+\/providers\/[\w-]+$/;
const ACCOUNT = /^[a-z0-9][a-z0-9-]*@(?:[a-z0-9-]+\.)+gserviceaccount\.com$/;
const ENTITLEMENT = /^(?:projects|folders|organizations)\/[^/\s?#]+\/locations\/[^/\s?#]+\/entitlements\/[a-z0-9-]+$/;

/** What was given to a lease, or may have been, and by whom it is taken back. */
export interface Target {
  readonly leaseId: string;
  readonly who: Identities;
  readonly granter?: string;
  readonly resources: readonly PolicyResource[];
  /** What was given there: of these, bindings that have ended are pruned. */
  readonly roles: readonly string[];
  readonly entitlement?: string;
  /** Whether the lease's own token is good for Privileged Access Manager, where its principal may ask for the same again. */
  readonly mayAskAgain: boolean;
  /** What was seen working. */
  readonly ready?: { readonly resource: PolicyResource; readonly permissions: readonly string[] };
  /** When it ends by itself, at the latest; epoch ms. */
  readonly boundAt: number;
}

/** What a grant's order says about taking back what was given for it. */
export type Undoing =
  | { readonly kind: "by-time"; readonly boundAt?: number }
  | { readonly kind: "take-back"; readonly target: Target }
  | { readonly kind: "senseless"; readonly problem: string };

/** What taking it back needs to know; `readUndoing` reads it again. */
export function undoOf(rights: Rights, settings: GcpSettings, terms: GrantTerms): Facts {
  const { granter, gifts, entitlement, ready } = rights;
  const common = { revoke: terms.revoke, boundAt: formatInstant(boundAtOf(rights, terms)) };
  if (terms.revoke === "none") return common;
  return {
    ...common,
    provider: settings.workloadIdentityProvider,
    audiences: tokenAudiencesOf(settings),
    resources: gifts.map(({ resource }) => resource.name),
    roles: [...new Set(gifts.flatMap(({ roles }) => roles))],
    ...(settings.serviceAccount !== undefined && { serviceAccount: settings.serviceAccount }),
    ...(granter !== undefined && { granter }),
    ...(entitlement !== undefined && { entitlement, mayAskAgain: mayAskAgain(settings) }),
    ...(ready !== undefined && { readyAt: ready.resource.name, permissions: ready.permissions }),
  };
}

/**
 * When all of it has ended by itself (epoch ms, this machine's clock): a grant of an entitlement lasts half an hour at
 * least, and from the moment that it becomes active.
 */
export function boundAtOf({ entitlement, waitSeconds }: Rights, terms: GrantTerms): number {
  // A condition says whole seconds.
  if (entitlement === undefined) return Math.ceil(terms.latestEndsAt / 1000) * 1000;
  const plannedAt = terms.endsAt - terms.lifetimeSeconds * 1000;
  const lastsMs = (requestedSeconds(terms.latestEndsAt - plannedAt) + waitSeconds) * 1000;
  return Math.ceil((plannedAt + lastsMs) / 1000) * 1000;
}

/** Whether the command's token is good for Privileged Access Manager: it takes none but for all of Google Cloud, and none within an access boundary. */
export function mayAskAgain({ scopes, accessBoundary }: Pick<GcpSettings, "scopes" | "accessBoundary">): boolean {
  return scopes.includes(CLOUD_PLATFORM) && accessBoundary.length === 0;
}

/** Reads what `undoOf` wrote. It may come from a file, so nothing of it is believed: only one's own can be taken away. */
export function readUndoing({ undo, leaseId }: Pick<EndOrder, "undo" | "leaseId">): Undoing {
  const { revoke, provider, serviceAccount, granter, entitlement } = undo;
  if (revoke === undefined) return { kind: "by-time" };
  const boundAt = Date.parse(String(undo["boundAt"]));
  if (Number.isNaN(boundAt)) return senseless("the time that it ends at");
  if (revoke === "none") return { kind: "by-time", boundAt };
  if (revoke !== "auto" && revoke !== "required") return senseless("revoke");
  if (!LEASE_ID.test(leaseId)) return senseless("the lease's id");
  if (!isLike(provider, PROVIDER)) return senseless("the provider");
  if (serviceAccount !== undefined && !isLike(serviceAccount, ACCOUNT)) return senseless("the service account");
  if (granter !== undefined && !isLike(granter, ACCOUNT)) return senseless("the granter");
  if (entitlement !== undefined && !isLike(entitlement, ENTITLEMENT)) return senseless("the entitlement");
  const names = textsOf(undo["resources"]);
  const resources = names?.flatMap((name) => readResource(name) ?? []);
  if (names === undefined || resources?.length !== names.length) return senseless("what was given on");
  if (resources.length > 0 && granter === undefined) return senseless("the granter");
  const audiences = textsOf(undo["audiences"]);
  if (audiences === undefined || audiences.length === 0) return senseless("the audience");
  const ready = readReady(undo);
  const account = serviceAccount !== undefined && { serviceAccount };
  const target = {
    leaseId,
    who: { workloadIdentityProvider: provider, audiences, ...account, ...granterOf(granter) },
    resources,
    roles: textsOf(undo["roles"]) ?? [],
    boundAt,
    mayAskAgain: undo["mayAskAgain"] === true,
    ...(granter !== undefined && { granter }),
    ...(entitlement !== undefined && { entitlement }),
    ...(ready !== undefined && { ready }),
  };
  return { kind: "take-back", target };
}

function granterOf(granter: string | undefined): Pick<Identities, "granter"> {
  return granter === undefined ? {} : { granter: { serviceAccount: granter } };
}

/** Only for looking: what makes no sense here keeps nothing from being taken back. */
function readReady(undo: Facts): Target["ready"] {
  const resource = typeof undo["readyAt"] === "string" ? readResource(undo["readyAt"]) : undefined;
  const permissions = textsOf(undo["permissions"]);
  return resource === undefined || permissions === undefined ? undefined : { resource, permissions };
}

function textsOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((one) => typeof one === "string") ? value : undefined;
}

function isLike(value: unknown, pattern: RegExp): value is string {
  return typeof value === "string" && pattern.test(value);
}

function senseless(what: string): Undoing {
  return { kind: "senseless", problem: `${what}, as it was kept to take it back by, makes no sense` };
}
