import {
  DeleteRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListRolePoliciesCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { AssumeRoleCommand, DecodeAuthorizationMessageCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type RoleDefinition, type Sandbox, trustGithub } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import {
  type Answer,
  assumeDemoRole,
  CHAINED_ROLE,
  callS3,
  DEMO_ROLE,
  iamClient,
  type Keys,
  REVOKER_ROLE,
  refusalOf,
  stsClient,
} from "./clients.js";

const ACCOUNT = "111122223333";
const policy = (...statements: object[]) => ({ Version: "2012-10-17", Statement: statements });
const statement = (effect: string, action: string | string[], resource = "*", condition?: object) => ({
  Effect: effect,
  Action: action,
  Resource: resource,
  ...(condition === undefined ? {} : { Condition: condition }),
});
const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const boundary = (...statements: object[]): Pick<RoleDefinition, "permissionsBoundary"> => ({
  permissionsBoundary: { arn: `arn:aws:iam::${ACCOUNT}:policy/boundary`, document: policy(...statements) },
});
const READ_HELLO = { path: "/demo/hello.txt" };
/** What takes one session back, as `aws:userid` names it. */
const denyFor = (session: string) =>
  policy(statement("Deny", "*", "*", { StringLike: { "aws:userid": `*:${session}` } }));

let sandbox: Sandbox;
beforeAll(async () => {
  const trust = trustGithub(ACCOUNT, "repo:acme/*");
  const all = { policies: [policy(statement("Allow", "*"))], trust };
  const onBoundary = { StringEquals: { "iam:PermissionsBoundary": `arn:aws:iam::${ACCOUNT}:policy/boundary` } };
  sandbox = await startSandbox({
    roles: {
      [DEMO_ROLE]: {
        ...all,
        ...boundary(statement("Allow", ["s3:*", "sts:*"])),
        inlinePolicies: { got: policy(statement("Deny", "ec2:*")), deleted: policy(statement("Deny", "ec2:*")) },
      },
      [CHAINED_ROLE]: {
        ...all,
        trust: policy({ Effect: "Allow", Principal: { AWS: roleArn("bounded") }, Action: "sts:AssumeRole" }),
      },
      [REVOKER_ROLE]: { policies: [policy(statement("Allow", "iam:*RolePolic*", DEMO_ROLE))], trust },
      [roleArn("wary")]: {
        policies: [policy(statement("Allow", "iam:*RolePolicy", "*", onBoundary))],
        trust,
      },
      [roleArn("bounded")]: { ...all, ...boundary(statement("Allow", "s3:GetObject")) },
      [roleArn("forbidden")]: { ...all, ...boundary(statement("Allow", "*"), statement("Deny", "s3:GetObject")) },
      [roleArn("inline")]: {
        policies: [],
        inlinePolicies: { read: policy(statement("Allow", "s3:GetObject")) },
        trust,
      },
    },
  });
});
afterEach(() => {
  sandbox.iam.setPropagation(0);
  sandbox.clock.setOffset(0);
});
afterAll(() => sandbox.close());

const keysFor = (name: string, session = "test", sessionPolicy?: object): Promise<Keys> =>
  assumeDemoRole(sandbox, {
    RoleArn: roleArn(name),
    RoleSessionName: session,
    ...(sessionPolicy === undefined ? {} : { Policy: JSON.stringify(sessionPolicy) }),
  });

const told = ({ status, body }: Answer): string =>
  status === 200 ? "200" : (/<Message>.* (with .*|because .*)<\/Message>/.exec(body)?.[1] ?? String(status));

describe("who may call IAM", () => {
  const doc = JSON.stringify(policy(statement("Deny", "ec2:*")));
  const demo = { RoleName: "agentctl-demo" };
  const put = new PutRolePolicyCommand({ ...demo, PolicyName: "p", PolicyDocument: doc });
  const putOnWary = new PutRolePolicyCommand({ RoleName: "wary", PolicyName: "p", PolicyDocument: doc });
  const no = (name: string, action: string, resource: string, why: string) =>
    `User: arn:aws:sts::${ACCOUNT}:assumed-role/${name}/test is not authorized to perform: ${action} on resource: role ${resource} ${why}`;
  const noIdentity = (action: string) => `because no identity-based policy allows the ${action} action`;
  const denied = (name: string, action: string, resource: string, why = noIdentity(action)) =>
    no(name, action, resource, why);
  const cases = [
    { name: "the revoker puts", as: "agentctl-revoker", command: put },
    {
      name: "the revoker gets",
      as: "agentctl-revoker",
      command: new GetRolePolicyCommand({ ...demo, PolicyName: "got" }),
    },
    { name: "the revoker lists", as: "agentctl-revoker", command: new ListRolePoliciesCommand(demo) },
    {
      name: "the revoker deletes",
      as: "agentctl-revoker",
      command: new DeleteRolePolicyCommand({ ...demo, PolicyName: "deleted" }),
    },
    {
      name: "nobody may do what no policy names",
      as: "agentctl-revoker",
      command: new GetRoleCommand(demo),
      want: denied("agentctl-revoker", "iam:GetRole", "agentctl-demo"),
    },
    {
      name: "nobody may do it to another role",
      as: "agentctl-revoker",
      command: putOnWary,
      want: denied("agentctl-revoker", "iam:PutRolePolicy", "wary"),
    },
    {
      name: "nobody is told so of a role that is not there",
      as: "agentctl-revoker",
      command: new ListRolePoliciesCommand({ RoleName: "magic" }),
      want: denied("agentctl-revoker", "iam:ListRolePolicies", "magic"),
    },
    {
      name: "a session policy narrows the revoker",
      as: "agentctl-revoker",
      sessionPolicy: policy(statement("Allow", "iam:ListRolePolicies")),
      command: put,
      want: denied(
        "agentctl-revoker",
        "iam:PutRolePolicy",
        "agentctl-demo",
        "because no session policy allows the iam:PutRolePolicy action",
      ),
    },
    {
      name: "a boundary narrows what may do everything",
      as: "agentctl-demo",
      command: put,
      want: denied(
        "agentctl-demo",
        "iam:PutRolePolicy",
        "agentctl-demo",
        "because no permissions boundary allows the iam:PutRolePolicy action",
      ),
    },
    { name: "a condition on the boundary holds for a role with it", as: "wary", command: put },
    {
      name: "a condition on the boundary fails for a role without one",
      as: "wary",
      command: putOnWary,
      want: denied("wary", "iam:PutRolePolicy", "wary"),
    },
  ];
  it.each(cases)("$name", async ({ as, sessionPolicy, command, want }) => {
    const client = iamClient(sandbox, await keysFor(as, "test", sessionPolicy));
    const refusal = await refusalOf(client.send(command as PutRolePolicyCommand));
    expect(refusal).toEqual(want === undefined ? undefined : { code: "AccessDenied", status: 403, message: want });
  });

  it("leaves a deny to name its kind", async () => {
    const client = iamClient(sandbox, await keysFor("agentctl-revoker", "test", policy(statement("Deny", "*"))));
    const refusal = await refusalOf(client.send(new ListRolePoliciesCommand(demo)));
    expect(refusal?.message).toMatch(/on resource: role agentctl-demo with an explicit deny in a session policy$/);
  });
});

describe("a permissions boundary", () => {
  it.each([
    { name: "leaves what it allows", role: "bounded", call: READ_HELLO, want: "200" },
    {
      name: "ends what it does not allow",
      role: "bounded",
      call: { method: "PUT", path: "/demo/new.txt", body: "x" },
      want: "because no permissions boundary allows the s3:PutObject action",
    },
    {
      name: "ends what it denies",
      role: "forbidden",
      call: READ_HELLO,
      want: "with an explicit deny in a permissions boundary",
    },
  ])("$name", async ({ role, call, want }) => {
    expect(told(await callS3(sandbox, await keysFor(role), call))).toBe(want);
  });

  it("narrows even what a trust policy grants to its role by name", async () => {
    const assume = new AssumeRoleCommand({ RoleArn: CHAINED_ROLE, RoleSessionName: "next" });
    const refusal = await refusalOf(stsClient(sandbox, await keysFor("bounded")).send(assume));
    expect(refusal?.message).toMatch(/because no permissions boundary allows the sts:AssumeRole action$/);
  });
});

describe("a role's inline policies", () => {
  const DENIED = "with an explicit deny in an identity-based policy";
  const put = async (name: string, document: object) =>
    iamClient(sandbox, await keysFor("agentctl-revoker")).send(
      new PutRolePolicyCommand({
        RoleName: "agentctl-demo",
        PolicyName: name,
        PolicyDocument: JSON.stringify(document),
      }),
    );
  const remove = async (name: string) =>
    iamClient(sandbox, await keysFor("agentctl-revoker")).send(
      new DeleteRolePolicyCommand({ RoleName: "agentctl-demo", PolicyName: name }),
    );
  const decode = async (keys: Keys) =>
    refusalOf(stsClient(sandbox, keys).send(new DecodeAuthorizationMessageCommand({ EncodedMessage: "none" })));

  it("allow from the start", async () => {
    expect(told(await callS3(sandbox, await keysFor("inline"), READ_HELLO))).toBe("200");
  });

  it("take back one session, everywhere but in GetCallerIdentity, until they are deleted", async () => {
    const [taken, other] = await Promise.all([keysFor("agentctl-demo", "taken"), keysFor("agentctl-demo", "other")]);
    expect(told(await callS3(sandbox, taken, READ_HELLO))).toBe("200");
    expect(await decode(taken)).toMatchObject({ code: "InvalidAuthorizationMessageException", status: 400 });
    await put("revoke", denyFor("taken"));
    expect(told(await callS3(sandbox, taken, READ_HELLO))).toBe(DENIED);
    expect(await decode(taken)).toMatchObject({
      code: "AccessDenied",
      status: 403,
      message: expect.stringMatching(/perform: sts:DecodeAuthorizationMessage .*with an explicit deny in an identity-/),
    });
    const chain = new AssumeRoleCommand({ RoleArn: CHAINED_ROLE, RoleSessionName: "next" });
    expect((await refusalOf(stsClient(sandbox, taken).send(chain)))?.message).toMatch(new RegExp(`${DENIED}$`));
    const listing = new ListRolePoliciesCommand({ RoleName: "agentctl-demo" });
    expect((await refusalOf(iamClient(sandbox, taken).send(listing)))?.message).toMatch(new RegExp(`${DENIED}$`));
    const whoami = await stsClient(sandbox, taken).send(new GetCallerIdentityCommand({}));
    expect(whoami.Arn).toMatch(/\/taken$/);
    expect(told(await callS3(sandbox, other, READ_HELLO))).toBe("200");
    await remove("revoke");
    expect(told(await callS3(sandbox, taken, READ_HELLO))).toBe("200");
  });

  it("count for each service when its own delay has passed, while IAM tells them at once", async () => {
    sandbox.clock.setOffset(0);
    const keys = await keysFor("agentctl-demo", "late");
    sandbox.iam.setPropagation(60_000);
    sandbox.iam.setPropagation(120_000, "s3");
    expect(sandbox.iam.propagation()).toEqual({ sts: 60_000, s3: 120_000, iam: 60_000 });
    await put("late", denyFor("late"));
    expect(sandbox.rolePolicies(DEMO_ROLE)["late"]).toEqual(denyFor("late"));
    expect(await decode(keys)).toMatchObject({ code: "InvalidAuthorizationMessageException" });
    sandbox.clock.advance(61_000);
    expect(await decode(keys)).toMatchObject({ code: "AccessDenied" });
    expect(told(await callS3(sandbox, keys, READ_HELLO))).toBe("200");
    sandbox.clock.advance(60_000);
    // What has come through stays, though the delay grows; and a deletion takes its time as well.
    sandbox.iam.setPropagation(600_000);
    expect(told(await callS3(sandbox, keys, READ_HELLO))).toBe(DENIED);
    await remove("late");
    expect(sandbox.rolePolicies(DEMO_ROLE)["late"]).toBeUndefined();
    expect(told(await callS3(sandbox, keys, READ_HELLO))).toBe(DENIED);
    sandbox.iam.setPropagation(0);
    expect(told(await callS3(sandbox, keys, READ_HELLO))).toBe("200");
  });

  it("may lag from the start", async () => {
    const own = await startSandbox({ iamPropagationMs: 5000 });
    expect(own.iam.propagation()).toEqual({ sts: 5000, s3: 5000, iam: 5000 });
    await own.close();
  });
});

describe("DecodeAuthorizationMessage", () => {
  it.each([
    { name: "asks for a message first", message: "", sessionPolicy: undefined, want: "ValidationError" },
    {
      name: "asks for the right next",
      message: "x",
      sessionPolicy: policy(statement("Allow", "s3:*")),
      want: "AccessDenied",
    },
    {
      name: "did not encode the message",
      message: "x",
      sessionPolicy: undefined,
      want: "InvalidAuthorizationMessageException",
    },
  ])("$name: $want", async ({ message, sessionPolicy, want }) => {
    const client = stsClient(sandbox, await keysFor("agentctl-demo", "test", sessionPolicy));
    const refusal = await refusalOf(client.send(new DecodeAuthorizationMessageCommand({ EncodedMessage: message })));
    expect(refusal?.code).toBe(want);
  });
});
