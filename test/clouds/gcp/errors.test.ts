import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { boundaryHint } from "../../../src/clouds/gcp/refusals.js";
import { makeCertificates } from "../../../src/sandbox/certificates.js";
import {
  answers,
  answersJson,
  cutsBody,
  cutsConnection,
  neverAnswers,
  neverEndsBody,
  type Reply,
  speaksNoHttp,
  startFakeService,
} from "../exchange/fake-service.js";
import { failureOf, ISSUER, SUBJECT, TOKEN } from "../exchange/identity.js";
import {
  ACCOUNT,
  against,
  BUCKET_RULE,
  FEDERATED,
  federates,
  gcpSettings,
  impersonates,
  POOL,
  PROVIDER,
  refusesLikeAnApi,
  refusesLikeOAuth,
} from "./fake-google.js";

const AUDIENCE = `https://iam.googleapis.com/${PROVIDER}`;
const CONDITION = "The given credential is rejected by the attribute condition.";
const NO_PERMISSION = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";
const ERROR_INFO = {
  "@type": "type.googleapis.com/google.rpc.ErrorInfo",
  reason: "IAM_PERMISSION_DENIED",
  domain: "iam.googleapis.com",
  metadata: { permission: "iam.serviceAccounts.getAccessToken" },
};

describe("a refusal", () => {
  it("of the OIDC token says what Google said, which claims it saw, and what to change", async () => {
    const { issue, google } = await against({ sts: [refusesLikeOAuth(401, "unauthorized_client", CONDITION)] });
    const error = await failureOf(issue());
    expect(error).toMatchObject({ code: "CLOUD_DENIED", exitCode: 77 });
    expect(error.message).toBe(
      `Google's STS refused the token for ${PROVIDER}: ${CONDITION} (unauthorized_client); ` +
        `it saw iss ${ISSUER}, aud ${AUDIENCE}, sub ${SUBJECT}`,
    );
    expect(error.hint).toBe(`change the attribute condition of ${PROVIDER}: it is not true of this token`);
    expect(error.facts).toMatchObject({
      provider: PROVIDER,
      googleCode: "unauthorized_client",
      httpStatus: 401,
      iss: ISSUER,
      aud: [AUDIENCE],
      sub: SUBJECT,
    });
    expect(google.asked).toHaveLength(1);
  });

  it("of the impersonation names the service account, and whom to give which role", async () => {
    const { issue } = await against({ iam: [refusesLikeAnApi(403, "PERMISSION_DENIED", NO_PERMISSION, [ERROR_INFO])] });
    const error = await failureOf(issue());
    expect(error).toMatchObject({ code: "CLOUD_DENIED", exitCode: 77 });
    expect(error.message).toContain(
      `Google's IAM Credentials refused ${ACCOUNT}: ${NO_PERMISSION} (PERMISSION_DENIED); it saw iss`,
    );
    expect(error.hint).toContain(`principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}`);
    expect(error.hint).toContain("roles/iam.workloadIdentityUser");
    expect(error.facts).toMatchObject({
      serviceAccount: ACCOUNT,
      reason: "IAM_PERMISSION_DENIED",
      permission: "iam.serviceAccounts.getAccessToken",
    });
  });

  it("of the access boundary says so", async () => {
    const { issue } = await against({
      settings: gcpSettings({ accessBoundary: [BUCKET_RULE] }),
      boundary: [refusesLikeOAuth(400, "invalid_request", "Invalid access boundary.")],
    });
    const error = await failureOf(issue());
    expect(error.message).toContain("refused the access boundary: Invalid access boundary. (invalid_request)");
    expect(error.hint).toBe(boundaryHint());
  });

  it.each([
    { name: "a token", text: `Invalid ${FEDERATED} of ${TOKEN}\nand\u001b[31m more` },
    { name: "the end of one", text: `Invalid ${FEDERATED.slice(-20)} of ${TOKEN.slice(5)}` },
  ])("that repeats $name does not repeat it to the user", async ({ text }) => {
    const { issue } = await against({ iam: [refusesLikeAnApi(401, "UNAUTHENTICATED", text)] });
    const error = await failureOf(issue());
    expect(error.message).toContain("Invalid [redacted] of [redacted]");
    const printed = inspect(error, { depth: 20, showHidden: true });
    expect(printed).not.toContain("canary");
    expect(printed).not.toContain(TOKEN.slice(0, 20));
  });
});

