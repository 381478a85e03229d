import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { awsTrust } from "../../src/clouds/aws/setup/index.js";
import { planAwsTrust } from "../../src/clouds/aws/setup/trust-plan.js";
import { azureTrust } from "../../src/clouds/azure/setup/index.js";
import { gcpTrust } from "../../src/clouds/gcp/setup/index.js";
import { planGcpTrust } from "../../src/clouds/gcp/setup/trust-plan.js";
import type { AwsSettings, AzureSettings, GcpSettings } from "../../src/core/profile.js";
import type { TrustFormat, TrustScope } from "../../src/core/trust.js";
import { HOSTILE } from "../clouds/setup/hostile.js";
import { scopeOf } from "../clouds/setup/scopes.js";
import { type GoogleRecorder, startGoogleRecorder } from "./gcloud-recorder.js";
import { type Moto, startMoto } from "./moto.js";
import { CLIENT_PATH, runBare, skipWithout } from "./tools.js";

const ACCOUNT = "123456789012";
const ROLE = `arn:aws:iam::${ACCOUNT}:role/ci/agentctl-deploy`;
const POOL = "projects/123456789012/locations/global/workloadIdentityPools/ci-pool";
const AWS: AwsSettings = {
  roleArn: ROLE,
  policyArns: [`arn:aws:iam::${ACCOUNT}:policy/reader`],
  chain: [],
  allowDerivedSessions: false,
  fenceForwarded: false,
  acceptEscalation: false,
  audiences: ["sts.amazonaws.com"],
  sessionPolicy: {
    document: {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "arn:aws:s3:::it's/*" }],
    },
    origin: "inline",
  },
};
const READER = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "sqs:ReceiveMessage", Resource: "*" }] };
/** What somebody may have put into the place of the trust. */
const WIDE = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "sts:AssumeRole" }],
};
const CHAINED: AwsSettings = {
  ...AWS,
  chain: [
    { roleArn: `arn:aws:iam::${ACCOUNT}:role/next`, externalId: "ab:c" },
    { roleArn: "arn:aws:iam::444455556666:role/far" },
  ],
};
const REVOKER = `arn:aws:iam::${ACCOUNT}:role/ci/agentctl-revoker`;
const REVOCABLE: AwsSettings = { ...AWS, revoker: { roleArn: REVOKER } };
const FAR_REVOKER = { roleArn: "arn:aws:iam::444455556666:role/revoker" };
const AZURE: AzureSettings = {
  tenantId: "11111111-2222-3333-4444-555555555555",
  clientId: "00000000-0000-0000-0000-000000000001",
  otherClientIds: [],
  assignments: [],
  allowUnbounded: false,
  scopes: [],
  audiences: ["api://AzureADTokenExchange"],
};
const ASSIGNING: AzureSettings = {
  ...AZURE,
  otherClientIds: ["00000000-0000-0000-0000-000000000002"],
  granter: { clientId: "00000000-0000-0000-0000-000000000000" },
  assignments: [
    { role: "Reader", scope: "/subscriptions/s/resourceGroups/it's" },
    { role: "ba92f5b4-2d11-453d-a403-e96b0029c9fe", scope: "/subscriptions/s/resourceGroups/it's" },
    { role: "Storage Blob Data Reader", scope: "/subscriptions/s/resourceGroups/web" },
  ],
};
const GCP: GcpSettings = {
  workloadIdentityProvider: `${POOL}/providers/github`,
  serviceAccount: "deploy@my-project.iam.gserviceaccount.com",
  scopes: [],
  accessBoundary: [
    {
      availableResource: "//storage.googleapis.com/projects/_/buckets/site",
      availablePermissions: ["inRole:roles/storage.objectUser"],
    },
  ],
  bindings: [],
  metadata: false,
};
const GRANTER = "granter@my-project.iam.gserviceaccount.com";
const GIVING: GcpSettings = {
  ...GCP,
  accessBoundary: [],
  granter: { serviceAccount: GRANTER },
  bindings: [
    { role: "roles/storage.objectUser", resource: "//storage.googleapis.com/projects/_/buckets/site" },
    { role: "roles/browser", resource: "//cloudresourcemanager.googleapis.com/projects/my-project" },
    { role: "roles/browser", resource: "//cloudresourcemanager.googleapis.com/folders/1" },
    { role: "roles/browser", resource: "//cloudresourcemanager.googleapis.com/organizations/2" },
    {
      role: "roles/iam.serviceAccountUser",
      resource: "//iam.googleapis.com/projects/my-project/serviceAccounts/web@my-project.iam.gserviceaccount.com",
    },
  ],
  entitlement: "projects/my-project/locations/global/entitlements/deploy",
};

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-setup-"));
});
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

