import type { Cloud } from "../cloud.js";
import { endByTime } from "./ending.js";
import { resolveStsEndpoint, stsUrlOf } from "./endpoint.js";
import { planAwsGrant } from "./plan.js";

/** AWS: OIDC to a role's session by STS, fenced by its session policy. The SDK is loaded by `issue` alone. */
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
  async end(order, _context, runtime) {
    return endByTime(order, runtime);
  },
};
