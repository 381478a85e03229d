import path from "node:path";
import { AgentctlError } from "../core/errors.js";
import { ensurePrivateDir, explainSystemError, openPrivate, PRIVATE_DIR_MODE } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";

/**
 * What stands where an SDK would fall back to when it finds no credential in the environment. An SDK must
 * come to a stop at each of them, since the next place it looks is the user's home or the machine's metadata.
 */
export interface Tombstones {
  readonly variables: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  readonly dirs: readonly string[];
}

/** Refuses at once: only root may bind port 1, and fetch does not even try it. */
const REFUSING_URL = "http://127.0.0.1:1/agentctl-gives-no-managed-identity";

/** For all three clouds, whichever the profile names. Pure: nothing is made yet. */
export function planTombstones(privateDir: string): Tombstones {
  const inside = (name: string): string => path.join(privateDir, name);
  const awsConfig = inside("aws-config");
  const awsCredentials = inside("aws-credentials");
  const botoConfig = inside("boto.cfg");
  const azure = inside("azure");
  const azd = inside("azd");
  const gcloud = inside("gcloud");
  return {
    files: [awsConfig, awsCredentials, botoConfig],
    dirs: [azure, azd, gcloud],
    variables: {
      AWS_CONFIG_FILE: awsConfig,
      AWS_SHARED_CREDENTIALS_FILE: awsCredentials,
      // The AWS SDK for Java 1 has its own name for the same file.
      AWS_CREDENTIAL_PROFILES_FILE: awsCredentials,
      // After the profile files, botocore (and gsutil) read keys from ~/.boto and /etc/boto.cfg.
      BOTO_CONFIG: botoConfig,
      AWS_EC2_METADATA_DISABLED: "true",

      AZURE_CONFIG_DIR: azure,
      AZD_CONFIG_DIR: azd,
      // The SDKs take App Service's branch only when the header is there too; without it they ask the machine's metadata.
      IDENTITY_ENDPOINT: REFUSING_URL,
      IDENTITY_HEADER: "none",
      // Keeps DefaultAzureCredential from going on to Visual Studio Code's and PowerShell's logins in the home directory.
      AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential",
      // Terraform with `use_msi = true` reads no IDENTITY_ENDPOINT.
      ARM_MSI_ENDPOINT: REFUSING_URL,

      CLOUDSDK_CONFIG: gcloud,
      // gcloud asks the machine's metadata by a switch of its own; it does not read NO_GCE_CHECK.
      CLOUDSDK_CORE_CHECK_GCE_METADATA: "false",
      // Not there, so that Google's libraries stop; where the variable is missing they read the home directory.
      GOOGLE_APPLICATION_CREDENTIALS: inside("no-google-credentials.json"),
      NO_GCE_CHECK: "true",
      METADATA_SERVER_DETECTION: "none",
    },
  };
}

/**
 * Makes the private directory and what the tombstones stand on.
 * @throws {AgentctlError} STATE_UNWRITABLE; nothing is left behind then
 */
export function makeTombstones(privateDir: string, tombstones: Tombstones, runtime: Pick<Runtime, "fs" | "uid">): void {
  ensurePrivateDir(path.dirname(privateDir), runtime);
  try {
    // Not recursive: one that is there already is another lease's, and must be left as it is.
    runtime.fs.mkdirSync(privateDir, { mode: PRIVATE_DIR_MODE });
  } catch (error) {
    throw cannotWrite(privateDir, error);
  }
  try {
    for (const file of tombstones.files) runtime.fs.closeSync(openPrivate(file, "create", runtime.fs));
    for (const dir of tombstones.dirs) runtime.fs.mkdirSync(dir, { mode: PRIVATE_DIR_MODE });
  } catch (error) {
    removePrivateDir(privateDir, runtime);
    throw cannotWrite(privateDir, error);
  }
}

function cannotWrite(dir: string, error: unknown): AgentctlError {
  return new AgentctlError("STATE_UNWRITABLE", `cannot write in ${dir}: ${explainSystemError(error)}`, {
    hint: "set AGENTCTL_STATE_DIR to a directory that you can write, on a disk with room",
    cause: error,
  });
}

/**
 * Removes the directory with all that the child put into it; a link is removed and not followed. Answers false
 * when something could not be removed. Never throws: what comes after it, the end of the lease, matters more.
 */
export function removePrivateDir(privateDir: string, runtime: Pick<Runtime, "fs">): boolean {
  try {
    // A background process of the child may be writing into it just then, which looks like ENOTEMPTY.
    runtime.fs.rmSync(privateDir, { recursive: true, force: true, maxRetries: 3, retryDelay: 20 });
    return true;
  } catch {
    return false;
  }
}
