import type { TrustWriter } from "../../../core/trust.js";
import { renderCloudFormation } from "./cloudformation.js";
import { renderCommands } from "./commands.js";
import { renderTerraform } from "./terraform.js";
import { planAwsTrust } from "./trust-plan.js";

const RENDERERS = { terraform: renderTerraform, cloudformation: renderCloudFormation, cli: renderCommands } as const;

/** AWS's side of the trust: the OIDC provider, and the profile's roles with their boundaries and policies. */
export const awsTrust: TrustWriter<"aws"> = {
  audiencesOf: (settings) => settings.audiences,
  write: (request) => {
    const plan = planAwsTrust(request);
    return { text: RENDERERS[request.format](plan), notes: plan.notes };
  },
};
