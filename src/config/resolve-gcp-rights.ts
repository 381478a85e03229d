import type { GcpSettings } from "../core/profile.js";
import type { BlockContext } from "./block-context.js";
import { writeOutResource } from "./gcp-resource.js";
import { reportReady, reportRepeats } from "./report-rights.js";
import type { GcpBlock } from "./schema-gcp.js";
import { resolveReady } from "./schema-ready.js";

/** From before IAM; on these Google takes no condition, so that they would not end by themselves. */
const BASIC_ROLES: readonly string[] = ["roles/owner", "roles/editor", "roles/viewer"];

export type GcpRights = Pick<GcpSettings, "granter" | "bindings" | "entitlement" | "ready">;

/** What is given for the time of a lease, with resources by their full names. Reports what nobody could give. */
export function resolveGcpRights(block: GcpBlock, context: BlockContext): GcpRights {
  const { granter, entitlement, ready } = block;
  const bindings = (block.bindings ?? []).map(({ role, resource }) => ({ role, resource: writeOutResource(resource) }));
  reportBindings(bindings, context);
  reportGranter(block, context);
  const holder = entitlement?.split("/locations/")[0];
  const places = [
    ...bindings.map(({ resource }) => resource),
    ...(holder === undefined ? [] : [writeOutResource(holder)]),
  ];
  if (ready !== undefined) reportReady({ at: ready.at, places, gives: "bindings or an entitlement" }, context);
  const at = ready?.at === undefined ? undefined : writeOutResource(ready.at);
  return {
    ...(granter !== undefined && { granter: { serviceAccount: granter.service_account } }),
    bindings,
    ...(entitlement !== undefined && { entitlement }),
    ...(ready !== undefined && { ready: resolveReady(ready, at) }),
  };
}

function reportBindings(bindings: GcpSettings["bindings"], context: BlockContext): void {
  bindings.forEach(({ role }, index) => {
    if (!BASIC_ROLES.includes(role)) return;
    context.report(
      ["bindings", index, "role"],
      "is a basic role, on which Google takes no condition: it would not end",
      {
        hint: "give a predefined or a custom role in its place",
      },
    );
  });
  reportRepeats(
    bindings.map(({ role, resource }) => `${role} ${resource}`),
    "bindings",
    context,
  );
}

function reportGranter({ granter, bindings, service_account: own }: GcpBlock, context: BlockContext): void {
  if (granter === undefined && bindings !== undefined) {
    context.report(["bindings"], "are given by nobody: the granter is missing", {
      hint: "write granter: { service_account: … }, which agentctl setup gcp then describes",
    });
  }
  if (granter === undefined || granter.service_account !== own) return;
  context.report(["granter", "service_account"], "is what the child itself is: it could give itself anything", {
    hint: "name a service account that does nothing else; agentctl setup gcp describes one",
  });
}
