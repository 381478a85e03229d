import { describe, expect, it } from "vitest";
import { fenceOf, planHops } from "../../../src/clouds/aws/hops.js";
import { decide as simulate } from "./decide.js";
import { awsSettings, grantTerms, NEXT_ROLE, OPENED_AT, OTHER_ROLE, READ_ONE_BUCKET, ROLE } from "./settings.js";

const TERMS = grantTerms(300);
const BEFORE = new Date(OPENED_AT + 60_000).toISOString();
const AFTER = new Date(OPENED_AT + 301_000).toISOString();

interface Call {
  readonly action: string;
  readonly resource?: string;
  readonly at?: string;
  /** aws:ViaAWSService; absent from the context when undefined. */
  readonly via?: "true" | "false";
}

/** A call by a session of an all-powerful role with the given session policy. */
function decide(policyText: string, { action, resource, at = BEFORE, via }: Call): Promise<string> {
  const context = { "aws:CurrentTime": at, ...(via !== undefined && { "aws:ViaAWSService": via }) };
  return simulate({
    call: { action, ...(resource !== undefined && { resource }), context },
    sessionPolicy: JSON.parse(policyText),
  });
}

function lastPolicy(overrides: Parameters<typeof awsSettings>[0] = {}): string {
  const hop = planHops(awsSettings(overrides), TERMS).at(-1);
  return hop?.policyAt(fenceOf(TERMS)) ?? "";
}

describe("the fence", () => {
  const cases: { name: string; settings?: Parameters<typeof awsSettings>[0]; call: Call; want: string }[] = [
    { name: "lets a call pass before the deadline", call: { action: "s3:GetObject" }, want: "Allowed" },
    { name: "denies it after", call: { action: "s3:GetObject", at: AFTER, via: "false" }, want: "ExplicitlyDenied" },
    {
      name: "denies it after where the service does not say whether it is forwarded",
      call: { action: "s3:GetObject", at: AFTER },
      want: "ExplicitlyDenied",
    },
    {
      name: "spares what AWS does on the session's behalf",
      call: { action: "s3:GetObject", at: AFTER, via: "true" },
      want: "Allowed",
    },
    {
      name: "does not spare it with fence_forwarded",
      settings: { fenceForwarded: true },
      call: { action: "s3:GetObject", at: AFTER, via: "true" },
      want: "ExplicitlyDenied",
    },
    {
      name: "bites with fence_forwarded on a direct call too",
      settings: { fenceForwarded: true },
      call: { action: "s3:GetObject", at: AFTER },
      want: "ExplicitlyDenied",
    },
    {
      name: "stands beside the profile's own policy",
      settings: { sessionPolicy: READ_ONE_BUCKET },
      call: { action: "s3:GetObject", at: AFTER, via: "false" },
      want: "ExplicitlyDenied",
    },
  ];
  it.each(cases)("$name", async ({ settings, call, want }) => {
    expect(await decide(lastPolicy(settings), call)).toBe(want);
  });
});

