import fs from "node:fs";
import path from "node:path";
import type { CloudName } from "../../src/core/profile.js";
import { DEMO_ACCOUNT, defaultAzure } from "../../src/sandbox/azure/world.js";
import { defaultGcp } from "../../src/sandbox/gcp/world.js";
import type { SandboxOptions } from "../../src/sandbox/index.js";
import type { LoggedRequest } from "../../src/sandbox/request-log.js";
import { eventually, type Outcome, outcomeOf, type RunOptions, type Stage } from "../e2e/agentctl.js";
import { STEADY_CLIENTS, type SteadyClient } from "./steady-clients.js";

/** The sandbox's own world, with an object for each client, and Azure's tokens as short as a profile asks for others. */
export function steadyWorld(lifeSeconds: number): SandboxOptions {
  const objects = Object.fromEntries(STEADY_CLIENTS.map(({ object }) => [object, "for one client\n"]));
  const [azure, gcp] = [defaultAzure(), defaultGcp()];
  const account = azure.storageAccounts[DEMO_ACCOUNT];
  if (account === undefined) throw new Error("the sandbox has no storage account");
  return {
    buckets: { demo: objects },
    azure: {
      ...azure,
      tokenLifeSeconds: lifeSeconds,
      storageAccounts: { [DEMO_ACCOUNT]: { ...account, containers: { demo: objects } } },
    },
    gcp: { ...gcp, buckets: { demo: { bindings: [], ...gcp.buckets["demo"], objects } } },
  };
}

const STORAGE: Readonly<Record<CloudName, string>> = { aws: "s3", azure: "blob", gcp: "gcs" };

/** What the sandbox was asked for a client's object, in order. */
export function requestsOf({ cloud, object }: SteadyClient, { sandbox }: Stage): readonly LoggedRequest[] {
  const isOf = (value: string | readonly string[]): boolean => value === object || value === `${object}.new`;
  return sandbox
    .requests()
    .filter(({ service, parameters = {} }) => service === STORAGE[cloud] && Object.values(parameters).some(isOf));
}

/** How many credentials there are among requests. */
export function countCredentials(requests: readonly { readonly credential?: string }[]): number {
  return new Set(requests.flatMap(({ credential }) => credential ?? [])).size;
}

/** A client that reads inside a lease until it is told to stop. */
export interface SteadyLease {
  /** Resolves when `probe` has answered true, or when the command has ended before that. */
  reach(probe: () => boolean): Promise<void>;
  /** Has the client stop, and answers how agentctl ended. */
  stop(): Promise<Outcome>;
}

/** Starts a client with `agentctl run ARGS -- …`. */
export function startReading(
  client: SteadyClient,
  args: readonly string[],
  stage: Stage,
  options: RunOptions,
): SteadyLease {
  const stopFile = path.join(stage.dir, `stop-${client.object}-${args.join("-")}`);
  const command = client.command(`demo/${client.object}`, stopFile);
  const child = stage.start(["run", ...args, "--", ...command], options);
  let hasEnded = false;
  const ended = outcomeOf(child).finally(() => {
    hasEnded = true;
  });
  return {
    reach: async (probe) => {
      await eventually(() => hasEnded || probe());
    },
    stop: () => {
      fs.writeFileSync(stopFile, "");
      return ended;
    },
  };
}
