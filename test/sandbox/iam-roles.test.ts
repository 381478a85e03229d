import {
  DeleteRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  type IAMClient,
  ListRolePoliciesCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RoleDefinition, type Sandbox, trustGithub } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { assumeDemoRole, DEMO_ROLE, iamClient, type Keys, REVOKER_ROLE, refusalOf } from "./clients.js";

const ACCOUNT = "111122223333";
const policy = (...statements: object[]) => ({ Version: "2012-10-17", Statement: statements });
const allow = (action: string | string[], resource = "*") => ({ Effect: "Allow", Action: action, Resource: resource });
const deny = (action: string, resource = "*") => ({ Effect: "Deny", Action: action, Resource: resource });
const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const BOUNDARY = { arn: `arn:aws:iam::${ACCOUNT}:policy/boundary`, document: policy(allow("*")) };
const DENY_ALL = JSON.stringify(policy(deny("*")));
const TRUST = trustGithub(ACCOUNT, "repo:acme/*");

function role(more: Partial<RoleDefinition> = {}): RoleDefinition {
  return { policies: [policy(allow("s3:*"))], trust: TRUST, ...more };
}

let sandbox: Sandbox;
let revoker: IAMClient;
beforeAll(async () => {
  const inlinePolicies = Object.fromEntries(["b", "a", "d", "c", "e"].map((name) => [name, policy(deny("ec2:*"))]));
  sandbox = await startSandbox({
    roles: {
      [DEMO_ROLE]: role({ permissionsBoundary: BOUNDARY, maxSessionSeconds: 43_200 }),
      [REVOKER_ROLE]: role({ policies: [policy(allow("iam:*"))] }),
      [roleArn("plain")]: role(),
      [roleArn("ci/deep/within")]: role(),
      [roleArn("paged")]: role({ inlinePolicies }),
      [roleArn("full")]: role({ policies: [policy(allow(`s3:${"x".repeat(10_000)}`))] }),
      [roleArn("changing")]: role(),
      "arn:aws:iam::999988887777:role/elsewhere": role(),
    },
  });
  revoker = iamClient(sandbox, await assumeDemoRole(sandbox, { RoleArn: REVOKER_ROLE }));
});
afterAll(() => sandbox.close());

