import type { TrustWriter } from "../../../core/trust.js";
import { tokenAudiencesOf } from "../provider.js";
import { renderCommands } from "./commands.js";
import { renderTerraform } from "./terraform.js";
import { planGcpTrust } from "./trust-plan.js";

const RENDERERS = { terraform: renderTerraform, cli: renderCommands } as const;

/** Google's side of the trust: the pool and its provider, the service account, and its roles on single buckets. */
export const gcpTrust: TrustWriter<"gcp"> = {
  audiencesOf: tokenAudiencesOf,
  write: (request) => {
    const plan = planGcpTrust(request);
    return { text: RENDERERS[request.format](plan), notes: plan.notes };
  },
};
