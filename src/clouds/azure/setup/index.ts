import type { TrustWriter } from "../../../core/trust.js";
import { renderBicep } from "./bicep.js";
import { renderCommands } from "./commands.js";
import { renderTerraform } from "./terraform.js";
import { planAzureTrust } from "./trust-plan.js";

const RENDERERS = { terraform: renderTerraform, bicep: renderBicep, cli: renderCommands } as const;

/** Azure's side of the trust: a federated credential of the profile's application or managed identity. */
export const azureTrust: TrustWriter<"azure"> = {
  audiencesOf: (settings) => settings.audiences,
  write: (request) => {
    const plan = planAzureTrust(request);
    return { text: RENDERERS[request.format](plan), notes: plan.notes };
  },
};
