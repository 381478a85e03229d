import fs from "node:fs";
import { findApp, objectIdOf } from "../../src/sandbox/azure/principals.js";
import { DEFAULT_SUBSCRIPTION, DEFAULT_TENANT, defaultAzure, GRANTER_CLIENT } from "../../src/sandbox/azure/world.js";
import type { Outcome, Stage } from "../e2e/agentctl.js";
import type { Block } from "../e2e/three-clouds.js";
import { type AzureFront, startAzureFront } from "./azure-front.js";
import { clientEnvironment } from "./storage-clients.js";

export const ARM = "management.azure.com";
/** Azure's names for things need Microsoft Graph. */
const WITHOUT_GRAPH = ["--fill-principal-name", "false"];

/** A profile that the stage's configuration needs. */
export const GRANTER_PROFILE: Readonly<Record<"granter", Block>> = {
  granter: {
    ttl: "15m",
    deliver: "endpoint",
    azure: {
      tenant_id: DEFAULT_TENANT,
      client_id: GRANTER_CLIENT,
      subscription_id: DEFAULT_SUBSCRIPTION,
      scopes: [`https://${ARM}/.default`],
    },
  },
};

/** The real az as the granter of the sandbox, where it finds Resource Manager under its own name. */
export interface AzAsGranter {
  readonly front: AzureFront;
  az(...args: readonly string[]): Promise<Outcome>;
  /** What `az role assignment list` says of one principal. */
  listAssigned(principalId: string, ...args: readonly string[]): Promise<readonly Record<string, unknown>[]>;
  close(): Promise<void>;
}

export async function openAz(stage: Stage): Promise<AzAsGranter> {
  const caPem = fs.readFileSync(stage.sandbox.caFile, "utf8");
  const front = await startAzureFront({
    [ARM]: { origin: stage.sandbox.env["AGENTCTL_SANDBOX_ARM_URL"] ?? "", caPem },
  });
  const caFile = stage.writeFile("authorities.pem", `${front.caPem}${caPem}`);
  const env = { ...clientEnvironment(caFile), AZ_PROXY: front.proxyUrl };
  const az: AzAsGranter["az"] = (...args) => {
    const script = 'export HTTPS_PROXY="$AZ_PROXY"; exec az "$@"';
    return stage.run(["run", "-p", "granter", "--quiet", "--", "sh", "-c", script, "az", ...args], { env });
  };
  return {
    front,
    az,
    listAssigned: async (principalId, ...args) => {
      const whom = ["--assignee-object-id", principalId, ...WITHOUT_GRAPH];
      const listed = await az("role", "assignment", "list", ...whom, ...args);
      return JSON.parse(listed.stdout || listed.stderr);
    },
    close: () => front.close(),
  };
}

/** The object id of the service principal of an application of the default world's. */
export function findPrincipalId(clientId: string): string {
  const found = findApp(defaultAzure(), clientId);
  return found === undefined ? "" : objectIdOf(found.id, found.app);
}
