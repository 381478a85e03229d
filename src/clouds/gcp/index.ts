import type { Cloud } from "../cloud.js";
import { endGcpGrant } from "./ending.js";
import { resolveEndpoints } from "./endpoints.js";
import { planGcpGrant } from "./plan.js";

/** Google Cloud: OIDC to a federated or a service account's access token. The SDK is loaded by `issue` alone. */
export const gcpCloud: Cloud<"gcp"> = {
  name: "gcp",
  autoChannel: () => "endpoint",
  plan: planGcpGrant,
  serviceUrl: (_settings, runtime) => resolveEndpoints(runtime).sts.baseUrl,
  async warm() {
    await import("./issue.js");
  },
  async issue(settings, terms, context, runtime) {
    const { issueGcpGrant } = await import("./issue.js");
    return issueGcpGrant(settings, terms, context, runtime);
  },
  async serve(settings, runtime) {
    const { serveGcp } = await import("./serve.js");
    return serveGcp(settings, runtime);
  },
  async end(order, _context, runtime) {
    return endGcpGrant(order, runtime);
  },
};