describe("what is no answer of Google's", () => {
  const cases: { name: string; reply: Reply; want: string; message: RegExp }[] = [
    {
      name: "a page of HTML",
      reply: answers(200, "<h1>hello</h1>"),
      want: "BAD_ANSWER",
      message: /no answer of that service \(status 200\)/,
    },
    { name: "an empty answer", reply: answers(200, ""), want: "BAD_ANSWER", message: /no answer/ },
    { name: "no content", reply: answers(204, ""), want: "BAD_ANSWER", message: /status 204/ },
    { name: "null", reply: answersJson(200, null), want: "BAD_ANSWER", message: /no answer/ },
    {
      name: "no token in it",
      reply: answersJson(200, { token_type: "Bearer", expires_in: 60 }),
      want: "BAD_ANSWER",
      message: /no answer/,
    },
    {
      name: "a token with a line break",
      reply: federates({ access_token: "a\nb" }),
      want: "BAD_ANSWER",
      message: /no answer/,
    },
    { name: "no lifetime", reply: federates({ expires_in: "soon" }), want: "BAD_ANSWER", message: /no answer/ },
    { name: "a lifetime of nothing", reply: federates({ expires_in: 0 }), want: "BAD_ANSWER", message: /no answer/ },
    {
      name: "a redirect",
      reply: answers(302, "", { location: "https://elsewhere.example/" }),
      want: "BAD_ANSWER",
      message: /status 302/,
    },
    { name: "a page that refuses", reply: answers(403, "<h1>no</h1>"), want: "BAD_ANSWER", message: /status 403/ },
    {
      name: "an error of another form",
      reply: answersJson(400, { error: { message: "no" } }),
      want: "BAD_ANSWER",
      message: /status 400/,
    },
    { name: "an endless answer", reply: answers(200, "x".repeat(300_000)), want: "BAD_ANSWER", message: /no answer/ },
    { name: "not even HTTP", reply: speaksNoHttp, want: "BAD_ANSWER", message: /no answer/ },
    { name: "a connection cut", reply: cutsConnection, want: "UNREACHABLE", message: /the connection was cut/ },
    { name: "an answer cut", reply: cutsBody, want: "UNREACHABLE", message: /the connection was cut/ },
    { name: "silence", reply: neverAnswers, want: "UNREACHABLE", message: /no answer came in time/ },
    { name: "an answer that stops", reply: neverEndsBody, want: "UNREACHABLE", message: /no answer came in time/ },
    { name: "throttling", reply: answers(429, ""), want: "THROTTLED", message: /too many requests/ },
    {
      name: "a failure of the service",
      reply: answers(500, "oops"),
      want: "SERVICE_FAILED",
      message: /answered 500, again/,
    },
  ];

  it.each(cases)("$name of the STS is $want", async ({ reply, want, message }) => {
    const { issue } = await against({ sts: [reply], requestMs: 300, attempts: 2 });
    const error = await failureOf(issue());
    expect(error).toMatchObject({ code: want });
    expect(error.message).toMatch(
      /^(cannot reach )?Google's STS at http:\/\/127\.0\.0\.1:\d+\/ \(CLOUDSDK_API_ENDPOINT_OVERRIDES_STS\)/,
    );
    expect(error.message).toMatch(message);
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(TOKEN.slice(0, 20));
  });

  it.each([
    { name: "no token", reply: impersonates(0, { accessToken: undefined }) },
    { name: "no time", reply: impersonates(0, { expireTime: "later" }) },
    { name: "a time gone by", reply: impersonates(0, { expireTime: "2020-01-01T00:00:00Z" }) },
    { name: "HTML", reply: answers(200, "<h1>hello</h1>") },
  ])("$name of the IAM Credentials is BAD_ANSWER", async ({ reply }) => {
    const { issue } = await against({ iam: [reply] });
    const error = await failureOf(issue());
    expect(error).toMatchObject({ code: "BAD_ANSWER", exitCode: 76 });
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain("canary");
  });
});

describe("TLS", () => {
  it("that this machine does not trust ends it, and is not tried again", async () => {
    const { serverPem, serverKeyPem } = await makeCertificates(Date.now());
    const server = await startFakeService(() => undefined, { cert: serverPem, key: serverKeyPem });
    try {
      const { issue, pauses } = await against({
        runtime: { env: { CLOUDSDK_API_ENDPOINT_OVERRIDES_STS: server.url } },
      });
      const error = await failureOf(issue());
      expect(error).toMatchObject({ code: "UNREACHABLE", exitCode: 69 });
      expect(error.message).toMatch(/not signed by an authority that this machine trusts/);
      expect(pauses).toEqual([]);
    } finally {
      await server.close();
    }
  });
});
