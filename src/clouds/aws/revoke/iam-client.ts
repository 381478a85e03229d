import { IAMClient } from "@aws-sdk/client-iam";
import type { Runtime } from "../../../core/runtime.js";
import { type ClientOptions, clientSettings } from "../client-options.js";
import type { ServiceEndpoint } from "../endpoint.js";

/** An IAM client that reads nothing ambient. @throws {AgentctlError} CONFIG_INVALID for an unreadable CA bundle */
export function openIamClient(
  endpoint: ServiceEndpoint,
  options: ClientOptions,
  runtime: Pick<Runtime, "env" | "fs" | "version">,
): IAMClient {
  return new IAMClient(clientSettings(endpoint, options, runtime));
}