describe("the narrowing", () => {
  const narrow = { sessionPolicy: READ_ONE_BUCKET };
  it.each([
    { name: "allows what the session policy allows", call: { action: "s3:GetObject" }, want: "Allowed" },
    { name: "and nothing else of the role", call: { action: "s3:PutObject" }, want: "ImplicitlyDenied" },
    {
      name: "nor elsewhere",
      call: { action: "s3:GetObject", resource: "arn:aws:s3:::other/x" },
      want: "ImplicitlyDenied",
    },
  ])("$name", async ({ call, want }) => {
    expect(await decide(lastPolicy(narrow), call)).toBe(want);
  });

  it("holds denies only where policy ARNs do the narrowing", () => {
    const { Statement } = JSON.parse(lastPolicy({ policyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"] }));
    expect(Statement.map((statement: { Effect: string }) => statement.Effect)).toEqual(["Deny", "Deny"]);
  });

  it("keeps a policy's own version and id, and a single statement's form", () => {
    const document = { Version: "2008-10-17", Id: "mine", Statement: READ_ONE_BUCKET.document.Statement };
    const policy = JSON.parse(lastPolicy({ sessionPolicy: { document, origin: "inline" } }));
    expect(policy).toMatchObject({ Version: "2008-10-17", Id: "mine" });
    expect(policy.Statement[0]).toEqual(READ_ONE_BUCKET.document.Statement);
  });

  it("sends only characters that STS takes", () => {
    const document = { Statement: { Effect: "Allow", Action: "s3:*", Resource: "arn:aws:s3:::site/日本\u007f" } };
    const text = lastPolicy({ sessionPolicy: { document, origin: "inline" } });
    expect(text).toMatch(/^[\x20-\xff]*$/);
    expect(JSON.parse(text).Statement[0].Resource).toBe(document.Statement.Resource);
  });
});

describe("what would outlive the session", () => {
  const derived: Call[] = [
    { action: "sts:AssumeRole", resource: OTHER_ROLE },
    { action: "sts:AssumeRoot", resource: "arn:aws:iam::111122223333:root" },
    { action: "sts:GetFederationToken", resource: "arn:aws:sts::111122223333:federated-user/x" },
    { action: "sts:GetSessionToken", resource: "*" },
    { action: "sts:GetWebIdentityToken", resource: "*" },
    { action: "sts:GetServiceBearerToken", resource: "*" },
    ...["CreateAccessKey", "CreateLoginProfile", "UpdateLoginProfile", "UpdateAccessKey", "AddUserToGroup"].map(onUser),
    ...["CreateServiceSpecificCredential", "ResetServiceSpecificCredential", "UploadSSHPublicKey"].map(onUser),
    ...["CreateUser", "PutUserPolicy", "AttachUserPolicy", "PutUserPermissionsBoundary"].map(onUser),
    ...["CreateRole", "UpdateAssumeRolePolicy", "PutRolePolicy", "AttachRolePolicy"].map(onRole),
    ...["CreatePolicy", "CreatePolicyVersion", "SetDefaultPolicyVersion"].map(onPolicy),
  ];
  it.each(derived)("$action is denied", async (call) => {
    expect(await decide(lastPolicy(), call)).toBe("ExplicitlyDenied");
  });
  it.each(derived)("$action is left to the role with allow_derived_sessions: true", async (call) => {
    expect(await decide(lastPolicy({ allowDerivedSessions: true }), call)).toBe("Allowed");
  });
  it.each(derived)("$action stays denied where only another role is listed", async (call) => {
    expect(await decide(lastPolicy({ allowDerivedSessions: [NEXT_ROLE] }), call)).toBe("ExplicitlyDenied");
  });
  it.each([
    { name: "one role", allowed: [OTHER_ROLE] },
    { name: "several", allowed: [NEXT_ROLE, OTHER_ROLE] },
  ])("a listed role can be assumed: $name", async ({ allowed }) => {
    const policy = lastPolicy({ allowDerivedSessions: allowed });
    expect(await decide(policy, { action: "sts:AssumeRole", resource: OTHER_ROLE })).toBe("Allowed");
  });
  it("an empty list is no leave", () => {
    expect(lastPolicy({ allowDerivedSessions: [] })).toBe(lastPolicy({ allowDerivedSessions: false }));
  });
  it.each([
    { action: "sts:GetCallerIdentity", resource: "*" },
    onRole("GetRole"),
    onRole("PassRole"),
    onRole("TagRole"),
    onUser("DeleteAccessKey"),
    onPolicy("GetPolicy"),
  ])("$action is left to the role", async (call) => {
    expect(await decide(lastPolicy(), call)).toBe("Allowed");
  });

  it("a deny that takes sessions back cannot be deleted by them, where there are such", async () => {
    const revoker = { roleArn: OTHER_ROLE };
    const call = onRole("DeleteRolePolicy");
    expect(await decide(lastPolicy(), call)).toBe("Allowed");
    expect(await decide(lastPolicy({ revoker }), call)).toBe("ExplicitlyDenied");
    expect(await decide(lastPolicy({ revoker, allowDerivedSessions: [NEXT_ROLE] }), call)).toBe("ExplicitlyDenied");
  });

  function onUser(verb: string): Call {
    return { action: `iam:${verb}`, resource: resourceOf(verb, "user/ci") };
  }
  function onRole(verb: string): Call {
    return { action: `iam:${verb}`, resource: resourceOf(verb, "role/other") };
  }
  function onPolicy(verb: string): Call {
    return { action: `iam:${verb}`, resource: resourceOf(verb, "policy/mine") };
  }
  function resourceOf(verb: string, path: string): string {
    return `arn:aws:iam::111122223333:${verb === "AddUserToGroup" ? "group/admins" : path}`;
  }
});

describe("a hop before the last", () => {
  const policy = planHops(awsSettings({ chain: [{ roleArn: NEXT_ROLE }] }), TERMS)[0]?.policyAt(fenceOf(TERMS)) ?? "";
  it.each([
    { name: "does nothing in S3", call: { action: "s3:GetObject" } },
    { name: "assumes no other role", call: { action: "sts:AssumeRole", resource: OTHER_ROLE } },
    { name: "does nothing else with the next role", call: { action: "iam:GetRole", resource: NEXT_ROLE } },
    { name: "gets no token", call: { action: "sts:GetSessionToken", resource: "*" } },
    { name: "is over at the deadline", call: { action: "sts:AssumeRole", resource: NEXT_ROLE, at: AFTER } },
    {
      name: "is over for forwarded calls too",
      call: { action: "sts:AssumeRole", resource: NEXT_ROLE, at: AFTER, via: "true" as const },
    },
  ])("$name", async ({ call }) => {
    expect(await decide(policy, call)).toBe("ExplicitlyDenied");
  });

  it.each(["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"])("may do %s on the next role", (action) => {
    // The other account's trust policy decides too, so only this session's own side is looked at here.
    const [allow, notAction, notResource, fence] = JSON.parse(policy).Statement;
    expect(allow).toMatchObject({ Effect: "Allow", Resource: NEXT_ROLE });
    expect(allow.Action).toContain(action);
    expect(notAction.NotAction).toContain(action);
    expect(notResource).toEqual({ Effect: "Deny", Action: "*", NotResource: NEXT_ROLE });
    expect(fence.Condition).toEqual({ DateGreaterThan: { "aws:CurrentTime": "2026-11-22T12:05:00Z" } });
  });

  it("leaves the narrowing and the denies to the last", () => {
    const hops = planHops(awsSettings({ chain: [{ roleArn: NEXT_ROLE }], sessionPolicy: READ_ONE_BUCKET }), TERMS);
    expect(hops.map((hop) => hop.roleArn)).toEqual([ROLE, NEXT_ROLE]);
    expect(hops[1]?.policyAt(fenceOf(TERMS))).toBe(lastPolicy({ sessionPolicy: READ_ONE_BUCKET }));
  });
});
