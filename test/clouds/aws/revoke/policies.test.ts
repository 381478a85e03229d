import { describe, expect, it } from "vitest";
import { denyDocument, readDenyName } from "../../../../src/clouds/aws/revoke/deny.js";
import { readRefusal } from "../../../../src/clouds/aws/revoke/probe.js";
import { decide as simulate } from "../decide.js";
import { LEASE_ID } from "../settings.js";
import { denial } from "./fake-aws.js";
import { SESSION } from "./taking-back.js";

describe("the deny", () => {
  const deny = JSON.parse(denyDocument(SESSION));
  it.each([
    { name: "the lease's session", userid: `AROAEXAMPLE:${SESSION}`, want: "ExplicitlyDenied" },
    { name: "no other lease's", userid: "AROAEXAMPLE:agentctl-l-AAAAAAAAAAAAAAAA", want: "Allowed" },
    { name: "no session whose name only ends alike", userid: `AROAEXAMPLE:x${SESSION}`, want: "Allowed" },
    { name: "no session whose name goes on", userid: `AROAEXAMPLE:${SESSION}x`, want: "Allowed" },
  ])("is for $name", async ({ userid, want }) => {
    const call = { action: "s3:GetObject", context: { "aws:userid": userid } };
    expect(await simulate({ call, identityPolicies: [{ name: "deny", policy: deny }] })).toBe(want);
  });

  it("leaves room for sixty-five on a role", () => {
    expect(Math.floor(10_240 / denyDocument(SESSION).length)).toBe(65);
  });

  it.each([
    { name: "ours", text: `agentctl-revoke-1795348800-${LEASE_ID}`, want: 1_795_348_800 },
    { name: "no role's own", text: "agentctl-deploy", want: undefined },
    { name: "none without a time", text: `agentctl-revoke-x-${LEASE_ID}`, want: undefined },
    { name: "none that goes on", text: `agentctl-revoke-1795348800-${LEASE_ID}-2`, want: undefined },
    { name: "none of a longer name", text: `my-agentctl-revoke-1795348800-${LEASE_ID}`, want: undefined },
  ])("is found by its name: $name", ({ text, want }) => {
    expect(readDenyName(text)?.untilSeconds).toBe(want);
  });
});

describe("what a refusal shows", () => {
  const failure = (code: string, message: string, status = 403) =>
    Object.assign(new Error(message), {
      name: code,
      $fault: "client",
      Code: code,
      $metadata: { httpStatusCode: status },
    });
  const identity = "with an explicit deny in an identity-based policy";
  it.each([
    { name: "the role's deny", error: failure("AccessDenied", denial(identity)), want: "denied" },
    { name: "with the policy's ARN", error: failure("AccessDenied", denial(`${identity}: arn:aws:x`)), want: "denied" },
    { name: "by another code", error: failure("AccessDeniedException", denial(identity)), want: "denied" },
    { name: "of no kind", error: failure("AccessDenied", denial("with an explicit deny")), want: "denied" },
    {
      name: "a session policy's",
      error: failure("AccessDenied", denial("with an explicit deny in a session policy")),
      want: "denied-elsewhere",
    },
    {
      name: "a permissions boundary's",
      error: failure("AccessDenied", denial("with an explicit deny in a permissions boundary: arn:aws:x")),
      want: "denied-elsewhere",
    },
    {
      name: "an organization's",
      error: failure("AccessDenied", denial("with an explicit deny in a service control policy")),
      want: "denied-elsewhere",
    },
    {
      name: "nobody's allow",
      error: failure(
        "AccessDenied",
        denial("because no session policy allows the sts:DecodeAuthorizationMessage action"),
      ),
      want: "open",
    },
    { name: "no message", error: failure("InvalidAuthorizationMessageException", "no", 400), want: "open" },
    { name: "expired keys", error: failure("ExpiredToken", identity), want: "nothing" },
    { name: "throttling", error: failure("Throttling", "no", 400), want: "nothing" },
    { name: "a cut connection", error: Object.assign(new Error("x"), { code: "ECONNRESET" }), want: "nothing" },
    { name: "anything else", error: "x", want: "nothing" },
  ])("$name", ({ error, want }) => {
    expect(readRefusal(error)).toBe(want);
  });
});
