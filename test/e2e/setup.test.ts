import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { BIN, NODE, type Outcome, openStage, type Stage } from "./agentctl.js";
import { AWS, AZURE, configOf, GCP } from "./three-clouds.js";

const ROLE = String(AWS["role_arn"]);
const PROVIDER = String(GCP["workload_identity_provider"]);
const READ = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] };

/** The job of the sandbox's acme/site on main, as GitHub would name it; the sandbox's issuer stands in for GitHub's. */
const DESCRIBED = [
  ...["--issuer", "https://token.actions.githubusercontent.com", "--subject", "repo:acme/site:ref:refs/heads/main"],
  ...[
    "--claim",
    "repository_id=700000001",
    "--claim",
    "repository_owner_id=600000001",
    "--claim",
    "ref_protected=true",
  ],
];

let stage: Stage;
/** What the clouds hold once everything that setup printed is applied, as the world of a sandbox. */
let world: object;
beforeAll(async () => {
  stage = await openStage();
  const aws = { ...AWS, session_policy: READ };
  stage.writeConfig(configOf({ aws: { ttl: "15m", aws }, azure: { azure: AZURE }, gcp: { gcp: GCP } }));
  const [onAws, onAzure, onGcp] = await Promise.all([
    setUp("aws", "cloudformation"),
    setUp("azure", "terraform"),
    setUp("gcp", "terraform"),
  ]);
  world = { roles: rolesOf(onAws), azure: appsOf(onAzure), gcp: providersOf(onGcp) };
});
afterAll(() => stage.close());

async function setUp(cloud: string, format: string): Promise<string> {
  const outcome = await stage.run(["setup", cloud, "-p", cloud, "--format", format, "--quiet", ...DESCRIBED]);
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  return outcome.stdout;
}

function rolesOf(template: string): object {
  const { Resources } = parse(template) as { Resources: Record<string, { Properties: Record<string, unknown> }> };
  const { AssumeRolePolicyDocument: trust, Policies } = Resources["Role"]?.Properties ?? {};
  const policies = (Policies as { PolicyDocument: object }[]).map(({ PolicyDocument }) => PolicyDocument);
  return { [ROLE]: { trust, policies } };
}

function appsOf(terraform: string): object {
  const [issuer, subject, audiences] = ["issuer", "subject", "audiences"].map((name) => attribute(terraform, name));
  const [audience] = audiences as string[];
  return { apps: { [String(AZURE["client_id"])]: { federated_credentials: [{ issuer, subject, audience }] } } };
}

function providersOf(terraform: string): object {
  const provider = {
    issuer: attribute(terraform, "issuer_uri"),
    attribute_mapping: { "google.subject": attribute(terraform, '"google.subject"') },
    attribute_condition: attribute(terraform, "attribute_condition"),
  };
  const members = [attribute(terraform, "member")];
  const bindings = [{ role: "roles/iam.workloadIdentityUser", members }];
  const accounts = { [String(GCP["service_account"])]: { bindings } };
  return { providers: { [PROVIDER]: provider }, service_accounts: accounts };
}

/** The value of an attribute: HCL's quotes are JSON's where no template is in them. */
function attribute(terraform: string, name: string): unknown {
  const value = new RegExp(`^ *${name} += (.*)$`, "m").exec(terraform)?.[1] ?? "";
  return JSON.parse(value);
}

/** Runs a command as a job with these claims, where the clouds hold what setup printed. */
async function runAs(claims: object, profile: string, name: string): Promise<Outcome> {
  const file = stage.writeFile(`${profile}-${name.replaceAll(" ", "-")}.json`, JSON.stringify({ ...world, claims }));
  const inside = [NODE, BIN, "run", "-p", profile, "--quiet", "--", "true"];
  return stage.run(["sandbox", "--world", file, "--", ...inside]);
}

const JOBS: readonly { readonly name: string; readonly claims: object; readonly trusted: readonly string[] }[] = [
  { name: "the job it was written for", claims: {}, trusted: ["aws", "azure", "gcp"] },
  {
    name: "another branch",
    claims: { sub: "repo:acme/site:ref:refs/heads/evil", ref: "refs/heads/evil" },
    trusted: [],
  },
  {
    name: "another repository",
    claims: { sub: "repo:acme/evil:ref:refs/heads/main", repository_id: "7" },
    trusted: [],
  },
  { name: "a pull request", claims: { sub: "repo:acme/site:pull_request", event_name: "pull_request" }, trusted: [] },
  // Entra compares the subject alone, and setup says so.
  { name: "a repository that took the name", claims: { repository_id: "700000002" }, trusted: ["azure"] },
];

describe.each(["aws", "azure", "gcp"])("what setup prints for %s", (cloud) => {
  test.each(JOBS)("does what it says to $name", async ({ name, claims, trusted }) => {
    const outcome = await runAs(claims, cloud, name);
    expect(outcome.code, outcome.stderr).toBe(trusted.includes(cloud) ? 0 : 77);
  });
});

test("the identity at hand is taken as it is, and its token is nowhere", async () => {
  const text = await stage.run(["setup", "gcp", "-p", "gcp", "--out", "gcp.tf"], { cwd: stage.dir });
  expect(text).toMatchObject({ code: 0, stdout: "" });
  const shown = await stage.run(["setup", "gcp", "-p", "gcp", "--quiet"]);
  expect(shown).toMatchObject({ code: 0, stderr: "" });
  expect(shown.stdout).toContain("# from:     github-actions: ACTIONS_ID_TOKEN_REQUEST_URL is set\n");
  expect(shown.stdout).toContain('assertion.repository_id == \\"700000001\\" && ');
  expect(`${text.stderr}${shown.stdout}`).not.toMatch(/eyJ[\w-]+\.eyJ/);
  const again = await stage.run(["setup", "gcp", "-p", "gcp", "--out", path.join(stage.dir, "gcp.tf")]);
  expect(again.code).toBe(74);
  expect(again.stderr).toMatch(/^agentctl: error\[OUTPUT_UNWRITABLE\]: .*\nagentctl: hint: --force replaces it\n$/);
});

test("a trust that is too wide is not written", async () => {
  const argv = ["--issuer", "https://token.actions.githubusercontent.com", "--subject", "repo:acme/site:pull_request"];
  const outcome = await stage.run(["setup", "aws", "-p", "aws", ...argv]);
  expect(outcome).toMatchObject({ code: 77, stdout: "" });
  expect(outcome.stderr).toMatch(/^agentctl: error\[TRUST_TOO_WIDE\]: .*pull request.*\nagentctl: hint: /);
});
