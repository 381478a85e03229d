import fs from "node:fs";
import path from "node:path";
import {
  GRANTER_CLIENT as AZURE_GRANTER,
  DEFAULT_SUBSCRIPTION,
  DEMO_ACCOUNT,
  POOL_CLIENTS,
} from "../../../src/sandbox/azure/world.js";
import {
  DEMO_ENTITLEMENT,
  GRANTER_SERVICE_ACCOUNT as GOOGLE_GRANTER,
  JIT_SERVICE_ACCOUNT,
} from "../../../src/sandbox/gcp/world.js";
import { isRunning } from "../../run/harness.js";
import { ledgerIds } from "../endings/ledger-view.js";
import { findProcesses } from "../endings/processes.js";
import { AZURE, type Block, configOf, GCP } from "../three-clouds.js";
import { type LeakStage, openLeakStage } from "./leak-stage.js";
import { type TappedClouds, tapClouds } from "./tapped-clouds.js";

export { AZURE_GRANTER, GOOGLE_GRANTER };
/** The second for the leases of the endpoint: what the first was given stands in nobody's way. */
export const [AZURE_JIT, AZURE_SERVED] = POOL_CLIENTS;
export const GOOGLE_JIT = JIT_SERVICE_ACCOUNT;

const SUBSCRIPTION = `/subscriptions/${DEFAULT_SUBSCRIPTION}`;
const CONTAINER = `${SUBSCRIPTION}/resourceGroups/demo/providers/Microsoft.Storage/storageAccounts/${DEMO_ACCOUNT}/blobServices/default/containers/other`;

/** The command's token is for storage alone: that for Azure Resource Manager is agentctl's own. */
const azure: Block = {
  ...AZURE,
  client_id: AZURE_JIT,
  scopes: ["https://storage.azure.com/.default"],
  granter: { client_id: AZURE_GRANTER },
  assignments: [{ role: "Storage Blob Data Reader", scope: CONTAINER }],
  ready: { permissions: ["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"], timeout: "20s" },
};
const jit: Block = {
  ...GCP,
  service_account: GOOGLE_JIT,
  granter: { service_account: GOOGLE_GRANTER },
  ready: { permissions: ["storage.objects.get"], timeout: "20s" },
};
const gcp: Block = { ...jit, bindings: [{ role: "roles/storage.objectViewer", resource: "buckets/other" }] };
const impatient = { ready: { permissions: ["storage.objects.get"], timeout: "1s" } };

/** Without it there is no metadata server. */
export const HAS_PEER_CHECK = process.platform === "linux";

const of = (clouds: Block): Block => ({ ttl: "10m", deliver: "env", ...clouds });
const PROFILES: Readonly<Record<string, Block>> = {
  azure: of({ azure }),
  gcp: of({ gcp }),
  both: of({ azure, gcp }),
  served: of({
    deliver: "endpoint",
    azure: { ...azure, client_id: AZURE_SERVED },
    gcp: { ...gcp, metadata: HAS_PEER_CHECK },
    ...(HAS_PEER_CHECK && { peer_check: "require" }),
  }),
  entitled: of({ gcp: { ...jit, entitlement: DEMO_ENTITLEMENT } }),
  impatient: of({ gcp: { ...gcp, ...impatient } }),
};

/** A stage with leases that give rights, between which and the sandbox every token is known. */
export interface RightsLeakStage {
  readonly leak: LeakStage;
  readonly clouds: TappedClouds;
  /** To be run with. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends whoever waits to end a lease, and removes what the runs so far have left. */
  forget(): void;
  close(): Promise<void>;
}

export async function openRightsLeakStage(): Promise<RightsLeakStage> {
  const leak = await openLeakStage();
  const clouds = await tapClouds(leak);
  leak.stage.writeConfig(configOf(PROFILES));
  const forget = (): void => {
    clouds.intercept();
    // What Azure takes back only later is waited for by somebody.
    for (const id of ledgerIds(leak.stage)) {
      for (const pid of findProcesses(id)) if (isRunning(pid)) process.kill(pid, "SIGKILL");
    }
    leak.forget();
  };
  return {
    leak,
    clouds,
    env: { ...leak.env, ...clouds.env },
    forget,
    close: async () => {
      forget();
      await Promise.all([leak.close(), clouds.close()]);
    },
  };
}

/** The variables that a process was started with, and the files that it has open; Linux alone shows both. */
export function readProcess(pid: number): {
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly string[];
} {
  const pairs = fs.readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").filter(Boolean);
  const env = pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)] as const);
  const files = fs.readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [fs.readlinkSync(path.join(`/proc/${pid}/fd`, fd))];
    } catch {
      return [];
    }
  });
  return { env: Object.fromEntries(env), files };
}
