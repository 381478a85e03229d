import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { lastRoleBoundary } from "../../../src/clouds/aws/setup/boundary.js";
import { awsTrust } from "../../../src/clouds/aws/setup/index.js";
import type { RolePlan } from "../../../src/clouds/aws/setup/roles.js";
import { type AwsTrustPlan, planAwsTrust } from "../../../src/clouds/aws/setup/trust-plan.js";
import type { AwsSettings, PolicyDocument } from "../../../src/core/profile.js";
import { TRUST_FORMATS, type TrustFormat } from "../../../src/core/trust.js";
import { evaluatePolicies } from "../../../src/sandbox/iam/evaluator.js";
import { evaluateTrust } from "../../../src/sandbox/iam/trust.js";
import { JOB, SUBJECT, scopeOf } from "../setup/scopes.js";

const ACCOUNT = "111122223333";
const ROLE = `arn:aws:iam::${ACCOUNT}:role/ci/agentctl-deploy`;
const BOUNDARY = `arn:aws:iam::${ACCOUNT}:policy/ci/agentctl-boundary-agentctl-deploy`;
const REVOKER = `arn:aws:iam::${ACCOUNT}:role/agentctl-revoker`;
const FAR = "arn:aws:iam::444455556666:role/far";
const FAR_REVOKER = "arn:aws:iam::444455556666:role/far-revoker";
const HOST = "token.actions.githubusercontent.com";
const SETTINGS: AwsSettings = {
  roleArn: ROLE,
  policyArns: [],
  chain: [],
  allowDerivedSessions: false,
  fenceForwarded: false,
  acceptEscalation: false,
  audiences: ["sts.amazonaws.com"],
  sessionPolicy: {
    document: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "iam:*", Resource: "*" }] },
    origin: "inline",
  },
  revoker: { roleArn: REVOKER },
};

const write = (settings: Partial<AwsSettings>, format: TrustFormat<"aws">): string =>
  awsTrust.write({ ...requestOf(settings), format }).text;
const planOf = (settings: Partial<AwsSettings> = {}): AwsTrustPlan => planAwsTrust(requestOf(settings));
const revokerOf = (settings: Partial<AwsSettings> = {}): RolePlan =>
  planOf(settings).roles.find(({ kind }) => kind === "revoker") as RolePlan;

function requestOf(settings: Partial<AwsSettings>) {
  const all = { ...SETTINGS, ...settings };
  return { profileName: "deploy-web", ttlSeconds: 1_800, settings: all, scope: scopeOf(), format: "cli" } as const;
}

/** What IAM says by these policies alone, of a role that carries this boundary. */
function may(policy: PolicyDocument, action: string, resource: string, carried?: string): string {
  const context = carried === undefined ? {} : { "iam:PermissionsBoundary": carried };
  return evaluatePolicies([policy], { principal: REVOKER, action, resource, accountId: ACCOUNT, context });
}

describe("the revoker's trust", () => {
  const token = { ...JOB, sub: SUBJECT, aud: "sts.amazonaws.com" };

  it("is the first role's", () => {
    const [first, revoker] = planOf().roles;
    expect(revoker).toMatchObject({ kind: "revoker", arn: REVOKER, trust: first?.trust });
  });

  it.each([
    { name: "the caller's token", claims: token, want: "allowed" },
    { name: "another repository's", claims: { ...token, repository_id: "7" }, want: "not allowed" },
    { name: "another branch's", claims: { ...token, sub: `${SUBJECT}-evil` }, want: "not allowed" },
    { name: "one for another audience", claims: { ...token, aud: "other" }, want: "not allowed" },
  ])("answers $name: $want", ({ claims, want }) => {
    const provider = `arn:aws:iam::${ACCOUNT}:oidc-provider/${HOST}`;
    const context = Object.fromEntries(Object.entries(claims).map(([claim, value]) => [`${HOST}:${claim}`, value]));
    const question = { principal: provider, action: "sts:AssumeRoleWithWebIdentity", resource: REVOKER, context };
    expect(evaluateTrust(revokerOf().trust, [provider], { ...question, accountId: ACCOUNT })).toBe(want);
  });
});

