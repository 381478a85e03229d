import path from "node:path";
import { AgentctlError } from "../core/errors.js";
import { explainSystemError, writePrivateFile } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";
import { trustVariables } from "./trust.js";

export interface SandboxAddresses {
  /** STS and IAM share a port. */
  readonly sts: string;
  readonly s3: string;
  /** Microsoft Entra, Resource Manager and Blob Storage share a port, and so do Google's services. */
  readonly azure: string;
  readonly gcp: string;
  /** The storage account of the world, where it has one. */
  readonly blobAccount: string | undefined;
  readonly control: string;
}

export interface PrivateDir {
  readonly path: string;
  readonly caFile: string;
  remove(): void;
}

/** A directory of this sandbox's own, in which clients find the CA's certificate. */
export function makePrivateDir(caPem: string, host: Pick<Runtime, "env" | "fs">): PrivateDir {
  const { fs } = host;
  const dir = makeTemporaryDir(host);
  const caFile = path.join(dir, "ca.pem");
  writePrivateFile(caFile, caPem, fs);
  return { path: dir, caFile, remove: () => fs.rmSync(dir, { recursive: true, force: true }) };
}

function makeTemporaryDir({ env, fs }: Pick<Runtime, "env" | "fs">): string {
  const base = env["TMPDIR"] ?? "/tmp";
  try {
    // mkdtemp makes it with 0700.
    return fs.mkdtempSync(path.join(base, "agentctl-sandbox-"));
  } catch (error) {
    throw new AgentctlError("STATE_UNWRITABLE", `cannot make a directory in ${base}: ${explainSystemError(error)}`, {
      hint: "set TMPDIR to a directory that you can write",
      cause: error,
    });
  }
}

/**
 * What points SDKs at the sandbox. `AWS_ENDPOINT_URL` as well, so that a call to any other service fails
 * here and does not leave the machine. All are IP addresses, so the AWS tools use path-style for S3 by
 * themselves.
 */
export function sandboxEnvironment(
  addresses: SandboxAddresses,
  caFile: string,
  host: Pick<Runtime, "env" | "fs">,
): Readonly<Record<string, string>> {
  const noProxy = [host.env["NO_PROXY"] ?? host.env["no_proxy"] ?? "", "127.0.0.1", "localhost"]
    .filter(Boolean)
    .join(",");
  return {
    AWS_ENDPOINT_URL: addresses.sts,
    AWS_ENDPOINT_URL_STS: addresses.sts,
    AWS_ENDPOINT_URL_IAM: addresses.sts,
    AWS_ENDPOINT_URL_S3: addresses.s3,
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "false",
    ...trustVariables(caFile, host),
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    AZURE_AUTHORITY_HOST: addresses.azure,
    AZURE_RESOURCE_MANAGER_ENDPOINT: addresses.azure,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STS: `${addresses.gcp}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: `${addresses.gcp}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER: `${addresses.gcp}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: `${addresses.gcp}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_PRIVILEGEDACCESSMANAGER: `${addresses.gcp}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${addresses.gcp}/storage/v1/`,
    // Azure's SDKs, and Google's but gcloud, read their services' addresses from no variable that leaves the
    // sign-in on (STORAGE_EMULATOR_HOST turns it off): for a script to hand to them.
    AGENTCTL_SANDBOX_ARM_URL: addresses.azure,
    ...(addresses.blobAccount !== undefined && {
      AGENTCTL_SANDBOX_BLOB_URL: `${addresses.azure}/${addresses.blobAccount}`,
    }),
    AGENTCTL_SANDBOX_GCS_URL: addresses.gcp,
    AGENTCTL_SANDBOX_TOKENINFO_URL: `${addresses.gcp}/tokeninfo`,
    AGENTCTL_SANDBOX_CONTROL_URL: addresses.control,
    NO_PROXY: noProxy,
    no_proxy: noProxy,
  };
}
