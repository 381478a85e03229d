import type { CloudName } from "../core/profile.js";

/**
 * How a tool wants its answer: `process` is AWS's credential_process, `executable` Google's executable-sourced
 * accounts, `token` an OAuth token as Go's library writes it, `az` what `az account get-access-token` prints.
 */
export type CredentialFormat = "process" | "executable" | "token" | "az";

/** What `agentctl credential` was asked for. */
export interface CredentialRequest {
  readonly cloud: CloudName;
  readonly format: CredentialFormat;
  readonly profileName?: string;
  readonly configPath?: string;
  readonly identitySource?: string;
  /** One of the profile's Azure scopes; absent means the first. */
  readonly scope?: string;
}
