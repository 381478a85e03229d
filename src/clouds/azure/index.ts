import type { Cloud } from "../cloud.js";
import { resolveAuthority } from "./authority.js";
import { endAzureGrant } from "./ending.js";
import { planAzureGrant } from "./plan.js";
import { endRightsByTime, senselessEnding } from "./rights/endings.js";
import { readUndoing } from "./rights/undo.js";

/**
 * Azure: OIDC to an application's access tokens by Microsoft Entra, with roles assigned for the lease. The SDK is loaded
 * by what signs in.
 */
export const azureCloud: Cloud<"azure"> = {
  name: "azure",
  autoChannel: () => "endpoint",
  plan: planAzureGrant,
  serviceUrl: (_settings, runtime) => resolveAuthority(runtime).url,
  async warm() {
    await import("./issue.js");
  },
  async issue(settings, terms, context, runtime) {
    const { issueAzureGrant } = await import("./issue.js");
    return issueAzureGrant(settings, terms, context, runtime);
  },
  async serve(settings, runtime) {
    return (await import("./serve.js")).serveAzure(settings, runtime);
  },
  hasRights: ({ assignments }) => assignments.length > 0,
  async openRights(settings, terms, context, runtime) {
    const { openAzureRights } = await import("./rights/open-rights.js");
    return openAzureRights(settings, terms, context, runtime);
  },
  async lookAtRights(settings, _terms, context, runtime) {
    const { lookAtAzureRights } = await import("./rights/look.js");
    return lookAtAzureRights(settings, context, runtime);
  },
  withoutRights({ granter: _giver, ready: _awaited, ...rest }) {
    return { ...rest, otherClientIds: [], assignments: [], allowUnbounded: false };
  },
  async end(order, context, runtime) {
    const undoing = readUndoing(order);
    if (undoing.kind === "nothing") return endAzureGrant(order, runtime);
    if (undoing.kind === "senseless") return senselessEnding(order, undoing.problem);
    if (undoing.kind === "leave") {
      return { ...endRightsByTime({ ...undoing, order }, runtime.now()), reason: "revoke: none" };
    }
    const { takeRightsBack } = await import("./rights/take-back.js");
    return takeRightsBack(order, undoing.possession, context, runtime);
  },
  async sweep(settings, context, runtime) {
    const { sweepRights } = await import("./rights/sweep.js");
    return sweepRights(settings, context, runtime);
  },
};
