import path from "node:path";
import type { CloudEndpoint } from "../../core/endpoint.js";
import type { AzureSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import { azd } from "./azd.js";
import { CLI_DIR, cliFiles } from "./cli-files.js";
import { appService, instanceMetadata } from "./managed-identity.js";
import { refuseWith } from "./protocol.js";

/**
 * How Azure's tools read a grant: the SDKs and `az` as App Service's managed identity, Terraform as a virtual
 * machine's, azd by its own protocol. Alone, AZURE_CLIENT_ID and AZURE_TENANT_ID, which the grant sets, make none of
 * their credentials but the managed identity's: each other wants a secret or a token file besides.
 */
export function serveAzure(settings: AzureSettings, runtime: Pick<Runtime, "now">): CloudEndpoint {
  const sdks = appService(settings, runtime);
  const protocols = [sdks, instanceMetadata(settings, runtime), azd(settings)];
  const ownerOf = (asked: string) => protocols.find(({ owns }) => owns(asked));
  return {
    cloud: "azure",
    variables: (place) =>
      Object.assign(
        { AZURE_CONFIG_DIR: path.join(place.dir, CLI_DIR) },
        ...protocols.map((one) => one.variables(place)),
      ),
    files: (_place, grant) => cliFiles(settings, grant),
    authorize: (question, place) => ownerOf(question.path)?.authorize(question, place) ?? false,
    answer: (question, grant) =>
      ownerOf(question.path)?.answer(question, grant) ?? refuseWith("unknown-path", "nothing is served at this path"),
    refuse: (question, refusal) => (ownerOf(question.path) ?? sdks).refuse(refusal),
  };
}
