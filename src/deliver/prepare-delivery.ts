import type { CloudEndpoint } from "../core/endpoint.js";
import type { Grant } from "../core/lease.js";
import type { CloudName } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { Secret } from "../core/secret.js";
import { composeEnvironment, type DeliveryInput, type DeliveryPreview } from "./compose-environment.js";
import type { OpenEndpoint } from "./endpoint/open-endpoint.js";
import type { RefusedRequest } from "./endpoint/refusal-log.js";
import { makeTombstones, planTombstones, removePrivateDir } from "./tombstones.js";

/** What is delivered. */
export interface Deliverables {
  readonly grants: readonly Grant[];
  /** Of the clouds whose grants are read over the endpoint; none opens none. */
  readonly endpoints: readonly CloudEndpoint[];
  /** The grant to answer with. @throws {AgentctlError} when there is none any more */
  readonly current: (cloud: CloudName) => Promise<Grant>;
  readonly onRefused: (refused: RefusedRequest) => void;
}

export interface Delivery extends DeliveryPreview {
  /** The child's whole environment, secrets revealed: for `spawn` and nothing else. */
  readonly env: Readonly<Record<string, string>>;
  /** Tells the endpoint whose descendants may ask it. */
  readonly watchChild: (pid: number) => void;
  /** Puts renewed grants into the files that hold one. @throws {AgentctlError} STATE_UNWRITABLE */
  readonly refreshFiles: (grants: readonly Grant[]) => void;
  /** How many requests the endpoint has refused. */
  readonly refusedCount: () => number;
  /**
   * Closes the endpoint and removes the private files. False when something is left; never throws; may be called
   * again.
   */
  readonly close: () => Promise<boolean>;
}

/** What `--dry-run` shows; makes nothing. */
export function previewDelivery(input: DeliveryInput, runtime: Pick<Runtime, "env">): DeliveryPreview {
  const granted = input.plans.flatMap((plan) => plan.variables).map((name) => [name, ""] as const);
  const { given, removed, passed } = composeEnvironment(input, Object.fromEntries(granted), runtime.env);
  return { given, removed, passed };
}

/**
 * Makes the child's environment, the private files that it points to, and the endpoint where there is one to ask.
 * @throws {AgentctlError} STATE_UNWRITABLE, CONFIG_INVALID, PLATFORM; nothing is left behind then
 */
export async function prepareDelivery(
  input: DeliveryInput,
  deliverables: Deliverables,
  runtime: Runtime,
): Promise<Delivery> {
  const { privateDir } = input;
  makeTombstones(privateDir, planTombstones(privateDir), runtime);
  try {
    const endpoint = await openEndpointFor(deliverables, input, runtime);
    const variables = deliverables.grants.flatMap((grant) => Object.entries(grant.variables).map(reveal));
    const granted = { ...Object.fromEntries(variables), ...endpoint?.variables };
    return {
      ...composeEnvironment(input, granted, runtime.env),
      watchChild: (pid) => endpoint?.watchChild(pid),
      refreshFiles: (grants) => endpoint?.refreshFiles(grants),
      refusedCount: () => endpoint?.refusedCount ?? 0,
      close: async () => {
        await endpoint?.close();
        return removePrivateDir(privateDir, runtime);
      },
    };
  } catch (error) {
    removePrivateDir(privateDir, runtime);
    throw error;
  }
}

async function openEndpointFor(
  { grants, endpoints, current, onRefused }: Deliverables,
  { privateDir, profile }: DeliveryInput,
  runtime: Runtime,
): Promise<OpenEndpoint | undefined> {
  if (endpoints.length === 0) return undefined;
  const { openEndpoint: open } = await import("./endpoint/open-endpoint.js");
  const endpoint = await open({ endpoints, privateDir, peerCheck: profile.peerCheck, current, onRefused }, runtime);
  try {
    endpoint.refreshFiles(grants);
    return endpoint;
  } catch (error) {
    await endpoint.close();
    throw error;
  }
}

function reveal([name, value]: [string, string | Secret]): [string, string] {
  return [name, value instanceof Secret ? value.reveal() : value];
}
