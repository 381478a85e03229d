import type { TestContext } from "vitest";
import { AWS, AZURE, type Block, configOf, GCP } from "../e2e/three-clouds.js";
import { NPM_CLIENTS, skipWithoutPackage } from "./npm-clients.js";
import { CLIENT_PATH, program, skipWithout } from "./tools.js";

/** A cloud's own storage client that takes its token by hand, as a child that prints a line for each task. */
export interface StorageClient {
  readonly name: string;
  skipIfMissing(skip: TestContext["skip"]): void;
  /** argv for tasks such as `put:BUCKET/NAME=TEXT`, `get:BUCKET/NAME`, `names:BUCKET/PREFIX`; `programs/*-tasks.*`. */
  command(...tasks: readonly string[]): readonly string[];
  /** What it says when the cloud refuses what is not granted. */
  readonly refused: RegExp;
  /** What it says when the token's time is over. */
  readonly expired: RegExp;
}

const FORBIDDEN = /403.*does not have storage\.objects\.(get|create) access/;
const MISMATCH = /AuthorizationPermissionMismatch/;
const INVALID = /InvalidAuthenticationInfo|AuthenticationFailed/;

export const GCP_CLIENTS: readonly StorageClient[] = [
  {
    name: "gcloud",
    skipIfMissing: (skip) => skipWithout(skip, { tool: "gcloud" }),
    command: (...tasks) => ["sh", program("gcp-tasks.sh"), ...tasks],
    refused: FORBIDDEN,
    expired: /401.*Invalid Credentials/,
  },
  {
    name: "@google-cloud/storage",
    skipIfMissing: (skip) => skipWithoutPackage(skip, "@google-cloud/storage"),
    command: (...tasks) => [process.execPath, program("gcp-tasks.cjs"), ...tasks],
    refused: FORBIDDEN,
    expired: /401.*Invalid Credentials/,
  },
  {
    name: "google-cloud-storage",
    skipIfMissing: (skip) => skipWithout(skip, { tool: "python3", modules: ["google.cloud.storage"] }),
    command: (...tasks) => ["python3", program("gcp-tasks.py"), ...tasks],
    refused: FORBIDDEN,
    // It would get another, were it given the means.
    expired: /RefreshError: The credentials do not contain the necessary fields/,
  },
];

export const AZURE_CLIENTS: readonly StorageClient[] = [
  {
    name: "@azure/storage-blob",
    skipIfMissing: (skip) => skipWithoutPackage(skip, "@azure/storage-blob"),
    command: (...tasks) => [process.execPath, program("azure-tasks.cjs"), ...tasks],
    refused: MISMATCH,
    expired: INVALID,
  },
  {
    name: "azure-storage-blob",
    skipIfMissing: (skip) => skipWithout(skip, { tool: "python3", modules: ["azure.storage.blob"] }),
    command: (...tasks) => ["python3", program("azure-tasks.py"), ...tasks],
    refused: MISMATCH,
    expired: INVALID,
  },
];

const BELOW_REPORTS = [
  "resource.name.startsWith('projects/_/buckets/demo/objects/reports/')",
  "api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('reports/')",
];
const boundary: Block = {
  available_resource: "//storage.googleapis.com/projects/_/buckets/demo",
  available_permissions: ["inRole:roles/storage.objectUser"],
  availability_condition: { expression: BELOW_REPORTS.join(" || ") },
};
const scopes = ["https://storage.azure.com/.default", "https://management.azure.com/.default"];

/** One lease on all three clouds; in Google's it reaches the bucket demo below reports/, and no further. */
export const THREE_CLOUDS: string = configOf({
  three: {
    ttl: "15m",
    deliver: "env",
    aws: AWS,
    azure: { ...AZURE, scopes },
    gcp: { ...GCP, access_boundary: [boundary] },
  },
});

/** What a client's machine has, so that it finds its packages and trusts the sandbox. */
export function clientEnvironment(caFile: string): Record<string, string> {
  return { PATH: CLIENT_PATH, NODE_PATH: NPM_CLIENTS, REQUESTS_CA_BUNDLE: caFile, SSL_CERT_FILE: caFile };
}
