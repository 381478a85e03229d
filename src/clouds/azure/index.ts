import type { Cloud } from "../cloud.js";
import { resolveAuthority } from "./authority.js";
import { endAzureGrant } from "./ending.js";
import { planAzureGrant } from "./plan.js";

/** Azure: OIDC to an application's access tokens by Microsoft Entra. The SDK is loaded by `issue` alone. */
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
  async end(order, _context, runtime) {
    return endAzureGrant(order, runtime);
  },
};
