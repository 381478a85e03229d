import { randomBytes } from "node:crypto";
import type { CloudEndpoint } from "../../core/endpoint.js";
import { AgentctlError } from "../../core/errors.js";
import type { Grant } from "../../core/lease.js";
import type { CloudName, PeerCheck } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import { Secret } from "../../core/secret.js";
import { openPrivateTextFiles } from "../private-text-files.js";
import { openGate } from "./admit-peer.js";
import { collectServers, type Servers } from "./collect-servers.js";
import { ENDPOINT_LIMITS, type EndpointLimits } from "./limits.js";
import { openRefusalLog, type RefusedRequest } from "./refusal-log.js";
import { routeBySecret, routeToMetadata, type ServedCloud } from "./routes.js";

export interface EndpointInput {
  readonly endpoints: readonly CloudEndpoint[];
  /** The lease's private directory, which is there already. */
  readonly privateDir: string;
  readonly peerCheck: PeerCheck;
  /** The grant to answer with. Rejects with LEASE_ENDED or TOKEN_EXPIRED when there is none any more; else just now. */
  readonly current: (cloud: CloudName) => Promise<Grant>;
  /** Called once for each distinct refusal, and at most twenty times. */
  readonly onRefused: (refused: RefusedRequest) => void;
}

/** The lease's loopback endpoint while it is open. */
export interface OpenEndpoint {
  /** What leads the child's tools to it, for the child's environment; holds the secret path. */
  readonly variables: Readonly<Record<string, string>>;
  /** The child's process, from which callers must descend; nobody is answered before. */
  watchChild(pid: number): void;
  /**
   * Writes the private files that the tools read: to be called before the child starts, and with each renewal.
   * @throws {AgentctlError} STATE_UNWRITABLE
   */
  refreshFiles(grants: readonly Grant[]): void;
  readonly refusedCount: number;
  /** Answers nobody any more and cuts all connections; resolves when that is done. Never throws. */
  close(): Promise<void>;
}

type EndpointRuntime = Pick<Runtime, "fs" | "platform" | "pid" | "uid" | "now" | "sleep">;

/**
 * Opens one server for all the clouds of a lease, and one more for each metadata server that is asked for.
 * @throws {AgentctlError} CONFIG_INVALID for a metadata server without `peer_check: require`; PLATFORM
 */
export async function openEndpoint(
  input: EndpointInput,
  runtime: EndpointRuntime,
  limits: EndpointLimits = ENDPOINT_LIMITS,
): Promise<OpenEndpoint> {
  checkMetadata(input);
  const gate = openGate(input.peerCheck, runtime);
  const log = openRefusalLog(input.onRefused, runtime);
  const servers = collectServers({ gate, log, limits, current: input.current }, limits);
  const { served, variables } = await servers.closeOnFailure(() => serveAll(input, servers));
  const files = openPrivateTextFiles(input.privateDir, runtime);
  let isOpen = true;
  return {
    variables,
    watchChild: gate.watchChild,
    refreshFiles: (grants) => {
      // After the end the directory is removed, and must not come into being again.
      if (isOpen) for (const [name, text] of filesOf(served, grants)) files.put(name, text);
    },
    get refusedCount() {
      return log.count;
    },
    close: () => {
      isOpen = false;
      return servers.close();
    },
  };
}

/** What has no secret in its paths must know by other means who asks. */
function checkMetadata({ endpoints, peerCheck }: EndpointInput): void {
  const cloud = endpoints.find(({ metadata }) => metadata !== undefined)?.cloud;
  if (cloud === undefined || peerCheck === "require") return;
  throw new AgentctlError("CONFIG_INVALID", `a metadata server (${cloud}) needs peer_check: require`, {
    hint: "set peer_check: require in the profile, or metadata: false",
  });
}

async function serveAll({ endpoints, privateDir: dir }: EndpointInput, servers: Servers) {
  const pathSecret = newSecret();
  const secret = new Secret(newSecret());
  const { host, answerBy } = await servers.open();
  const served = endpoints.map((endpoint): ServedCloud => {
    const url = `http://${host}/${pathSecret}/${endpoint.cloud}`;
    return { endpoint, place: { url, secret, dir } };
  });
  answerBy(routeBySecret(pathSecret, served));
  const variables: Record<string, string> = {};
  for (const { endpoint, place } of served) {
    Object.assign(variables, revealAll(endpoint.variables(place)));
    if (endpoint.metadata === undefined) continue;
    const server = await servers.open();
    server.answerBy(routeToMetadata(endpoint.cloud, endpoint.metadata));
    Object.assign(variables, endpoint.metadata.variables(server.host));
  }
  return { served, variables };
}

function filesOf(served: readonly ServedCloud[], grants: readonly Grant[]): [string, string][] {
  return served.flatMap(({ endpoint, place }) => {
    const grant = grants.find(({ cloud }) => cloud === endpoint.cloud);
    return grant === undefined ? [] : Object.entries(revealAll(endpoint.files(place, grant)));
  });
}

function revealAll(values: Readonly<Record<string, string | Secret>>): Record<string, string> {
  const reveal = (value: string | Secret): string => (value instanceof Secret ? value.reveal() : value);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, reveal(value)]));
}

/** 256 bits, in characters that need no escaping in a path or a header. */
function newSecret(): string {
  return randomBytes(32).toString("base64url");
}