describe("what the revoker may do", () => {
  const { permissions, boundary } = revokerOf();
  it.each([
    { name: "look at the role", action: "iam:GetRole", want: "allowed" },
    { name: "list its policies", action: "iam:ListRolePolicies", want: "allowed" },
    { name: "write one", action: "iam:PutRolePolicy", carried: BOUNDARY, want: "allowed" },
    { name: "remove one", action: "iam:DeleteRolePolicy", carried: BOUNDARY, want: "allowed" },
    { name: "write one on a role without the boundary", action: "iam:PutRolePolicy", want: "not allowed" },
    {
      name: "write one within another boundary",
      action: "iam:PutRolePolicy",
      carried: `${BOUNDARY}-2`,
      want: "not allowed",
    },
    { name: "remove one without the boundary", action: "iam:DeleteRolePolicy", want: "not allowed" },
    {
      name: "write on another role",
      action: "iam:PutRolePolicy",
      carried: BOUNDARY,
      role: `${ROLE}-2`,
      want: "not allowed",
    },
    { name: "write on itself", action: "iam:PutRolePolicy", carried: BOUNDARY, role: REVOKER, want: "not allowed" },
    { name: "read a policy", action: "iam:GetRolePolicy", want: "not allowed" },
    { name: "attach one", action: "iam:AttachRolePolicy", carried: BOUNDARY, want: "not allowed" },
    { name: "exchange the boundary", action: "iam:PutRolePermissionsBoundary", carried: BOUNDARY, want: "not allowed" },
    { name: "take it off", action: "iam:DeleteRolePermissionsBoundary", carried: BOUNDARY, want: "not allowed" },
    { name: "change the trust", action: "iam:UpdateAssumeRolePolicy", carried: BOUNDARY, want: "not allowed" },
    { name: "assume the role", action: "sts:AssumeRole", want: "not allowed" },
  ])("$name: $want", ({ action, carried, role = ROLE, want }) => {
    expect(may(permissions, action, role, carried)).toBe(want);
  });

  it("is not more, whatever is attached to it", () => {
    expect(may(boundary, "iam:PutRolePolicy", ROLE)).toBe("allowed");
    expect(may(boundary, "iam:AttachRolePolicy", ROLE)).toBe("denied");
    expect(may(boundary, "iam:PutRolePolicy", REVOKER)).toBe("denied");
    expect(may(boundary, "s3:GetObject", "arn:aws:s3:::b/k")).toBe("denied");
  });

  it("does not need the boundary where the escalation is accepted, and that is said", () => {
    const { roles, notes } = planOf({ acceptEscalation: true });
    expect(may(roles[1]?.permissions as PolicyDocument, "iam:PutRolePolicy", ROLE)).toBe("allowed");
    expect(notes.join("\n")).toContain("accept_escalation is true");
    expect(planOf().notes.join("\n")).not.toContain("accept_escalation");
  });

  it("is said to be wide where the boundary is", () => {
    const notes = planOf({ sessionPolicy: undefined as never, policyArns: [ROLE] }).notes.join("\n");
    expect(notes).toContain("a boundary that leaves every service open bounds agentctl-revoker as little");
    expect(planOf().notes.join("\n")).not.toContain("bounds agentctl-revoker");
  });
});

describe("the role that sessions are taken back on", () => {
  it.each([
    { name: "takes off no Deny of its own", action: "iam:DeleteRolePolicy", resource: ROLE },
    { name: "detaches nothing from itself", action: "iam:DetachRolePolicy", resource: ROLE },
    { name: "keeps its boundary", action: "iam:DeleteRolePermissionsBoundary", resource: ROLE },
    { name: "has no other boundary", action: "iam:PutRolePermissionsBoundary", resource: ROLE },
    { name: "writes no policy of its own", action: "iam:PutRolePolicy", resource: ROLE },
    { name: "does not change its trust", action: "iam:UpdateAssumeRolePolicy", resource: ROLE },
    { name: "leaves the boundary's text alone", action: "iam:CreatePolicyVersion", resource: BOUNDARY },
    { name: "and its version", action: "iam:SetDefaultPolicyVersion", resource: BOUNDARY },
    { name: "does not disarm the revoker", action: "iam:DeleteRolePolicy", resource: REVOKER },
    { name: "nor remove it", action: "iam:DeleteRole", resource: REVOKER },
  ])("$name, whatever the profile lets sessions make", ({ action, resource }) => {
    for (const allowDerivedSessions of [false, true]) {
      expect(may(lastRoleBoundary({ ...SETTINGS, allowDerivedSessions }), action, resource)).toBe("denied");
    }
  });

  it("may still do with other roles what its policies say", () => {
    expect(may(lastRoleBoundary(SETTINGS), "iam:DeleteRolePolicy", `${ROLE}-2`)).toBe("allowed");
  });

  it("is the last of a chain", () => {
    const next = `arn:aws:iam::${ACCOUNT}:role/next`;
    const { roles } = planOf({ chain: [{ roleArn: next }] });
    expect(roles.map(({ label }) => label)).toEqual(["role", "chained_2", "revoker"]);
    const carried = `arn:aws:iam::${ACCOUNT}:policy/agentctl-boundary-next`;
    expect(may(roles[2]?.permissions as PolicyDocument, "iam:PutRolePolicy", next, carried)).toBe("allowed");
    expect(may(roles[2]?.permissions as PolicyDocument, "iam:PutRolePolicy", ROLE, BOUNDARY)).toBe("not allowed");
    expect(may(roles[1]?.boundary as PolicyDocument, "iam:DeleteRolePolicy", next)).toBe("denied");
  });
});

