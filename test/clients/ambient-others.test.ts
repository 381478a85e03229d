import { generateKeyPairSync } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEMO_PROFILE, type Outcome, openStage, type Stage } from "../e2e/agentctl.js";
import { AMBIENT_TOKEN, type MetadataServer, startMetadataServer } from "./metadata-server.js";
import { CLIENT_PATH, program, runBare, skipWithout, writeFiles } from "./tools.js";

const GOOGLE = { tool: "python3", modules: ["google.auth", "requests"] };
const AZURE = { tool: "python3", modules: ["azure.identity"] };
/** To fail closed is to fail soon: a job must not hang on a machine's metadata that is not for it. */
const SOON_MS = 20_000;

/** One way in which a machine hands out a credential, and what a library says that finds it. */
interface Trap {
  readonly name: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: (given: { home: string; url: string; host: string }) => Readonly<Record<string, string>>;
  readonly found: string;
}

const USER = { type: "authorized_user", client_id: "ambient", client_secret: "ambient", refresh_token: "ambient" };
const ADC_FILE = ".config/gcloud/application_default_credentials.json";

const GOOGLE_TRAPS: readonly Trap[] = [
  { name: "~/.config/gcloud", files: { [ADC_FILE]: JSON.stringify(USER) }, found: "found google.oauth2.credentials" },
  {
    name: "GOOGLE_APPLICATION_CREDENTIALS",
    files: { "key.json": JSON.stringify(serviceAccountKey()) },
    env: ({ home }) => ({ GOOGLE_APPLICATION_CREDENTIALS: `${home}/key.json` }),
    found: "found google.oauth2.service_account ambient-project",
  },
  {
    name: "the machine's metadata",
    env: ({ host }) => ({ GCE_METADATA_HOST: host, GCE_METADATA_IP: host, GCE_METADATA_ROOT: host }),
    found: `found google.auth.compute_engine.credentials ambient-project\n${AMBIENT_TOKEN}`,
  },
];

const AZURE_TRAPS: readonly Trap[] = [
  {
    name: "App Service",
    env: ({ url }) => ({ IDENTITY_ENDPOINT: `${url}/msi/token`, IDENTITY_HEADER: "ambient" }),
    found: AMBIENT_TOKEN,
  },
  {
    name: "Azure ML",
    env: ({ url }) => ({ MSI_ENDPOINT: `${url}/msi/token`, MSI_SECRET: "ambient" }),
    found: AMBIENT_TOKEN,
  },
];

function serviceAccountKey(): object {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    type: "service_account",
    project_id: "ambient-project",
    private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
    private_key_id: "1",
    client_email: "ambient@ambient-project.iam.gserviceaccount.com",
    token_uri: "https://127.0.0.1:1/token",
  };
}

let stage: Stage;
let metadata: MetadataServer;
beforeAll(async () => {
  [stage, metadata] = await Promise.all([openStage(), startMetadataServer()]);
  stage.writeConfig(DEMO_PROFILE);
});
afterAll(() => Promise.all([stage.close(), metadata.close()]));

function setTraps(name: string, traps: readonly Trap[]): Record<string, string> {
  const files = Object.assign({}, ...traps.map((trap) => trap.files));
  const home = writeFiles(path.join(stage.dir, "homes", name.replace(/\W+/g, "-")), files);
  const given = { home, url: metadata.url, host: metadata.host };
  return Object.assign({ HOME: home, PATH: CLIENT_PATH }, ...traps.map((trap) => trap.env?.(given)));
}

/** Runs a command of a profile that has only AWS, and checks that nobody was asked and that it was over soon. */
async function runInside(command: readonly string[], env: Record<string, string>): Promise<Outcome> {
  metadata.takeRequests();
  const startedAt = Date.now();
  const outcome = await stage.run(["run", "-p", "demo", "--quiet", "--", ...command], { env });
  expect(Date.now() - startedAt).toBeLessThan(SOON_MS);
  expect(metadata.takeRequests()).toEqual([]);
  return outcome;
}

