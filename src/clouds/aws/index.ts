import type { Cloud } from "../cloud.js";
import { endByTime } from "./ending.js";
import { resolveStsEndpoint, stsUrlOf } from "./endpoint.js";
import { planAwsGrant } from "./plan.js";
import { nearEnding, senselessEnding } from "./revoke/endings.js";
import { isFenceNear } from "./revoke/near-fence.js";
import { revokerOf } from "./revoke/revoker-settings.js";
import { readUndoing } from "./revoke/undo.js";

/** AWS: OIDC to a role's session by STS, fenced by its session policy. What asks AWS for anything is loaded when it does. */
export const awsCloud: Cloud<"aws"> = {
  name: "aws",
  // Any role gives an hour; whether it gives more only STS knows, and a role that was assumed by another never does.
  autoChannel: (_settings, { ttlSeconds }) => (ttlSeconds <= 3600 ? "env" : "endpoint"),
  plan: planAwsGrant,
  serviceUrl: (settings, runtime) => stsUrlOf(resolveStsEndpoint(settings, runtime)),
  async warm() {
    await import("./issue.js");
  },
  async issue(settings, terms, context, runtime) {
    const { issueAwsGrant } = await import("./issue.js");
    return issueAwsGrant(settings, terms, context, runtime);
  },
  async serve() {
    const { serveAws } = await import("./serve.js");
    return serveAws();
  },
  async checkEnding(settings, terms, context, runtime) {
    const revoker = revokerOf(settings, terms);
    if (revoker === undefined || (settings.acceptEscalation && terms.revoke !== "required")) return;
    const { checkRevoker } = await import("./revoke/check-revoker.js");
    await checkRevoker(revoker, settings, terms, context, runtime);
  },
  async end(order, context, runtime) {
    const undoing = readUndoing(order);
    if (undoing.kind === "by-time") return endByTime(order, runtime);
    if (undoing.kind === "senseless") return senselessEnding(order, undoing.problem);
    if (isFenceNear(order, runtime.now())) return nearEnding(order, undoing.target, runtime.now());
    const { takeBack } = await import("./revoke/take-back.js");
    return takeBack(order, undoing.target, context, runtime);
  },
  async sweep(settings, context, runtime) {
    const revoker = revokerOf(settings, { revoke: "auto" });
    if (revoker === undefined) return undefined;
    const { sweepRole } = await import("./revoke/sweep.js");
    return sweepRole(revoker, settings, context, runtime);
  },
};