function common<Settings>(settings: Settings, scope: TrustScope) {
  return { profileName: "deploy-web", ttlSeconds: 1_800, settings, scope };
}

const onAws = (format: TrustFormat<"aws">, settings = AWS, scope = scopeOf()): string =>
  awsTrust.write({ ...common(settings, scope), format }).text;
const onAzure = (format: TrustFormat<"azure">, scope = scopeOf(), settings = AZURE): string =>
  azureTrust.write({ ...common(settings, scope), format }).text;
const onGcp = (format: TrustFormat<"gcp">, scope = scopeOf(), settings = GCP): string =>
  gcpTrust.write({ ...common(settings, scope), format }).text;

function robot(text: string): TrustScope {
  return scopeOf({ issuer: "https://login.acme.example", subject: `robot ${text}x`, claims: {} });
}

function write(name: string, text: string): string {
  const file = path.join(dir, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  return file;
}

const TERRAFORM = { tool: "terraform" };
const QUIET = { CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" };
/** Claims that IAM takes: what it does not take is refused before anything is written. */
const LATIN = HOSTILE.filter((text) => !text.includes("$" + "{") && !/[^\x20-\xff]/u.test(text));

describe("Terraform", () => {
  test.for([
    { name: "aws", text: onAws("terraform") },
    { name: "aws-chain", text: onAws("terraform", CHAINED) },
    { name: "aws-revoker", text: onAws("terraform", REVOCABLE) },
    { name: "aws-far-revoker", text: onAws("terraform", { ...CHAINED, revoker: FAR_REVOKER }) },
    { name: "azure", text: onAzure("terraform") },
    { name: "azure-assigning", text: onAzure("terraform", scopeOf(), ASSIGNING) },
    {
      name: "azure-new",
      text: onAzure("terraform", scopeOf(), { ...AZURE, clientId: AZURE.clientId.replace(/1$/, "0") }),
    },
    { name: "gcp", text: onGcp("terraform") },
    { name: "gcp-giving", text: onGcp("terraform", scopeOf(), GIVING) },
    { name: "gcp-unfilled", text: onGcp("terraform", scopeOf(), { ...GCP, accessBoundary: [] }) },
  ])("has $name as its own fmt would write it", async ({ name, text }, { skip }) => {
    skipWithout(skip, TERRAFORM);
    const outcome = await runBare(["terraform", "fmt", "-check", "-diff", write(`fmt/${name}.tf`, text)], QUIET);
    expect(outcome, outcome.stdout).toMatchObject({ code: 0, stdout: "" });
  });

  test("reads every value as it was meant, templates and quotes included", async ({ skip }) => {
    skipWithout(skip, TERRAFORM);
    const outputs = [
      ...LATIN.map((text) =>
        /assume_role_policy = (jsonencode\([\s\S]*?\n {2}\}\))/.exec(onAws("terraform", AWS, robot(text))),
      ),
      ...HOSTILE.map((text) => /attribute_condition += (.*)/.exec(onGcp("terraform", robot(text)))),
      ...HOSTILE.map((text) => /subject += (.*)/.exec(onAzure("terraform", robot(text)))),
    ].map((match, index) => `output "o${index}" {\n  value = ${match?.[1]}\n}\n`);
    const module = path.dirname(write("read/main.tf", outputs.join("")));
    for (const args of [
      ["init", "-input=false"],
      ["apply", "-auto-approve", "-input=false"],
    ]) {
      const outcome = await runBare(["terraform", `-chdir=${module}`, ...args, "-no-color"], QUIET);
      expect(outcome.code, outcome.stdout + outcome.stderr).toBe(0);
    }
    const { stdout } = await runBare(["terraform", `-chdir=${module}`, "output", "-json"], QUIET);
    const read = Object.values(JSON.parse(stdout) as Record<string, { value: string }>).map(({ value }) => value);
    const byNumber = Object.keys(JSON.parse(stdout) as object).map((name) => Number(name.slice(1)));
    const values = byNumber.toSorted((a, b) => a - b).map((number) => read[byNumber.indexOf(number)]);
    expect(values.slice(0, LATIN.length).map((text) => JSON.parse(text ?? ""))).toEqual(
      LATIN.map((text) => planAwsTrust({ ...common(AWS, robot(text)), format: "terraform" }).roles[0]?.trust),
    );
    expect(values.slice(LATIN.length)).toEqual([
      ...HOSTILE.map((text) => planGcpTrust({ ...common(GCP, robot(text)), format: "terraform" }).condition),
      ...HOSTILE.map((text) => `robot ${text}x`),
    ]);
  });
});

describe("CloudFormation", () => {
  test.for([
    { name: "one role", settings: AWS },
    { name: "a chain", settings: CHAINED },
    { name: "a revoker", settings: REVOCABLE },
  ])("has nothing for cfn-lint to say of $name", async ({ name, settings }, { skip }) => {
    skipWithout(skip, { tool: "cfn-lint" });
    const file = write(`${name.replace(" ", "-")}.yaml`, onAws("cloudformation", settings));
    const outcome = await runBare(["cfn-lint", "--regions", "eu-central-1", "--", file], { HOME: dir });
    expect(outcome, outcome.stdout).toMatchObject({ code: 0, stdout: "" });
  });
});

describe("a shell's script", () => {
  test.for([
    { name: "aws", text: onAws("cli", CHAINED) },
    { name: "aws-revoker", text: onAws("cli", { ...REVOCABLE, acceptEscalation: true }) },
    { name: "aws-far-revoker", text: onAws("cli", { ...CHAINED, revoker: FAR_REVOKER }) },
    { name: "azure", text: onAzure("cli") },
    { name: "azure-assigning", text: onAzure("cli", scopeOf(), ASSIGNING) },
    { name: "gcp", text: onGcp("cli") },
    { name: "gcp-giving", text: onGcp("cli", scopeOf(), GIVING) },
    ...LATIN.map((text) => ({ name: `aws with ${text}`, text: onAws("cli", AWS, robot(text)) })),
    ...HOSTILE.map((text) => ({ name: `azure with ${text}`, text: onAzure("cli", robot(text)) })),
    ...HOSTILE.map((text) => ({ name: `gcp with ${text}`, text: onGcp("cli", robot(text)) })),
  ])("is one for $name", ({ text }) => {
    expect(spawnSync("sh", ["-n"], { input: text, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  });

  test.for([
    { name: "aws", text: onAws("cli", CHAINED) },
    { name: "aws-revoker", text: onAws("cli", { ...REVOCABLE, acceptEscalation: true }) },
    { name: "aws-far-revoker", text: onAws("cli", { ...CHAINED, revoker: FAR_REVOKER }) },
    { name: "azure", text: onAzure("cli") },
    { name: "azure-assigning", text: onAzure("cli", scopeOf(), ASSIGNING) },
    { name: "gcp", text: onGcp("cli") },
    { name: "gcp-giving", text: onGcp("cli", scopeOf(), GIVING) },
  ])("has nothing for shellcheck to say of $name", async ({ name, text }, { skip }) => {
    skipWithout(skip, { tool: "shellcheck" });
    expect(await runBare(["shellcheck", write(`${name}.sh`, text)], {})).toMatchObject({ code: 0, stdout: "" });
  });
});

describe("Bicep", () => {
  test("has no errors", async ({ skip }) => {
    skipWithout(skip, { tool: "bicep" });
    const file = write("trust.bicep", onAzure("bicep", robot(HOSTILE.join(" ")), ASSIGNING));
    const outcome = await runBare(["bicep", "build", file, "--stdout"], { HOME: dir });
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.stdout).toContain(JSON.stringify(`robot ${HOSTILE.join(" ")}x`));
  });
});

describe("the AWS CLI, against moto's IAM", () => {
  let moto: Moto | undefined;
  afterAll(() => moto?.close());
  const clients = [{ tool: "moto_server" }, { tool: "aws" }];

  async function environment(): Promise<Record<string, string>> {
    moto ??= await startMoto();
    return {
      HOME: dir,
      AWS_ENDPOINT_URL: moto.url,
      AWS_ACCESS_KEY_ID: "testing",
      AWS_SECRET_ACCESS_KEY: "testing",
      AWS_DEFAULT_REGION: "us-east-1",
    };
  }

  /** Asks moto by IAM's own protocol: the command line takes seconds for each question. */
  async function iam(action: string, parameters: Readonly<Record<string, string>>): Promise<string> {
    const body = new URLSearchParams({ Action: action, Version: "2010-05-08", ...parameters });
    const signed = { authorization: "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/iam/aws4_request" };
    const answer = await fetch(moto?.url ?? "", { method: "POST", body, headers: signed });
    expect(answer.status).toBe(200);
    return answer.text();
  }

  /** The first element of this name: its text, and the policy that is in it. */
  function element(xml: string, name: string): { readonly text: string; readonly policy: unknown } {
    const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? "";
    const decoded = decodeURIComponent(text).replaceAll("&quot;", '"').replaceAll("&#39;", "'");
    return { text, policy: decoded.startsWith("{") ? JSON.parse(decoded) : undefined };
  }

  test("the script makes what was planned, and changes it only when asked to", { timeout: 240_000 }, async ({
    skip,
  }) => {
    skipWithout(skip, ...clients);
    const script = write("moto.sh", onAws("cli"));
    const env = await environment();
    await iam("CreatePolicy", { PolicyName: "reader", PolicyDocument: JSON.stringify(READER) });
    const first = await runBare(["sh", script], env);
    expect(first, first.stderr).toMatchObject({ code: 0, stdout: `ready: ${ROLE}\n` });

    const [planned] = planAwsTrust({ ...common(AWS, scopeOf()), format: "cli" }).roles;
    const role = await iam("GetRole", { RoleName: "agentctl-deploy" });
    const boundaryArn = `arn:aws:iam::${ACCOUNT}:policy/ci/agentctl-boundary-agentctl-deploy`;
    expect(element(role, "Arn").text).toBe(ROLE);
    expect(element(role, "MaxSessionDuration").text).toBe("3600");
    expect(element(role, "AssumeRolePolicyDocument").policy).toEqual(planned?.trust);
    expect(element(role, "PermissionsBoundaryArn").text).toBe(boundaryArn);
    const boundary = await iam("GetPolicyVersion", { PolicyArn: boundaryArn, VersionId: "v1" });
    expect(element(boundary, "Document").policy).toEqual(planned?.boundary);
    const attached = await iam("ListAttachedRolePolicies", { RoleName: "agentctl-deploy" });
    expect(element(attached, "PolicyName").text).toBe("reader");
    const own = await iam("GetRolePolicy", { RoleName: "agentctl-deploy", PolicyName: "agentctl-deploy-web" });
    expect(element(own, "PolicyDocument").policy).toEqual(AWS.sessionPolicy?.document);
    const provider = `arn:aws:iam::${ACCOUNT}:oidc-provider/token.actions.githubusercontent.com`;
    const issuer = await iam("GetOpenIDConnectProvider", { OpenIDConnectProviderArn: provider });
    expect(issuer).toMatch(/<member>sts\.amazonaws\.com<\/member>/);

    const second = await runBare(["sh", script], env);
    expect(second.stderr).toContain("is there already; AGENTCTL_SETUP_REPLACE=yes replaces it");
    expect(second.code).toBe(1);
    await iam("UpdateAssumeRolePolicy", { RoleName: "agentctl-deploy", PolicyDocument: JSON.stringify(WIDE) });
    const third = await runBare(["sh", script], { ...env, AGENTCTL_SETUP_REPLACE: "yes" });
    expect(third, third.stderr).toMatchObject({ code: 0, stdout: `ready: ${ROLE}\n` });
    const replaced = await iam("GetRole", { RoleName: "agentctl-deploy" });
    expect(element(replaced, "AssumeRolePolicyDocument").policy).toEqual(planned?.trust);
  });

  test("the script keeps what somebody has filled in", { timeout: 240_000 }, async ({ skip }) => {
    skipWithout(skip, ...clients);
    const { sessionPolicy: _, ...rest } = AWS;
    const settings = { ...rest, roleArn: ROLE.replace("agentctl-deploy", "agentctl-unfilled"), policyArns: [] };
    const script = write("unfilled.sh", onAws("cli", settings));
    const env = await environment();
    const name = { RoleName: "agentctl-unfilled", PolicyName: "agentctl-deploy-web" };
    expect(await runBare(["sh", script], env)).toMatchObject({ code: 0 });
    const empty = [{ Sid: "ToBeFilledIn", Effect: "Deny", Action: "*", Resource: "*" }];
    expect(element(await iam("GetRolePolicy", name), "PolicyDocument").policy).toMatchObject({ Statement: empty });
    await iam("PutRolePolicy", { ...name, PolicyDocument: JSON.stringify(READER) });
    expect(await runBare(["sh", script], { ...env, AGENTCTL_SETUP_REPLACE: "yes" })).toMatchObject({ code: 0 });
    expect(element(await iam("GetRolePolicy", name), "PolicyDocument").policy).toEqual(READER);
  });

  test("the script makes the revoker, bounded, for the same caller", { timeout: 240_000 }, async ({ skip }) => {
    skipWithout(skip, ...clients);
    const settings = { ...REVOCABLE, roleArn: ROLE.replace("agentctl-deploy", "agentctl-revocable"), policyArns: [] };
    const env = await environment();
    const outcome = await runBare(["sh", write("revoker.sh", onAws("cli", settings))], env);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stdout: `ready: ${settings.roleArn} ${REVOKER}\n` });

    const [first, revoker] = planAwsTrust({ ...common(settings, scopeOf()), format: "cli" }).roles;
    const role = await iam("GetRole", { RoleName: "agentctl-revoker" });
    const boundaryArn = `arn:aws:iam::${ACCOUNT}:policy/ci/agentctl-boundary-agentctl-revoker`;
    expect(element(role, "Arn").text).toBe(REVOKER);
    expect(element(role, "AssumeRolePolicyDocument").policy).toEqual(first?.trust);
    expect(element(role, "PermissionsBoundaryArn").text).toBe(boundaryArn);
    const boundary = await iam("GetPolicyVersion", { PolicyArn: boundaryArn, VersionId: "v1" });
    expect(element(boundary, "Document").policy).toEqual(revoker?.boundary);
    const own = await iam("GetRolePolicy", { RoleName: "agentctl-revoker", PolicyName: "agentctl-deploy-web" });
    expect(element(own, "PolicyDocument").policy).toEqual(revoker?.permissions);
  });

  test("the script makes nothing in another account", async ({ skip }) => {
    skipWithout(skip, ...clients);
    const settings = { ...AWS, roleArn: "arn:aws:iam::999999999999:role/other" };
    const outcome = await runBare(["sh", write("other.sh", onAws("cli", settings))], await environment());
    expect(outcome).toMatchObject({ code: 1, stdout: "" });
    expect(outcome.stderr).toContain("the profile's role is in 999999999999");
  });

  test("the template is one for CloudFormation", async ({ skip }) => {
    skipWithout(skip, ...clients);
    const file = write("validate.yaml", onAws("cloudformation", REVOCABLE));
    const argv = ["aws", "cloudformation", "validate-template", "--template-body", `file://${file}`];
    const outcome = await runBare(argv, await environment());
    expect(outcome.code, outcome.stderr).toBe(0);
  });

  test("the template makes the same role", async ({ skip }) => {
    skipWithout(skip, ...clients);
    const settings = { ...AWS, roleArn: ROLE.replace("agentctl-deploy", "agentctl-template"), policyArns: [] };
    const file = write("deploy.yaml", onAws("cloudformation", settings));
    const deploy = ["aws", "cloudformation", "deploy", "--stack-name", "trust", "--template-file", file];
    const options = ["--capabilities", "CAPABILITY_NAMED_IAM", "--parameter-overrides", "CreateOidcProvider=false"];
    const outcome = await runBare([...deploy, ...options], await environment());
    expect(outcome.code, outcome.stderr).toBe(0);
    const [planned] = planAwsTrust({ ...common(settings, scopeOf()), format: "cli" }).roles;
    const role = await iam("GetRole", { RoleName: "agentctl-template" });
    expect(element(role, "MaxSessionDuration").text).toBe("3600");
    expect(element(role, "AssumeRolePolicyDocument").policy).toEqual(planned?.trust);
  });
});

describe("gcloud, against a recorder of Google's IAM", () => {
  let google: GoogleRecorder;
  beforeAll(async () => {
    google = await startGoogleRecorder();
  });
  afterAll(() => google.close());

  function run(script: string) {
    return runBare(["sh", script], {
      HOME: dir,
      CLOUDSDK_CONFIG: path.join(dir, "gcloud"),
      CLOUDSDK_AUTH_ACCESS_TOKEN: "a-token-of-nobody",
      CLOUDSDK_CORE_DISABLE_PROMPTS: "1",
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: "1",
      CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: google.url,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${google.url}storage/v1/`,
      PATH: CLIENT_PATH,
    });
  }

  test("the script makes what was planned, and changes no provider that is there", async ({ skip }) => {
    skipWithout(skip, { tool: "gcloud" });
    const scope = scopeOf();
    const plan = planGcpTrust({ ...common(GCP, scope), format: "cli" });
    const script = write("gcp.sh", onGcp("cli", scope));
    const first = await run(script);
    expect(first, first.stderr).toMatchObject({ code: 0 });
    const provider = `/v1/${POOL}/providers/github`;
    expect(google.things.get(provider)).toMatchObject({
      attributeCondition: plan.condition,
      attributeMapping: { "google.subject": "assertion.sub" },
      oidc: { issuerUri: plan.issuer, allowedAudiences: [plan.audience] },
    });
    const bindings = google.changes.flatMap(
      ({ body }) => (body["policy"] as { bindings?: unknown })?.bindings ?? body["bindings"] ?? [],
    );
    expect(bindings).toEqual([
      { role: "roles/iam.workloadIdentityUser", members: [plan.principal] },
      { role: "roles/storage.objectUser", members: [`serviceAccount:${GCP.serviceAccount}`] },
    ]);

    expect(await run(script)).toMatchObject({ code: 0 });
    google.things.set(provider, { ...google.things.get(provider), attributeCondition: "true" });
    const third = await run(script);
    expect(third.code).toBe(1);
    expect(third.stderr).toContain("it is left as it is");
    expect(google.things.get(provider)).toMatchObject({ attributeCondition: "true" });
  });

  test("the script makes the granter, limited, and changes no role that is there", { timeout: 240_000 }, async ({
    skip,
  }) => {
    skipWithout(skip, { tool: "gcloud" });
    const bindings = GIVING.bindings.filter(({ resource }) => resource.includes("/buckets/"));
    const { entitlement: _, ...settings } = { ...GIVING, bindings };
    const plan = planGcpTrust({ ...common(settings, scopeOf()), format: "cli" });
    const script = write("giving.sh", onGcp("cli", scopeOf(), settings));
    const before = google.changes.length;
    google.things.delete(`/v1/${POOL}/providers/github`);
    const outcome = await run(script);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    const changes = google.changes.slice(before);
    const created = changes.find(({ path }) => path.endsWith("/roles"));
    expect(created).toMatchObject({
      path: "/v1/projects/my-project/roles",
      body: {
        roleId: "agentctl_deploy_web_bucket",
        role: { includedPermissions: ["storage.buckets.getIamPolicy", "storage.buckets.setIamPolicy"] },
      },
    });
    const bound = changes.flatMap(
      ({ body }) => (body["policy"] as { bindings?: unknown })?.bindings ?? body["bindings"] ?? [],
    );
    expect(bound).toContainEqual({ role: "roles/iam.workloadIdentityUser", members: [plan.principal] });
    expect(bound.at(-1)).toEqual({
      role: "projects/my-project/roles/agentctl_deploy_web_bucket",
      members: [`serviceAccount:${GRANTER}`],
      condition: plan.granter?.rights[0]?.condition,
    });

    const role = "/v1/projects/my-project/roles/agentctl_deploy_web_bucket";
    const permissions = ["storage.buckets.getIamPolicy", "storage.buckets.setIamPolicy"];
    google.things.set(role, { includedPermissions: permissions });
    const after = google.changes.length;
    const second = await run(script);
    expect(second, second.stderr).toMatchObject({ code: 0 });
    expect(google.changes.slice(after).filter(({ path }) => path.endsWith("/roles"))).toEqual([]);
    google.things.set(role, { includedPermissions: [...permissions, "storage.objects.get"] });
    const third = await run(script);
    expect(third.code).toBe(1);
    expect(third.stderr).toContain("agentctl_deploy_web_bucket is there already, and not as it has to be");
  });
});
