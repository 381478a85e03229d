import type { Readable } from "node:stream";
import { STSClient } from "@aws-sdk/client-sts";
import type { Runtime } from "../../core/runtime.js";
import type { SessionKeys } from "./assumed-session.js";
import { readCaBundle } from "./ca-bundle.js";
import type { StsEndpoint } from "./endpoint.js";
import { defaultProvider } from "./no-ambient-credentials.js";

/** How long STS is waited for, and how often it is asked. */
export interface StsLimits {
  readonly attempts: number;
  readonly connectMs: number;
  /** One whole exchange, the answer's last byte included. */
  readonly exchangeMs: number;
}

export const STS_LIMITS: StsLimits = { attempts: 4, connectMs: 3_000, exchangeMs: 10_000 };

/** STS's answers are a few kilobytes; what is far longer is something else. */
const LONGEST_ANSWER_BYTES = 256 * 1024;

export interface StsClientOptions {
  /** Whose AssumeRole it is; absent for the unsigned AssumeRoleWithWebIdentity. */
  readonly keys?: SessionKeys;
  /** How far STS's clock is ahead of this machine's, for the signature. */
  readonly clockAheadMs: number;
  readonly connectMs: number;
}

/**
 * An STS client that reads nothing ambient. Every setting that the SDK would otherwise look up in the
 * environment or in `~/.aws` (credentials, region, endpoint, FIPS, dual-stack, defaults mode, retry mode,
 * attempts, application id, authentication schemes) is given here; the retries are `core/retry.ts`'s.
 */
export function openStsClient(
  endpoint: StsEndpoint,
  options: StsClientOptions,
  runtime: Pick<Runtime, "env" | "fs" | "version">,
): STSClient {
  const ca = readCaBundle(runtime);
  return new STSClient({
    region: endpoint.region,
    ...(endpoint.override !== undefined && { endpoint: endpoint.override.url }),
    ignoreConfiguredEndpointUrls: true,
    useFipsEndpoint: endpoint.useFips,
    useDualstackEndpoint: endpoint.useDualstack,
    ...(options.keys !== undefined && { credentials: credentialsOf(options.keys) }),
    credentialDefaultProvider: defaultProvider,
    systemClockOffset: options.clockAheadMs,
    defaultsMode: "standard",
    retryMode: "standard",
    maxAttempts: 1,
    authSchemePreference: ["sigv4"],
    sigv4aSigningRegionSet: [endpoint.region],
    userAgentAppId: "agentctl",
    defaultUserAgentProvider: async () => [["agentctl", runtime.version]],
    streamCollector: collectAnswer,
    requestHandler: {
      connectionTimeout: options.connectMs,
      httpAgent: { keepAlive: false },
      httpsAgent: { keepAlive: false, ...(ca !== undefined && { ca }) },
    },
  });
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
