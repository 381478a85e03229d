import type { Runtime } from "../core/runtime.js";
import type { SurroundingLease } from "../core/surrounding-lease.js";
import { readAwsFromLease } from "./aws-from-lease.js";
import { readAzureFromLease } from "./azure-from-lease.js";
import type { Credential } from "./credential.js";
import { readGoogleSubject, readGoogleToken } from "./google-from-lease.js";
import type { CredentialRequest } from "./request.js";
import { assertLeaseLives } from "./surrounding-lease.js";

/**
 * What the surrounding lease has already given to this process; nothing is issued.
 * @throws {AgentctlError} TOKEN_EXPIRED, CONFIG_INVALID, USAGE, UNREACHABLE, CLOUD_DENIED, SERVICE_FAILED, BAD_ANSWER
 */
export function readFromLease(
  request: Pick<CredentialRequest, "cloud" | "format" | "scope">,
  lease: SurroundingLease,
  runtime: Runtime,
): Promise<Credential> {
  assertLeaseLives(lease, runtime.now());
  switch (request.cloud) {
    case "aws":
      return readAwsFromLease(lease, runtime);
    case "azure":
      return readAzureFromLease(request.scope, lease, runtime);
    case "gcp":
      return request.format === "executable" ? readGoogleSubject(lease, runtime) : readGoogleToken(lease, runtime);
  }
}
