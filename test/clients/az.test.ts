import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_SUBSCRIPTION, DEFAULT_TENANT, DEMO_CLIENT, defaultAzure } from "../../src/sandbox/azure/world.js";
import { type Outcome, openStage, type Stage } from "../e2e/agentctl.js";
import { AZURE, configOf } from "../e2e/three-clouds.js";
import { clientEnvironment } from "./storage-clients.js";
import { program, skipWithout, writeFiles } from "./tools.js";

const AZ = { tool: "az" };
const { subscription_id: _, ...WITHOUT_SUBSCRIPTION } = AZURE;
const CONFIG = configOf({
  az: { ttl: "15m", deliver: "endpoint", azure: AZURE },
  tenant: { ttl: "15m", deliver: "endpoint", azure: WITHOUT_SUBSCRIPTION },
});
/** As short as it takes for two renewals, each with a third of the token's life left, not to be waited for long. */
const SHORT_LIFE_SECONDS = 6;

/** Somebody else's login, and an extension, in the home directory. */
const HOME = {
  ".azure/azureProfile.json": JSON.stringify({
    subscriptions: [
      {
        id: "ambient",
        name: "ambient",
        state: "Enabled",
        user: { name: "ambient@example.test", type: "user" },
        isDefault: true,
        tenantId: "ambient",
        environmentName: "AzureCloud",
      },
    ],
  }),
  ".azure/cliextensions/own-ext/azext_own/azext_metadata.json": JSON.stringify({ "azext.minCliCoreVersion": "2.0.0" }),
  ".azure/cliextensions/own-ext/azext_own/__init__.py": `from azure.cli.core import AzCommandsLoader


class OwnLoader(AzCommandsLoader):
    def load_command_table(self, args):
        return {}


COMMAND_LOADER_CLS = OwnLoader
`,
  ".azure/cliextensions/own-ext/own_ext-1.2.3.dist-info/METADATA":
    "Metadata-Version: 2.1\nName: own-ext\nVersion: 1.2.3\n",
};

let stage: Stage;
let home: string;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(CONFIG);
  home = writeFiles(path.join(stage.dir, "az-home"), HOME);
});
afterAll(() => stage.close());

function run(profile: string, command: readonly string[], on: Stage = stage): Promise<Outcome> {
  const env = { ...clientEnvironment(on.sandbox.caFile), HOME: home };
  return on.run(["run", "-p", profile, "--quiet", "--", ...command], { env });
}

function az(...args: readonly string[]): Promise<Outcome> {
  return run("az", ["az", ...args]);
}

/** Blob Storage of the sandbox, whose address `az` can be told. */
function storage(verb: string, ...args: readonly string[]): Promise<Outcome> {
  const there = ["--blob-endpoint", String(stage.sandbox.env["AGENTCTL_SANDBOX_BLOB_URL"]), "--auth-mode", "login"];
  return az("storage", "blob", verb, "--container-name", "demo", ...there, ...args);
}

function audienceOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).aud;
}

