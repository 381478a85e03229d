import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { caContext } from "../../../src/clouds/aws/ca-context.js";
import { AgentctlError } from "../../../src/core/errors.js";
import { makeCertificates } from "../../../src/sandbox/certificates.js";
import { fakeRuntime } from "../../fake-runtime.js";
import {
  answers,
  cutsBody,
  cutsConnection,
  grants,
  grantsWith,
  neverAnswers,
  neverEndsBody,
  type Reply,
  refuses,
  speaksNoHttp,
} from "./fake-sts.js";
import { against, failureOf, idToken, TOKEN } from "./issuing.js";
import { NEXT_ROLE, ROLE } from "./settings.js";

const granted = grants(() => Date.now());
const DENIED = refuses(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");

describe("a refusal", () => {
  const cases: { name: string; reply: Reply; want: string; exit: number; hint: RegExp }[] = [
    { name: "AccessDenied", reply: DENIED, want: "CLOUD_DENIED", exit: 77, hint: /trust policy must allow/ },
    {
      name: "InvalidIdentityToken",
      reply: refuses(400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account"),
      want: "CLOUD_DENIED",
      exit: 77,
      hint: /IAM OIDC provider for https:\/\/token\.actions\.githubusercontent\.com with the audience sts\.amazonaws\.com/,
    },
    {
      name: "ExpiredTokenException",
      reply: refuses(400, "ExpiredTokenException", "Token expired"),
      want: "CLOUD_DENIED",
      exit: 77,
      hint: /clock/,
    },
    {
      name: "IDPRejectedClaim",
      reply: refuses(403, "IDPRejectedClaim", "no"),
      want: "CLOUD_DENIED",
      exit: 77,
      hint: /revoked/,
    },
    {
      name: "RegionDisabledException",
      reply: refuses(403, "RegionDisabledException", "STS is not activated in this region"),
      want: "CLOUD_DENIED",
      exit: 77,
      hint: /activate STS for us-east-1/,
    },
    {
      name: "a code unheard of",
      reply: refuses(400, "Novelty", "no"),
      want: "CLOUD_DENIED",
      exit: 77,
      hint: /CloudTrail/,
    },
    {
      name: "MalformedPolicyDocument",
      reply: refuses(400, "MalformedPolicyDocument", "Syntax errors in policy."),
      want: "POLICY_INVALID",
      exit: 78,
      hint: /profile lint/,
    },
    {
      name: "PackedPolicyTooLarge",
      reply: refuses(400, "PackedPolicyTooLarge", "Packed policy consumes 103% of allotted space"),
      want: "POLICY_TOO_LONG",
      exit: 78,
      hint: /shorten/,
    },
    {
      name: "ValidationError on the duration",
      reply: refuses(
        400,
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
      ),
      want: "CONFIG_INVALID",
      exit: 78,
      hint: /MaxSessionDuration/,
    },
    {
      name: "ValidationError on something else",
      reply: refuses(400, "ValidationError", "roleArn is bad"),
      want: "CONFIG_INVALID",
      exit: 78,
      hint: /aws block/,
    },
  ];
  it.each(cases)("$name ends the attempt at once", async ({ reply, want, exit, hint }) => {
    const { sts, issue } = await against([reply, granted]);
    const error = await failureOf(issue());
    expect(error).toMatchObject({ code: want, exitCode: exit, hint: expect.stringMatching(hint) });
    expect(sts.asked).toHaveLength(1);
  });

  it("says which role, what AWS said, and the claims that it saw", async () => {
    const { issue } = await against([DENIED]);
    const error = await failureOf(issue());
    expect(error.message).toBe(
      `AWS STS refused ${ROLE}: Not authorized to perform sts:AssumeRoleWithWebIdentity (AccessDenied); it saw ` +
        "iss https://token.actions.githubusercontent.com, aud sts.amazonaws.com, sub repo:acme/site:ref:refs/heads/main",
    );
    expect(error.facts).toMatchObject({
      awsCode: "AccessDenied",
      httpStatus: 403,
      role: ROLE,
      iss: "https://token.actions.githubusercontent.com",
      aud: ["sts.amazonaws.com"],
      sub: "repo:acme/site:ref:refs/heads/main",
    });
  });

  it("of a further hop names both roles, and no claims", async () => {
    const { issue } = await against([granted, DENIED], { settings: { chain: [{ roleArn: NEXT_ROLE }] } });
    const error = await failureOf(issue());
    expect(error).toMatchObject({ code: "CLOUD_DENIED", facts: { role: NEXT_ROLE, assumedFrom: ROLE } });
    expect(error.hint).toContain(`${ROLE} needs sts:AssumeRole on ${NEXT_ROLE}`);
    expect(error.message).not.toContain("it saw");
  });

  it("shows no claim or message that could steer the terminal", async () => {
    const token = idToken(TOKEN, { subject: "repo:\u001b[2Jx\nagentctl: fine" });
    const { issue } = await against([refuses(403, "AccessDenied", "no\u0085\u202etext\nsecond line")], {
      mintToken: async () => token,
    });
    const error = await failureOf(issue());
    const shown = [error.message, error.hint ?? "", ...Object.values(error.facts).flat()].join("");
    expect(shown).not.toMatch(/\p{Cc}|\p{Cf}/u);
  });
});

describe("secrets that a service repeats", () => {
  it.each([
    { name: "the whole token", text: `1 validation error detected: Value '${TOKEN}' at 'webIdentityToken'` },
    { name: "a part of it", text: `Value '${TOKEN.slice(0, 50)}' is wrong` },
  ])("$name are in nothing that is thrown", async ({ text }) => {
    const { issue } = await against([refuses(400, "ValidationError", text)]);
    const error = await failureOf(issue());
    expect(error.message).toContain("[redacted]");
    expect(everythingOf(error)).not.toContain(TOKEN.slice(0, 30));
  });

  it("the session token of a chain is not either", async () => {
    const text = `The Canonical String should have been x-amz-security-token:session-canary-of-${ROLE}`;
    const { issue } = await against([granted, refuses(403, "SignatureDoesNotMatch", text)], {
      settings: { chain: [{ roleArn: NEXT_ROLE }] },
    });
    const error = await failureOf(issue());
    expect(error.hint).toContain("clock");
    expect(everythingOf(error)).not.toContain("session-canary");
  });

  it.each([
    { name: "a refusal", reply: DENIED },
    { name: "a cut connection", reply: cutsConnection },
    { name: "garbage", reply: answers(200, "<html>") },
    { name: "a failing service", reply: answers(503, `oops ${TOKEN}`) },
  ])("$name carries no token along", async ({ reply }) => {
    const { issue } = await against([reply]);
    expect(everythingOf(await failureOf(issue()))).not.toContain("c2lnbmF0dXJlLWNhbmFyeQ");
  });

  function everythingOf(error: unknown): string {
    return inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error);
  }
});

describe("what may pass", () => {
  const passing: { name: string; reply: Reply; want: string; exit: number }[] = [
    { name: "throttling", reply: refuses(400, "Throttling", "Rate exceeded"), want: "THROTTLED", exit: 69 },
    { name: "429", reply: answers(429, ""), want: "THROTTLED", exit: 69 },
    { name: "500", reply: refuses(500, "InternalFailure", "oops"), want: "SERVICE_FAILED", exit: 69 },
    { name: "503 in HTML", reply: answers(503, "<html><body>busy</body></html>"), want: "SERVICE_FAILED", exit: 69 },
    { name: "502 unparsable", reply: answers(502, "<<<"), want: "SERVICE_FAILED", exit: 69 },
    {
      name: "an unreachable issuer",
      reply: refuses(400, "IDPCommunicationError", "x"),
      want: "SERVICE_FAILED",
      exit: 69,
    },
    { name: "a cut connection", reply: cutsConnection, want: "UNREACHABLE", exit: 69 },
    { name: "a cut answer", reply: cutsBody, want: "UNREACHABLE", exit: 69 },
  ];
  it.each(passing)("$name is tried again, and survived", async ({ reply }) => {
    const { sts, pauses, issue } = await against([reply, reply, granted]);
    await expect(issue()).resolves.toMatchObject({ cloud: "aws" });
    expect(sts.asked).toHaveLength(3);
    expect(pauses).toEqual([100, 200]);
  });
  it.each(passing)("$name that stays is given up after four tries", async ({ reply, want, exit }) => {
    const { sts, pauses, issue } = await against([reply]);
    expect(await failureOf(issue())).toMatchObject({ code: want, exitCode: exit });
    expect(sts.asked).toHaveLength(4);
    expect(pauses).toEqual([100, 200, 400]);
  });

  it.each([
    { name: "no answer", reply: neverAnswers },
    { name: "an answer without an end", reply: neverEndsBody },
  ])("$name is cut off in time and tried again", async ({ reply }) => {
    const { sts, issue } = await against([reply, granted], { limits: { exchangeMs: 300 } });
    await expect(issue()).resolves.toMatchObject({ cloud: "aws" });
    expect(sts.asked).toHaveLength(2);
  });

  it("waits as long as it is asked to, within bounds", async () => {
    const throttled = (seconds: string) => refuses(400, "Throttling", "slow", { "retry-after": seconds });
    const { pauses, issue } = await against([throttled("1"), throttled("900"), granted]);
    await issue();
    expect(pauses).toEqual([1_000, 2_000]);
  });

  it("mints the token anew for each try", async () => {
    let minted = 0;
    const mintToken = async () => idToken(`${TOKEN}${++minted}`);
    const { sts, issue } = await against([cutsConnection, granted], { mintToken });
    await issue();
    expect(sts.asked.map(({ params }) => params.get("WebIdentityToken"))).toEqual([`${TOKEN}1`, `${TOKEN}2`]);
  });

  it("does not try again what the identity refused", async () => {
    const refusal = new AgentctlError("TOKEN_EXPIRED", "the token has expired");
    const { sts, issue } = await against([granted], { mintToken: () => Promise.reject(refusal) });
    expect(await failureOf(issue())).toBe(refusal);
    expect(sts.asked).toHaveLength(0);
  });
});

describe("what makes no sense", () => {
  it.each([
    { name: "an empty answer", reply: answers(200, "") },
    { name: "HTML", reply: answers(200, "<html><body>Welcome</body></html>") },
    { name: "broken XML", reply: answers(200, "<a><b") },
    { name: "JSON", reply: answers(200, "{}", "application/json") },
    { name: "an answer far too long", reply: grantsWith({ AssumedRoleId: "A".repeat(300_000) }) },
    { name: "a redirect", reply: answers(302, "") },
    { name: "403 of a proxy", reply: answers(403, "<html>blocked</html>") },
    { name: "404", reply: answers(404, "not here") },
    { name: "no HTTP", reply: speaksNoHttp },
    { name: "no access key", reply: grantsWith({ AccessKeyId: undefined }) },
    { name: "no secret key", reply: grantsWith({ SecretAccessKey: undefined }) },
    { name: "an empty session token", reply: grantsWith({ SessionToken: "" }) },
    { name: "no expiry", reply: grantsWith({ Expiration: undefined }) },
    { name: "an unreadable expiry", reply: grantsWith({ Expiration: "soon" }) },
    { name: "no principal", reply: grantsWith({ Arn: undefined }) },
    { name: "no role id", reply: grantsWith({ AssumedRoleId: undefined }) },
  ])("$name is BAD_ANSWER, once", async ({ reply }) => {
    const { sts, issue } = await against([reply, granted]);
    expect(await failureOf(issue())).toMatchObject({ code: "BAD_ANSWER", exitCode: 76 });
    expect(sts.asked).toHaveLength(1);
  });
});

describe("when it cannot be reached", () => {
  it("says that nothing listens, and where", async () => {
    const { sts, issue } = await against([granted]);
    await sts.close();
    const error = await failureOf(issue());
    expect(error).toMatchObject({ code: "UNREACHABLE", exitCode: 69 });
    expect(error.message).toBe(`cannot reach AWS STS at ${sts.url} (AWS_ENDPOINT_URL_STS): nothing listens there`);
  });

  it("says that it asks directly where a proxy is set, and not what the proxy is", async () => {
    const { sts, issue } = await against([granted], { env: { HTTPS_PROXY: "http://me:hunter2@proxy.invalid" } });
    await sts.close();
    const error = await failureOf(issue());
    expect(error.hint).toMatch(/^check the network, .*; HTTPS_PROXY is set, but agentctl itself asks directly/);
    expect(inspect(error, { depth: 20 })).not.toMatch(/hunter2|proxy\.invalid/);
  });

  it("takes the certificates of AWS_CA_BUNDLE, and says so when a certificate is not trusted", async () => {
    const directory = mkdtempSync(path.join(tmpdir(), "agentctl-ca-"));
    try {
      const { caPem, serverPem, serverKeyPem } = await makeCertificates(Date.now());
      const bundle = path.join(directory, "ca.pem");
      writeFileSync(bundle, caPem);
      const tls = { cert: serverPem, key: serverKeyPem };
      const trusting = await against([granted], { tls, env: { AWS_CA_BUNDLE: bundle } });
      await expect(trusting.issue()).resolves.toMatchObject({ cloud: "aws" });
      const wary = await against([granted], { tls });
      const error = await failureOf(wary.issue());
      expect(error).toMatchObject({ code: "UNREACHABLE", hint: expect.stringContaining("AWS_CA_BUNDLE") });
      expect(error.message).toContain("not signed by an authority");
      expect(wary.pauses).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("reads AWS_CA_BUNDLE into a TLS context once, and again when it has changed", async () => {
    const directory = mkdtempSync(path.join(tmpdir(), "agentctl-ca-"));
    try {
      const bundle = path.join(directory, "ca.pem");
      const runtime = fakeRuntime({ env: { AWS_CA_BUNDLE: bundle } });
      writeFileSync(bundle, (await makeCertificates(Date.now())).caPem);
      const first = caContext(runtime);
      expect(caContext(runtime)).toBe(first);
      writeFileSync(bundle, (await makeCertificates(Date.now())).caPem);
      expect(caContext(runtime)).not.toBe(first);
      expect(caContext(fakeRuntime())).toBeUndefined();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it.each([
    { name: "missing", content: undefined },
    { name: "no PEM", content: "hello" },
  ])("refuses an AWS_CA_BUNDLE that is $name", async ({ content }) => {
    const directory = mkdtempSync(path.join(tmpdir(), "agentctl-ca-"));
    try {
      const bundle = path.join(directory, "ca.pem");
      if (content !== undefined) writeFileSync(bundle, content);
      const { issue } = await against([granted], { env: { AWS_CA_BUNDLE: bundle } });
      expect(await failureOf(issue())).toMatchObject({ code: "CONFIG_INVALID", exitCode: 78 });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("says it when a plain server answers a TLS client", async () => {
    const { sts, runtime, issue } = await against([granted]);
    Object.assign(runtime.env, { AWS_ENDPOINT_URL_STS: sts.url.replace("http:", "https:") });
    const error = await failureOf(issue());
    expect(error).toMatchObject({ code: "UNREACHABLE", message: expect.stringContaining("does not speak TLS") });
  });
});

describe("an interrupt", () => {
  it.each([
    { name: "while STS is silent", reply: neverAnswers },
    { name: "in the middle of an answer", reply: neverEndsBody },
  ])("$name ends the wait at once, with the interrupter's error", async ({ reply }) => {
    const stop = new AbortController();
    const reason = new AgentctlError("INTERRUPTED", "interrupted", { exitCode: 130 });
    const interrupting: Reply = (asked, response) => {
      reply(asked, response);
      setImmediate(() => stop.abort(reason));
    };
    const { sts, issue } = await against([interrupting], { signal: stop.signal });
    expect(await failureOf(issue())).toBe(reason);
    expect(sts.asked).toHaveLength(1);
  });

  it("ends a pause between tries", async () => {
    const stop = new AbortController();
    const sleep = () => {
      stop.abort();
      return new Promise<void>(() => {});
    };
    const { sts, issue } = await against([cutsConnection], { signal: stop.signal, runtime: { sleep } });
    expect(await failureOf(issue())).toMatchObject({ code: "INTERRUPTED" });
    expect(sts.asked).toHaveLength(1);
  });
});
