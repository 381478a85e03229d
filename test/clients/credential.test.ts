import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BIN, NODE, type Outcome, openStage, type Stage } from "../e2e/agentctl.js";
import { countRequests } from "../e2e/refusal.js";
import { AWS, type Block, configOf, GCP, REPORTS_ONLY } from "../e2e/three-clouds.js";
import { AWS_CLIENTS } from "./aws-clients.js";
import { clientEnvironment } from "./storage-clients.js";
import { type Need, program, skipWithout, writeFiles } from "./tools.js";

const CONFIG = configOf({
  demo: { ttl: "15m", aws: AWS, gcp: GCP },
  bounded: { ttl: "15m", gcp: { ...GCP, access_boundary: [REPORTS_ONLY] } },
});
const EXCHANGE = "AssumeRoleWithWebIdentity";

let stage: Stage;
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(CONFIG);
  const helper = `${NODE} ${BIN} credential`;
  writeFiles(stage.dir, {
    "aws-config": `[default]\ncredential_process = ${helper} aws -p demo\n[profile again]\ncredential_process = ${helper} aws -p demo\n`,
    "demo.json": JSON.stringify(accountOf(`${helper} gcp -p demo`)),
    "bounded.json": JSON.stringify(accountOf(`${helper} gcp -p bounded`)),
  });
  env = { ...clientEnvironment(stage.sandbox.caFile), AWS_CONFIG_FILE: path.join(stage.dir, "aws-config") };
});
afterAll(() => stage.close());

/** As `gcloud iam workload-identity-pools create-cred-config --executable-command` writes it, for the sandbox. */
function accountOf(command: string): Block {
  const { CLOUDSDK_API_ENDPOINT_OVERRIDES_STS: sts, CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: iam } = stage.env;
  return {
    type: "external_account",
    audience: `//iam.googleapis.com/${GCP["workload_identity_provider"]}`,
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: `${sts}v1/token`,
    service_account_impersonation_url: `${iam}v1/projects/-/serviceAccounts/${GCP["service_account"]}:generateAccessToken`,
    credential_source: { executable: { command, timeout_millis: 30_000 } },
  };
}

function runIn([file = "", ...args]: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return stage.runIn(file, args, { env: { ...env, ...more } });
}

describe("agentctl credential aws as a credential_process", () => {
  test.for(AWS_CLIENTS)("$name asks it, and works with what it is handed", async (client, { skip }) => {
    skipWithout(skip, ...client.needs);
    const outcome = await runIn(client.command("whoami", "get:demo/hello.txt", "get:other/private.txt"));
    const [whoami, get, refused] = outcome.stdout.trim().split("\n");
    expect(whoami, outcome.stderr).toMatch(/^whoami: arn:.*:assumed-role\/agentctl-demo\/agentctl-l-\w{16}$/);
    expect(get).toBe("get: Hello from the agentctl sandbox.");
    expect(refused).toMatch(/^get: ! /);
    expect(stage.auditRecords().at(-1)).toMatchObject({ kind: "lease.end", endings: [{ word: "fenced" }] });
  });

  test("gives the AWS CLI the lease's own inside one, with no exchange", async ({ skip }) => {
    skipWithout(skip, { tool: "aws" });
    const before = countRequests(stage, "sts", EXCHANGE);
    const asked = ["aws", "--profile", "again", "sts", "get-caller-identity", "--query", "Arn", "--output", "text"];
    const command = ["env", `AWS_CONFIG_FILE=${env["AWS_CONFIG_FILE"]}`, ...asked];
    const outcome = await stage.run(["run", "-p", "demo", "--deliver", "env", "--", ...command], { env });
    expect(outcome.stdout, outcome.stderr).toMatch(/:assumed-role\/agentctl-demo\//);
    expect(countRequests(stage, "sts", EXCHANGE)).toBe(before + 1);
  });

  test("has the AWS CLI show why it was refused", async ({ skip }) => {
    skipWithout(skip, { tool: "aws" });
    const outcome = await runIn(["aws", "sts", "get-caller-identity"], { AGENTCTL_CONFIG: "/nowhere.yaml" });
    expect(outcome.stderr).toMatch(/agentctl: error\[CONFIG_NOT_FOUND\]/);
  });
});

interface GoogleClient {
  readonly name: string;
  readonly needs: readonly Need[];
  readonly command: readonly string[];
}

const GOOGLE_CLIENTS: readonly GoogleClient[] = [
  {
    name: "google-auth for Python",
    needs: [{ tool: "python3", modules: ["google.auth"] }],
    command: ["python3", program("google-default.py")],
  },
  {
    name: "google-auth-library for JavaScript",
    needs: [],
    command: [process.execPath, program("google-default.cjs")],
  },
];

describe("agentctl credential gcp as an executable-sourced account", () => {
  const read = (client: GoogleClient, account: string, name: string): Promise<Outcome> =>
    runIn([...client.command, `${stage.env["AGENTCTL_SANDBOX_GCS_URL"]}/storage/v1/b/${name}?alt=media`], {
      GOOGLE_APPLICATION_CREDENTIALS: path.join(stage.dir, account),
      GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES: "1",
      // Without it the libraries ask the Resource Manager for the project's name.
      GOOGLE_CLOUD_PROJECT: String(GCP["project_id"]),
    });

  test.for(GOOGLE_CLIENTS)(
    "$name trades what it is handed, and becomes the service account",
    async (client, { skip }) => {
      skipWithout(skip, ...client.needs);
      const outcome = await read(client, "demo.json", "demo/o/hello.txt");
      expect(outcome.stdout, outcome.stderr).toBe("200 Hello from the agentctl sandbox.\n");
      const last = stage.sandbox.requests().at(-1);
      expect(last).toMatchObject({ service: "gcs", principal: `serviceAccount:${GCP["service_account"]}` });
    },
  );

  test.for(GOOGLE_CLIENTS)("$name shows why it was refused", async (client, { skip }) => {
    skipWithout(skip, ...client.needs);
    const outcome = await read(client, "bounded.json", "demo/o/hello.txt");
    expect(outcome.stdout, outcome.stderr).toMatch(/^! .*CONFIG_INVALID.*profile bounded has an access boundary/);
  });
});