describe("az inside agentctl run, with no login", () => {
  test("is signed in as the profile's application, and as nobody else", async ({ skip }) => {
    skipWithout(skip, AZ);
    const shown = await az("account", "show");
    expect(shown).toMatchObject({ code: 0, stderr: "" });
    const account = {
      id: DEFAULT_SUBSCRIPTION,
      tenantId: DEFAULT_TENANT,
      isDefault: true,
      environmentName: "AzureCloud",
      user: { assignedIdentityInfo: `MSIClient-${DEMO_CLIENT}`, type: "servicePrincipal" },
    };
    expect(JSON.parse(shown.stdout)).toMatchObject(account);
    const { environmentName: cloudName, ...listed } = account;
    expect(JSON.parse((await az("account", "list")).stdout)).toMatchObject([{ ...listed, cloudName }]);
  });

  test("has an account of the tenant where the profile has no subscription", async ({ skip }) => {
    skipWithout(skip, AZ);
    const { stdout, stderr } = await run("tenant", ["az", "account", "show"]);
    const account = { id: DEFAULT_TENANT, name: "N/A(tenant level account)", tenantId: DEFAULT_TENANT };
    expect(JSON.parse(stdout), stderr).toMatchObject(account);
  });

  test.for([
    { name: "nothing in particular", args: [], want: "https://management.azure.com" },
    { name: "a resource", args: ["--resource", "https://storage.azure.com/"], want: "https://storage.azure.com" },
    { name: "a kind of resource", args: ["--resource-type", "arm"], want: "https://management.azure.com" },
    {
      name: "a scope",
      args: ["--scope", "https://management.core.windows.net//.default"],
      want: "https://management.azure.com",
    },
    { name: "its own tenant", args: ["--tenant", DEFAULT_TENANT], want: "https://management.azure.com" },
  ])("gives a token when asked for $name", async ({ args, want }, { skip }) => {
    skipWithout(skip, AZ);
    const { stdout, stderr } = await az("account", "get-access-token", ...args);
    expect(stderr).toBe("");
    const { accessToken, expires_on: expiresOn, tenant } = JSON.parse(stdout);
    expect(audienceOf(accessToken)).toBe(want);
    expect(tenant).toBe(DEFAULT_TENANT);
    expect(expiresOn * 1000).toBeGreaterThan(Date.now());
  });

  test("says why there is no token for what the profile does not name", async ({ skip }) => {
    skipWithout(skip, AZ);
    const { code, stdout, stderr } = await az("account", "get-access-token", "--resource-type", "ms-graph");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("no token for https://graph.microsoft.com/: azure.scopes of this profile has ");
    const { request } = stage.auditRecords().find(({ kind }) => kind === "endpoint.refused") ?? {};
    expect(request).toMatchObject({ cloud: "azure", reason: "scope" });
  });

  test("calls Azure Resource Manager", async ({ skip }) => {
    skipWithout(skip, AZ);
    const url = `${stage.sandbox.env["AGENTCTL_SANDBOX_ARM_URL"]}/subscriptions?api-version=2022-12-01`;
    const resource = ["--resource", "https://management.core.windows.net/"];
    const { stdout, stderr } = await az("rest", "--url", url, ...resource, "--query", "value[].subscriptionId");
    expect(JSON.parse(stdout), stderr).toEqual([DEFAULT_SUBSCRIPTION]);
    const asked = { service: "arm", operation: "Subscriptions_List", principal: DEMO_CLIENT, status: 200 };
    expect(stage.sandbox.requests()).toContainEqual(expect.objectContaining(asked));
  });

  test("puts a blob, lists it and gets it back", async ({ skip }) => {
    skipWithout(skip, AZ);
    const file = stage.writeFile("for-az.txt", "from az\n");
    const upload = await storage("upload", "--name", "reports/az", "--file", file, "--no-progress");
    expect(upload.code, upload.stderr).toBe(0);
    const list = await storage("list", "--prefix", "reports/", "--query", "[].name", "--output", "tsv");
    expect(list.stdout.trim().split("\n"), list.stderr).toEqual(["reports/2026/q3.csv", "reports/az"]);
    const copy = path.join(stage.dir, "copy.txt");
    await storage("download", "--name", "reports/az", "--file", copy, "--no-progress");
    expect((await run("az", ["cat", copy])).stdout).toBe("from az\n");
  });

  test("still finds the extensions of the home directory", async ({ skip }) => {
    skipWithout(skip, AZ);
    const { stdout, stderr } = await az("extension", "list", "--query", "[].[name, version]", "--output", "tsv");
    expect(stdout, stderr).toBe("own-ext\t1.2.3\n");
  });

  test("writes nothing to the home directory, and what it wrote went with the lease", async ({ skip }) => {
    skipWithout(skip, AZ);
    const script = 'find "$HOME" -newer "$AZURE_CONFIG_DIR/config" -type f; ls "$AZURE_CONFIG_DIR"';
    const { stdout } = await run("az", ["sh", "-c", `az account show >/dev/null 2>&1; ${script}`]);
    expect(stdout).toContain("azureProfile.json\n");
    expect(stdout).not.toContain(home);
    expect((await stage.runIn("ls", [path.join(stage.stateDir, "run")])).stdout).toBe("");
  });
});

describe("az in a lease that outlives its tokens", () => {
  let short: Stage;
  beforeAll(async () => {
    short = await openStage({ azure: { ...defaultAzure(), tokenLifeSeconds: SHORT_LIFE_SECONDS } });
    short.writeConfig(CONFIG);
  });
  afterAll(() => short.close());

  test("has a new one after each renewal", async ({ skip }) => {
    skipWithout(skip, AZ);
    const { code, stdout, stderr } = await run("az", ["sh", program("az-renewals.sh"), "3"], short);
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: "token 1\ntoken 2\ntoken 3\n" });
    const renewals = short.auditRecords().filter(({ kind }) => kind === "grant.renewed");
    expect(renewals.length).toBeGreaterThanOrEqual(2);
  });
});