describe("Google's credentials that lie about on the machine", () => {
  const FIND = ["python3", program("find-google.py")];
  test.for(GOOGLE_TRAPS)("$name: google-auth finds them, and inside agentctl does not", async (trap, { skip }) => {
    skipWithout(skip, GOOGLE);
    const env = setTraps(`google-${trap.name}`, [trap]);
    const bare = await runBare(FIND, env);
    expect(bare.stdout, bare.stderr).toContain(trap.found);
    const outcome = await runInside(FIND, env);
    expect(outcome).toMatchObject({ code: 1, stdout: "" });
    expect(outcome.stderr).toMatch(/DefaultCredentialsError: File \S+ was not found/);
  });

  test("without the variable that stops it, google-auth still finds nothing", async ({ skip }) => {
    skipWithout(skip, GOOGLE);
    const unset = ["env", "-u", "GOOGLE_APPLICATION_CREDENTIALS", ...FIND];
    const outcome = await runInside(unset, setTraps("google-all", GOOGLE_TRAPS));
    expect(outcome).toMatchObject({ code: 1, stdout: "" });
    expect(outcome.stderr).toMatch(/DefaultCredentialsError: Your default credentials were not found/);
  });

  test("gcloud has an account, and inside agentctl none", async ({ skip }) => {
    skipWithout(skip, { tool: "gcloud" }, { tool: "python3" });
    const env = setTraps("gcloud", GOOGLE_TRAPS);
    const store = path.join(env["HOME"] ?? "", ".config/gcloud/credentials.db");
    const script = `import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("CREATE TABLE credentials (account_id TEXT PRIMARY KEY, value BLOB)")
db.execute("INSERT INTO credentials VALUES ('ambient@example.test', ?)", (sys.argv[2],))
db.commit()`;
    await runBare(["python3", "-c", script, store, JSON.stringify(USER)], {});
    const list = ["gcloud", "auth", "list"];
    // Else gcloud asks the machine's metadata as well, which bare it would.
    const bare = await runBare(list, { HOME: env["HOME"] ?? "", CLOUDSDK_CORE_CHECK_GCE_METADATA: "false" });
    expect(bare.stdout).toContain("ambient@example.test");
    const outcome = await runInside(list, { ...env, CLOUDSDK_CORE_ACCOUNT: "ambient@example.test" });
    expect(outcome).toMatchObject({ code: 0, stdout: "" });
    expect(outcome.stderr).toContain("No credentialed accounts.");
    const token = await runInside(["gcloud", "auth", "print-access-token"], env);
    expect(token).toMatchObject({ code: 1, stdout: "" });
    // What gcloud wrote down for itself went with the lease.
    expect(fs.readdirSync(path.join(stage.stateDir, "run"))).toEqual([]);
  });
});

describe("Azure's credentials that lie about on the machine", () => {
  const FIND = ["python3", program("find-azure.py")];
  test.for(AZURE_TRAPS)("$name: azure-identity finds them, and inside agentctl does not", async (trap, { skip }) => {
    skipWithout(skip, AZURE);
    const env = setTraps(`azure-${trap.name}`, [trap]);
    const bare = await runBare(FIND, env);
    expect(bare.stdout.trim(), bare.stderr).toBe(trap.found);
    const variables = { AZURE_TENANT_ID: "ambient", AZURE_CLIENT_ID: "ambient", AZURE_CLIENT_SECRET: "ambient" };
    const outcome = await runInside(FIND, { ...env, ...variables });
    expect(outcome).toMatchObject({ code: 1, stdout: "" });
    expect(outcome.stderr).toMatch(/ManagedIdentityCredential: .*Connection refused/);
    // The chain ends with it, rather than at the logins of other tools.
    expect(outcome.stderr).not.toMatch(/EnvironmentCredential:|AzureCliCredential:|VisualStudioCode/);
  });
});
