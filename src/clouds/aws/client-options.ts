import type { Readable } from "node:stream";
import type { Runtime } from "../../core/runtime.js";
import type { SessionKeys } from "./assumed-session.js";
import { caContext } from "./ca-context.js";
import type { ServiceEndpoint } from "./endpoint.js";
import { defaultProvider } from "./no-ambient-credentials.js";

/** The answers are a few kilobytes; what is far longer is something else. */
const LONGEST_ANSWER_BYTES = 256 * 1024;

export interface ClientOptions {
  /** Who asks; absent for the unsigned AssumeRoleWithWebIdentity. */
  readonly keys?: SessionKeys;
  /** How far AWS's clock is ahead of this machine's, for the signature. */
  readonly clockAheadMs: number;
  readonly connectMs: number;
}

/**
 * The settings of an SDK client that reads nothing ambient. Every one that the SDK would otherwise look up in the
 * environment or in `~/.aws` (credentials, region, endpoint, FIPS, dual-stack, defaults mode, retry mode,
 * attempts, application id, authentication schemes) is given here; the retries are `core/retry.ts`'s.
 * @throws {AgentctlError} CONFIG_INVALID for a CA bundle that cannot be read
 */
export function clientSettings(
  endpoint: ServiceEndpoint,
  { keys, clockAheadMs, connectMs }: ClientOptions,
  runtime: Pick<Runtime, "env" | "fs" | "version">,
) {
  const secureContext = caContext(runtime);
  return {
    region: endpoint.region,
    ...(endpoint.override !== undefined && { endpoint: endpoint.override.url }),
    ignoreConfiguredEndpointUrls: true,
    useFipsEndpoint: endpoint.useFips,
    useDualstackEndpoint: endpoint.useDualstack,
    ...(keys !== undefined && { credentials: credentialsOf(keys) }),
    credentialDefaultProvider: defaultProvider,
    systemClockOffset: clockAheadMs,
    defaultsMode: "standard" as const,
    retryMode: "standard",
    maxAttempts: 1,
    authSchemePreference: ["sigv4"],
    userAgentAppId: "agentctl",
    defaultUserAgentProvider: async (): Promise<[string, string][]> => [["agentctl", runtime.version]],
    streamCollector: collectAnswer,
    requestHandler: {
      connectionTimeout: connectMs,
      httpAgent: { keepAlive: false },
      httpsAgent: { keepAlive: false, ...(secureContext !== undefined && { secureContext }) },
    },
  };
}

function credentialsOf(keys: SessionKeys) {
  return {
    accessKeyId: keys.accessKeyId.reveal(),
    secretAccessKey: keys.secretAccessKey.reveal(),
    sessionToken: keys.sessionToken.reveal(),
  };
}

/** Reads an answer's body, but no endless one. */
async function collectAnswer(body: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Buffer).length;
    if (size > LONGEST_ANSWER_BYTES) throw Object.assign(new Error("the answer is too long"), { code: "EMSGSIZE" });
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
