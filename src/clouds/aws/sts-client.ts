import { STSClient } from "@aws-sdk/client-sts";
import type { Runtime } from "../../core/runtime.js";
import { type ClientOptions, clientSettings } from "./client-options.js";
import type { ServiceEndpoint } from "./endpoint.js";

/** An STS client that reads nothing ambient. @throws {AgentctlError} CONFIG_INVALID for an unreadable CA bundle */
export function openStsClient(
  endpoint: ServiceEndpoint,
  options: ClientOptions,
  runtime: Pick<Runtime, "env" | "fs" | "version">,
): STSClient {
  return new STSClient({
    ...clientSettings(endpoint, options, runtime),
    // Looked up elsewhere as well, although no call here is signed that way.
    sigv4aSigningRegionSet: [endpoint.region],
  });
}
