import type { TestContext } from "vitest";
import type { CloudName } from "../../src/core/profile.js";
import { skipWithoutPackage } from "./npm-clients.js";
import { program, skipWithout } from "./tools.js";

/** A client that reads an object, again and again, until a file appears; `programs/steady.*`. */
export interface SteadyClient {
  readonly name: string;
  readonly cloud: CloudName;
  /** That it is to find its credentials at the metadata server, and nowhere else. */
  readonly metadata?: true;
  /** Its own object, so that its requests can be told from the others'. */
  readonly object: string;
  skipIfMissing(skip: TestContext["skip"]): void;
  command(target: string, stopFile: string): readonly string[];
}

type Row = readonly [name: string, client: string, options?: { metadata?: true; module?: string }];

const IN_PYTHON: Readonly<Record<CloudName, readonly Row[]>> = {
  aws: [["boto3", "boto3"]],
  gcp: [
    ["google-cloud-storage for Python", "google_cloud_storage", { module: "google.cloud.storage" }],
    ["Compute Engine's credentials in Python", "compute_engine", { module: "google.cloud.storage", metadata: true }],
  ],
  azure: [
    ["DefaultAzureCredential in Python", "default_azure_credential", { module: "azure.identity" }],
    ["ManagedIdentityCredential in Python", "managed_identity_credential", { module: "azure.identity" }],
  ],
};

const IN_JAVASCRIPT: Readonly<Record<CloudName, readonly Row[]>> = {
  aws: [["the AWS SDK for JavaScript", "aws"]],
  gcp: [
    ["@google-cloud/storage", "storage", { module: "@google-cloud/storage" }],
    ["google-auth-library", "google-auth"],
    ["Compute Engine's credentials in JavaScript", "compute", { metadata: true }],
  ],
  azure: [
    ["DefaultAzureCredential in JavaScript", "DefaultAzureCredential", { module: "@azure/storage-blob" }],
    ["ManagedIdentityCredential in JavaScript", "ManagedIdentityCredential", { module: "@azure/storage-blob" }],
  ],
};

const COMMANDS: Readonly<Record<CloudName, readonly Row[]>> = {
  aws: [
    ["the AWS CLI, again and again", "aws"],
    ["the AWS CLI, in one process", "aws-wait"],
  ],
  gcp: [
    ["gcloud storage, again and again", "gcloud"],
    ["gcloud storage on the metadata server, again and again", "gcloud-metadata", { metadata: true }],
  ],
  azure: [],
};

export const STEADY_CLIENTS: readonly SteadyClient[] = [
  ...listOf(IN_PYTHON, (client, module = client) => ({
    argv: ["python3", program("steady.py"), client],
    skipIfMissing: (skip) => skipWithout(skip, { tool: "python3", modules: [module] }),
  })),
  ...listOf(IN_JAVASCRIPT, (client, module) => ({
    // Without the warnings that the AWS SDK gives of older versions of Node.
    argv: [process.execPath, "--no-warnings", program("steady.cjs"), client],
    skipIfMissing: (skip) => module !== undefined && skipWithoutPackage(skip, module),
  })),
  ...listOf(COMMANDS, (client) => ({
    argv: ["sh", program("steady.sh"), client],
    skipIfMissing: (skip) => skipWithout(skip, { tool: client.split("-", 1)[0] ?? client }),
  })),
];

interface Start {
  readonly argv: readonly string[];
  skipIfMissing(skip: TestContext["skip"]): void;
}

function listOf(
  rows: Readonly<Record<CloudName, readonly Row[]>>,
  startOf: (client: string, module: string | undefined) => Start,
): SteadyClient[] {
  const clouds = Object.keys(rows) as CloudName[];
  return clouds.flatMap((cloud) =>
    rows[cloud].map(([name, client, { metadata, module } = {}]) => {
      const { argv, skipIfMissing } = startOf(client, module);
      const object = `for-${argv[0]?.split("/").at(-1)}-${client}`;
      const command = (target: string, stopFile: string): string[] => [...argv, target, stopFile];
      return { name, cloud, object, skipIfMissing, command, ...(metadata && { metadata }) };
    }),
  );
}
