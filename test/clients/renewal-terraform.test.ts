import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CloudName } from "../../src/core/profile.js";
import { defaultAzure } from "../../src/sandbox/azure/world.js";
import { eventually, openStage, outcomeOf, type Stage } from "../e2e/agentctl.js";
import { AWS, AZURE, configOf, GCP } from "../e2e/three-clouds.js";
import { type AzureFront, startAzureFront } from "./azure-front.js";
import { type Azurite, startAzurite } from "./azurite.js";
import { skipWithoutPackage } from "./npm-clients.js";
import { clientEnvironment } from "./storage-clients.js";
import { program, skipWithout, writeFiles } from "./tools.js";

const LIFE_SECONDS = 12;
const LEASE = { ttl: "10m", credential_ttl: `${LIFE_SECONDS}s`, deliver: "endpoint" };
const CONFIG = configOf({
  aws: { ...LEASE, aws: AWS },
  azure: { ...LEASE, azure: AZURE },
  gcp: { ...LEASE, gcp: GCP },
  "azure-by-hand": { ttl: "10m", deliver: "env", azure: { ...AZURE, scopes: ["https://storage.azure.com/.default"] } },
});
const BLOB_HOST = "emulated.blob.core.windows.net";

/** What the cloud saw of Terraform: with which credential it was asked, and how it answered. */
interface Seen {
  readonly status: number;
  readonly credential?: string;
}

interface Backend {
  readonly type: string;
  readonly cloud: CloudName;
  readonly settings: Readonly<Record<string, string | boolean>>;
  /** What it is to find besides; may start what it needs. */
  prepare(): Promise<Readonly<Record<string, string>>>;
  seen(): readonly Seen[];
}

let stage: Stage;
let azure: { readonly azurite: Azurite; readonly front: AzureFront } | undefined;
beforeAll(async () => {
  stage = await openStage({ azure: { ...defaultAzure(), tokenLifeSeconds: LIFE_SECONDS } });
  stage.writeConfig(CONFIG);
});
afterAll(() => Promise.all([azure?.front.close(), azure?.azurite.close(), stage.close()]));

const sandboxSaw = (service: string): readonly Seen[] =>
  stage.sandbox.requests().filter((request) => request.service === service);

/** The backend has no setting for another address, and needs more than the sandbox's Blob Storage does: azurite's. */
async function prepareAzure(): Promise<Record<string, string>> {
  const azurite = await startAzurite();
  const account = { properties: { primaryEndpoints: { blob: `https://${BLOB_HOST}/` } } };
  const front = await startAzureFront({
    "management.azure.com": { json: account },
    [BLOB_HOST]: { origin: new URL(azurite.url).origin, caPem: azurite.caPem },
  });
  azure = { azurite, front };
  const authorities = [front.caPem, azurite.caPem, fs.readFileSync(stage.sandbox.caFile, "utf8")];
  const caFile = stage.writeFile("authorities.pem", authorities.join(""));
  const env = { ...clientEnvironment(caFile), NODE_EXTRA_CA_CERTS: caFile, BLOB_URL: azurite.url };
  const make = [process.execPath, program("azure-tasks.cjs"), "make:state/"];
  const made = await stage.run(["run", "-p", "azure-by-hand", "--quiet", "--", ...make], { env });
  expect(made).toMatchObject({ stdout: "make: ok\n", stderr: "" });
  return { SSL_CERT_FILE: caFile, TERRAFORM_PROXY: front.proxyUrl };
}

const BACKENDS: readonly Backend[] = [
  {
    type: "s3",
    cloud: "aws",
    settings: { bucket: "demo", key: "terraform/state", region: "us-east-1", use_path_style: true, use_lockfile: true },
    prepare: async () => ({}),
    seen: () => sandboxSaw("s3"),
  },
  {
    type: "gcs",
    cloud: "gcp",
    settings: { bucket: "demo", prefix: "terraform" },
    prepare: async () => ({
      GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT: stage.sandbox.env["CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE"] ?? "",
    }),
    seen: () => sandboxSaw("gcs"),
  },
  {
    type: "azurerm",
    cloud: "azure",
    settings: { storage_account_name: "emulated", container_name: "state", key: "state", use_azuread_auth: true },
    prepare: prepareAzure,
    seen: () => azure?.front.requests().filter(({ host }) => host === BLOB_HOST) ?? [],
  },
];

/** Something whose making lasts until a file appears, and whose state is written after that. */
const configurationFor = ({ type, settings }: Backend, goOn: string): string => `terraform {
  backend "${type}" {
${Object.entries(settings)
  .map(([name, value]) => `    ${name} = ${JSON.stringify(value)}\n`)
  .join("")}  }
}

resource "terraform_data" "thing" {
  provisioner "local-exec" {
    command = "while [ ! -e '${goOn}' ]; do sleep 0.2; done"
  }
}
`;

const APPLY =
  "export HTTPS_PROXY=$TERRAFORM_PROXY; terraform init -input=false -no-color && terraform apply -auto-approve -no-color";

function renewalsOf(profile: string): number {
  return stage.auditRecords().filter((record) => record["kind"] === "grant.renewed" && record["profile"] === profile)
    .length;
}

describe("terraform, in an apply that outlives two renewals", () => {
  test.concurrent.for(BACKENDS)("$type: the state is written with the third credential", async (backend, { skip }) => {
    skipWithout(skip, { tool: "terraform" });
    if (backend.cloud === "azure")
      for (const name of ["azurite", "@azure/storage-blob"]) skipWithoutPackage(skip, name);
    const goOn = path.join(stage.dir, `${backend.type}-goes-on`);
    const dir = writeFiles(path.join(stage.dir, backend.type), { "main.tf": configurationFor(backend, goOn) });
    const env = {
      ...clientEnvironment(stage.sandbox.caFile),
      CHECKPOINT_DISABLE: "1",
      TF_IN_AUTOMATION: "1",
      ...(await backend.prepare()),
    };
    let output = "";
    let hasEnded = false;
    const child = stage.start(["run", "-p", backend.cloud, "--quiet", "--", "sh", "-c", APPLY], { cwd: dir, env });
    child.stdout?.on("data", (text) => {
      output += text;
    });
    const ended = outcomeOf(child).finally(() => {
      hasEnded = true;
    });
    await eventually(() => hasEnded || output.includes("Provisioning with 'local-exec'"));
    const [before, first] = [renewalsOf(backend.cloud), backend.seen().at(-1)?.credential];
    await eventually(() => hasEnded || renewalsOf(backend.cloud) >= before + 2);
    fs.writeFileSync(goOn, "");

    const outcome = await ended;
    expect(outcome.stdout, outcome.stderr).toContain("Apply complete! Resources: 1 added");
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(backend.seen().filter(({ status }) => status === 401 || status === 403)).toEqual([]);
    const last = backend.seen().at(-1)?.credential;
    expect([first, last]).toEqual([expect.any(String), expect.any(String)]);
    expect(last).not.toBe(first);
  });
});
