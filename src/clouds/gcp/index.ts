import type { Cloud } from "../cloud.js";
import { endGcpGrant } from "./ending.js";
import { resolveEndpoints } from "./endpoints.js";
import { planGcpGrant } from "./plan.js";
import { senselessEnding } from "./rights/endings.js";
import { hasRights, rightsOf } from "./rights/rights.js";
import { readUndoing } from "./rights/undo.js";

/** Google Cloud: OIDC to a federated or a service account's access token. The SDK is loaded by `issue` alone. */
export const gcpCloud: Cloud<"gcp"> = {
  name: "gcp",
  autoChannel: () => "endpoint",
  plan: planGcpGrant,
  serviceUrl: (_settings, runtime) => resolveEndpoints(runtime).sts.baseUrl,
  async warm() {
    await import("./issue.js");
  },
  hasRights,
  async openRights(settings, terms, context, runtime) {
    const { openGcpRights } = await import("./rights/open-rights.js");
    return openGcpRights(settings, terms, context, runtime);
  },
  async lookAtRights(settings, terms, context, runtime) {
    const { lookAtGcpRights } = await import("./rights/look.js");
    return lookAtGcpRights(settings, terms, context, runtime);
  },
  withoutRights({ granter: _giver, entitlement: _given, ready: _awaited, ...rest }) {
    return { ...rest, bindings: [] };
  },
  async issue(settings, terms, context, runtime) {
    const { issueGcpGrant } = await import("./issue.js");
    return issueGcpGrant(settings, terms, context, runtime);
  },
  async serve(settings, runtime) {
    const { serveGcp } = await import("./serve.js");
    return serveGcp(settings, runtime);
  },
  async end(order, context, runtime) {
    const undoing = readUndoing(order);
    if (undoing.kind === "by-time") return endGcpGrant(order, runtime, undoing.boundAt);
    if (undoing.kind === "senseless") return senselessEnding(order, undoing.problem);
    const { takeBack } = await import("./rights/take-back.js");
    return takeBack(order, undoing.target, context, runtime);
  },
  async sweep(settings, context, runtime) {
    const rights = rightsOf(settings);
    if (rights === undefined) return undefined;
    const { sweepRights } = await import("./rights/sweep.js");
    return sweepRights(rights, settings, context, runtime);
  },
};
