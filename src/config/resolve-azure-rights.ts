import type { AzureSettings } from "../core/profile.js";
import type { BlockContext } from "./block-context.js";
import { reportReady, reportRepeats } from "./report-rights.js";
import type { AzureBlock } from "./schema-azure.js";
import { resolveReady } from "./schema-ready.js";

/** What a profile has that is written before its applications are made; `agentctl setup azure` makes them then. */
const NOT_MADE_YET = "00000000-0000-0000-0000-000000000000";

export type AzureRights = Pick<AzureSettings, "granter" | "assignments" | "allowUnbounded" | "ready">;

/** What is given for the time of a lease. Reports what nobody could give. */
export function resolveAzureRights(block: AzureBlock, context: BlockContext): AzureRights {
  const { granter, ready } = block;
  const assignments = (block.assignments ?? []).map(({ role, scope }) => ({ role, scope: withoutSlash(scope) }));
  const keys = assignments.map(({ role, scope }) => `${role} ${scope}`.toLowerCase());
  reportRepeats(keys, "assignments", context);
  reportGranter(block, context);
  const places = assignments.map(({ scope }) => scope.toLowerCase());
  if (ready !== undefined) reportReady({ at: ready.at, places, gives: "assignments" }, context);
  const at = ready?.at === undefined ? undefined : withoutSlash(ready.at);
  return {
    ...(granter !== undefined && { granter: { clientId: granter.client_id } }),
    assignments,
    allowUnbounded: block.allow_unbounded ?? false,
    ...(ready !== undefined && { ready: resolveReady(ready, at) }),
  };
}

/** Whom the child is: of a pool the first, and the others. Undefined when something was reported. */
export function resolveClients(
  { client_id: one, client_ids: pool }: AzureBlock,
  context: BlockContext,
): Pick<AzureSettings, "clientId" | "otherClientIds"> | undefined {
  if (one !== undefined && pool !== undefined) {
    context.report(["client_ids"], "stands beside client_id, and only one of the two can", {
      hint: "write client_ids alone for a pool; a profile that this one extends may have the other",
    });
    return undefined;
  }
  const [clientId, ...otherClientIds] = pool ?? (one === undefined ? [] : [one]);
  if (clientId === undefined) {
    context.report(["client_id"], "is missing: which application to be");
    return undefined;
  }
  reportRepeats(
    (pool ?? []).map((id) => id.toLowerCase()),
    "client_ids",
    context,
  );
  return { clientId, otherClientIds };
}

function reportGranter(block: AzureBlock, context: BlockContext): void {
  const { granter, assignments, client_id: one, client_ids: pool = [] } = block;
  if (granter === undefined && assignments !== undefined) {
    context.report(["assignments"], "are given by nobody: the granter is missing", {
      hint: "write granter: { client_id: … }, which agentctl setup azure then describes",
    });
  }
  const id = granter?.client_id.toLowerCase();
  if (id === undefined || id === NOT_MADE_YET) return;
  if (![one, ...pool].some((own) => own?.toLowerCase() === id)) return;
  context.report(["granter", "client_id"], "is what the child itself is: it could give itself anything", {
    hint: "name an application that does nothing else; agentctl setup azure describes one",
  });
}

function withoutSlash(scope: string): string {
  return scope.replace(/\/+$/, "");
}