describe("GetRole", () => {
  it("tells of a role what AWS does, with its boundary", async () => {
    const { Role } = await revoker.send(new GetRoleCommand({ RoleName: "agentctl-demo" }));
    expect(Role).toMatchObject({
      Path: "/",
      RoleName: "agentctl-demo",
      RoleId: expect.stringMatching(/^AROA[A-Z2-7]{17}$/),
      Arn: DEMO_ROLE,
      CreateDate: expect.any(Date),
      MaxSessionDuration: 43_200,
      PermissionsBoundary: { PermissionsBoundaryType: "Policy", PermissionsBoundaryArn: BOUNDARY.arn },
    });
    const trust = Role?.AssumeRolePolicyDocument ?? "";
    expect(trust).not.toMatch(/[{}"*]/);
    expect(JSON.parse(decodeURIComponent(trust))).toEqual(TRUST);
  });

  it("finds a role with a path by its name, and has no boundary to tell of where there is none", async () => {
    const { Role } = await revoker.send(new GetRoleCommand({ RoleName: "within" }));
    expect(Role).toMatchObject({ Path: "/ci/deep/", Arn: roleArn("ci/deep/within"), MaxSessionDuration: 3600 });
    expect(Role?.PermissionsBoundary).toBeUndefined();
  });
});

describe("a role's inline policies", () => {
  const within = { RoleName: "changing", PolicyName: "agentctl-1+a=b,c.d@e-f_g" };
  const names = async () => (await revoker.send(new ListRolePoliciesCommand({ RoleName: "changing" }))).PolicyNames;

  it("are put, told as they were put, replaced and deleted", async () => {
    expect(await names()).toEqual([]);
    const text = JSON.stringify(policy(deny("*")), undefined, 2);
    await revoker.send(new PutRolePolicyCommand({ ...within, PolicyDocument: text }));
    expect(await names()).toEqual([within.PolicyName]);
    const got = await revoker.send(new GetRolePolicyCommand(within));
    expect(got).toMatchObject(within);
    expect(decodeURIComponent(got.PolicyDocument ?? "")).toBe(text);
    expect(sandbox.rolePolicies(roleArn("changing"))).toEqual({ [within.PolicyName]: policy(deny("*")) });
    await revoker.send(new PutRolePolicyCommand({ ...within, PolicyDocument: JSON.stringify(policy(deny("s3:*"))) }));
    expect(sandbox.rolePolicies(roleArn("changing"))).toEqual({ [within.PolicyName]: policy(deny("s3:*")) });
    await revoker.send(new DeleteRolePolicyCommand(within));
    expect(await names()).toEqual([]);
    expect(sandbox.rolePolicies(roleArn("changing"))).toEqual({});
    expect((await refusalOf(revoker.send(new GetRolePolicyCommand(within))))?.code).toBe("NoSuchEntity");
  });

  it("are listed page by page, in order", async () => {
    const pages: (string[] | undefined)[] = [];
    let marker: string | undefined;
    do {
      const input = { RoleName: "paged", MaxItems: 2, ...(marker === undefined ? {} : { Marker: marker }) };
      const page = await revoker.send(new ListRolePoliciesCommand(input));
      expect(page.IsTruncated).toBe(page.Marker !== undefined);
      pages.push(page.PolicyNames);
      marker = page.Marker;
    } while (marker !== undefined);
    expect(pages).toEqual([["a", "b"], ["c", "d"], ["e"]]);
  });

  it("have 10,240 bytes together, white space and attached policies not counted", async () => {
    const put = (name: string, document: string) =>
      refusalOf(
        revoker.send(new PutRolePolicyCommand({ RoleName: "full", PolicyName: name, PolicyDocument: document })),
      );
    const sized = (bytes: number) => {
      const empty = JSON.stringify(policy(deny("s3:")));
      return JSON.stringify(policy(deny(`s3:${"x".repeat(bytes - empty.length)}`)));
    };
    const spaced = JSON.stringify(JSON.parse(sized(5000)), undefined, 10);
    expect(spaced.length).toBeGreaterThan(5100);
    expect(await put("one", spaced)).toBeUndefined();
    expect(await put("two", sized(5241))).toEqual({
      code: "LimitExceeded",
      status: 409,
      message: "Maximum policy size of 10240 bytes exceeded for role full",
    });
    expect(await put("two", sized(5240))).toBeUndefined();
    expect((await put("three", DENY_ALL))?.code).toBe("LimitExceeded");
    // What is replaced makes room.
    expect(await put("two", sized(5000))).toBeUndefined();
    expect(await put("three", DENY_ALL)).toBeUndefined();
  });
});

describe("IAM refuses", () => {
  const put = (document: string, more: object = {}) =>
    new PutRolePolicyCommand({ RoleName: "plain", PolicyName: "p", PolicyDocument: document, ...more });
  const list = (more: object) => new ListRolePoliciesCommand({ RoleName: "plain", ...more });
  const cases = [
    {
      name: "a role that is not there",
      command: new GetRoleCommand({ RoleName: "magic" }),
      want: ["NoSuchEntity", 404],
      says: "The role with name magic cannot be found.",
    },
    {
      name: "another account's role",
      command: new GetRoleCommand({ RoleName: "elsewhere" }),
      want: ["NoSuchEntity", 404],
    },
    {
      name: "a policy that is not there",
      command: new DeleteRolePolicyCommand({ RoleName: "plain", PolicyName: "p" }),
      want: ["NoSuchEntity", 404],
      says: "The role policy with name p cannot be found.",
    },
    { name: "a policy that is not JSON", command: put("{"), want: ["MalformedPolicyDocument", 400] },
    { name: "a policy that is no object", command: put("null"), want: ["MalformedPolicyDocument", 400] },
    { name: "a policy without a statement", command: put("{}"), want: ["MalformedPolicyDocument", 400] },
    {
      name: "a policy with a principal",
      command: put(JSON.stringify(policy({ ...deny("*"), Principal: "*" }))),
      want: ["MalformedPolicyDocument", 400],
    },
    {
      name: "a policy without a resource",
      command: put(JSON.stringify(policy({ Effect: "Deny", Action: "*" }))),
      want: ["MalformedPolicyDocument", 400],
    },
    { name: "a policy beyond Latin-1", command: put('{"Sid":"\u2603"}'), want: ["ValidationError", 400] },
    { name: "no policy", command: put(""), want: ["ValidationError", 400] },
    { name: "a policy's name with a slash", command: put("{}", { PolicyName: "a/b" }), want: ["ValidationError", 400] },
    {
      name: "a policy's name of 129 characters",
      command: put("{}", { PolicyName: "a".repeat(129) }),
      want: ["ValidationError", 400],
      says: /'policyName' failed to satisfy constraint: Member must have length less than or equal to 128$/,
    },
    {
      name: "a role by its ARN",
      command: new GetRoleCommand({ RoleName: DEMO_ROLE }),
      want: ["ValidationError", 400],
      says: "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
    },
    {
      name: "a role's name of 65 characters",
      command: new GetRoleCommand({ RoleName: "a".repeat(65) }),
      want: ["ValidationError", 400],
    },
    { name: "a page of nothing", command: list({ MaxItems: 0 }), want: ["ValidationError", 400] },
    { name: "a page of 1,001", command: list({ MaxItems: 1001 }), want: ["ValidationError", 400] },
    { name: "a marker that it did not make", command: list({ Marker: "?" }), want: ["ValidationError", 400] },
  ] as const;
  it.each(cases)("$name: $want", async ({ command, want, ...more }) => {
    const refusal = await refusalOf(revoker.send(command as GetRoleCommand));
    expect([refusal?.code, refusal?.status]).toEqual(want);
    if ("says" in more) expect(refusal?.message).toMatch(more.says);
    expect(sandbox.rolePolicies(roleArn("plain"))).toEqual({});
  });

  it.each([
    { name: "what changes at the same time", fault: { status: 409, code: "ConcurrentModification" } },
    { name: "by its own failure", fault: {}, want: { status: 500, code: "ServiceFailure" } },
  ])("$name, on demand", async ({ fault, want }) => {
    sandbox.faults.add({ service: "iam", operation: "PutRolePolicy", kind: "error", times: 1, ...fault });
    expect(await refusalOf(revoker.send(put(DENY_ALL)))).toMatchObject(want ?? fault);
    expect(sandbox.rolePolicies(roleArn("plain"))).toEqual({});
  });

  it("too many calls, on demand", async () => {
    sandbox.faults.add({ service: "iam", kind: "throttle", times: 1 });
    const refusal = await refusalOf(revoker.send(list({})));
    expect(refusal).toEqual({ code: "Throttling", status: 400, message: "Rate exceeded" });
  });
});

describe("a call of IAM's", () => {
  const MINUTE = 60_000;
  const cases: readonly {
    readonly name: string;
    readonly change?: (keys: Keys) => Keys;
    readonly region?: string;
    readonly signingName?: string;
    readonly aheadMs?: number;
    readonly want: string | undefined;
    readonly says?: RegExp;
  }[] = [
    { name: "is taken with a session's keys", want: undefined },
    {
      name: "is refused with a wrong secret",
      change: (keys) => ({ ...keys, secretAccessKey: "wrong" }),
      want: "SignatureDoesNotMatch",
    },
    {
      name: "is refused with a wrong token",
      change: (keys) => ({ ...keys, sessionToken: "wrong" }),
      want: "InvalidClientTokenId",
    },
    {
      name: "is refused when signed for another region",
      region: "eu-central-1",
      want: "SignatureDoesNotMatch",
      says: /^Credential should be scoped to a valid region\. $/,
    },
    {
      name: "is refused when signed for another service",
      signingName: "sts",
      want: "SignatureDoesNotMatch",
      says: /scoped to correct service: 'iam'/,
    },
    { name: "is refused when signed too long ago", aheadMs: 16 * MINUTE, want: "SignatureDoesNotMatch" },
    { name: "is refused with keys that have ended", aheadMs: 61 * MINUTE, want: "ExpiredToken" },
  ];
  it.each(cases)("$name: $want", async ({ change, region, signingName, aheadMs, want, says }) => {
    const keys = await assumeDemoRole(sandbox, { RoleArn: REVOKER_ROLE });
    const scope = { ...(region && { region }), ...(signingName && { signingName, signingRegion: "us-east-1" }) };
    const client = iamClient(sandbox, change === undefined ? keys : change(keys), scope);
    try {
      sandbox.clock.setOffset(aheadMs ?? 0, "iam");
      const refusal = await refusalOf(client.send(new GetRoleCommand({ RoleName: "plain" })));
      expect(refusal?.code).toBe(want);
      if (says !== undefined) expect(refusal?.message).toMatch(says);
    } finally {
      sandbox.clock.setOffset(0);
    }
  });
});