describe("a revoker in another account, as its role is", () => {
  const far = { chain: [{ roleArn: FAR }], revoker: { roleArn: FAR_REVOKER } };

  it("trusts a provider of its own account", () => {
    const { roles, elsewhere } = planOf(far);
    expect(roles.map(({ kind }) => kind)).toEqual(["first"]);
    const Principal = { Federated: `arn:aws:iam::444455556666:oidc-provider/${HOST}` };
    expect(elsewhere[1]?.trust).toMatchObject({ Statement: [{ Principal }] });
  });

  it.each(TRUST_FORMATS.aws.map((format) => ({ format })))("is all told in comments of $format", ({ format }) => {
    const text = write(far, format);
    for (const what of [
      `the trust policy of ${FAR}`,
      `a policy named agentctl-boundary-far, of ${FAR}`,
      `the trust policy of ${FAR_REVOKER}`,
      `the policy of ${FAR_REVOKER}`,
      "The issuer has to be a provider of the account 444455556666 as well.",
    ]) {
      expect(text.split("\n").filter((line) => line.startsWith("# ") && line.endsWith(what))).toHaveLength(1);
    }
  });
});

describe("the output", () => {
  it.each(TRUST_FORMATS.aws.map((format) => ({ format })))(
    "in $format has no revoker where none is named",
    ({ format }) => {
      const text = write({ revoker: undefined as never }, format);
      expect(text).not.toMatch(/revoker/i);
      expect(write({}, format)).toContain("Puts a Deny for one session on agentctl-deploy");
    },
  );

  it("lets Terraform destroy the role that denies are put on, and no other so", () => {
    const blocks = write({}, "terraform").split(/^(?=resource )/m);
    const forced = blocks.filter((block) => /^ {2}force_detach_policies += true$/m.test(block));
    expect(forced.map((block) => block.split(" {", 1)[0])).toEqual(['resource "aws_iam_role" "deploy_web_role"']);
    expect(write({ revoker: undefined as never }, "terraform")).not.toContain("force_detach_policies");
  });

  it.each(TRUST_FORMATS.aws.map((format) => ({ format })))(
    "in $format says what keeps it from being deleted",
    ({ format }) => {
      const said = write({}, format).replace(/\n# +/g, " ");
      expect(said).toContain(
        "the last denies of a revoker stay on agentctl-deploy, and IAM deletes no role that has a policy",
      );
    },
  );

  it("as a template writes out what stands twice: CloudFormation takes no YAML alias", () => {
    expect(write({}, "cloudformation")).not.toMatch(/(^|\s)[&*]a\d+$/m);
  });

  it("as a template has the revoker wait for the provider, and bounded", () => {
    const { Resources } = parse(write({}, "cloudformation")) as {
      Resources: Record<string, { Properties: Record<string, unknown> }>;
    };
    expect(Object.keys(Resources)).toEqual(["OidcProvider", "RoleBoundary", "Role", "RevokerBoundary", "Revoker"]);
    expect(Resources["Revoker"]).not.toHaveProperty("DependsOn");
    expect(Resources["Revoker"]?.Properties).toMatchObject({
      RoleName: "agentctl-revoker",
      PermissionsBoundary: { Ref: "RevokerBoundary" },
      AssumeRolePolicyDocument: revokerOf().trust,
      Policies: [{ PolicyName: "agentctl-deploy-web", PolicyDocument: revokerOf().permissions }],
      Tags: [{ Key: "agentctl:provider" }],
    });
  });
});
