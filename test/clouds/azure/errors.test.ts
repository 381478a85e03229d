import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { refusalHint } from "../../../src/clouds/azure/refusals.js";
import { fetchOverHttp } from "../../../src/core/http.js";
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
import { failureOf, ISSUER, idToken, SUBJECT, TOKEN } from "../exchange/identity.js";
import { AUDIENCE, against, azureSettings, CLIENT, discovery, grants, refuses, TENANT } from "./fake-entra.js";

const NO_RECORD = `No matching federated identity record found for presented assertion subject '${SUBJECT}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation`;

describe("a refusal", () => {
  it("says what Microsoft Entra said, which claims it saw, and what to change", async () => {
    const { issue, tokensAsked } = await against([refuses(401, 700213, NO_RECORD)]);
    const error = await failureOf(issue());
    expect(error).toMatchObject({ code: "CLOUD_DENIED", exitCode: 77 });
    expect(error.message).toBe(
      `Microsoft Entra refused ${CLIENT}: No matching federated identity record found for presented assertion subject '${SUBJECT}'. ` +
        "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. " +
        `(AADSTS700213); it saw iss ${ISSUER}, aud ${AUDIENCE}, sub ${SUBJECT}`,
    );
    expect(error.hint).toContain(`whose subject is ${SUBJECT}`);
    expect(error.facts).toMatchObject({
      azureCode: "AADSTS700213",
      httpStatus: 401,
      tenant: TENANT,
      correlationId: "fb3d2015-bc17-4bb9-bb85-30c5cf1aaaa7",
      traceId: "255d1aef-8c98-452f-ac51-23d051240864",
      iss: ISSUER,
      aud: [AUDIENCE],
      sub: SUBJECT,
    });
    expect(tokensAsked()).toHaveLength(1);
  });

  it("in the discovery of a custom authority is one as well", async () => {
    const { issue } = await against([grants()], {
      discovery: refuses(400, 90002, `Tenant '${TENANT}' not found.`, "invalid_tenant"),
    });
    expect(await failureOf(issue())).toMatchObject({ code: "CLOUD_DENIED", facts: { azureCode: "AADSTS90002" } });
  });

  it("without an AADSTS code is told by its OAuth error", async () => {
    const { issue } = await against([answersJson(400, { error: "invalid_request" })]);
    expect((await failureOf(issue())).message).toContain("invalid_request (invalid_request)");
  });

  it("that names a URL names it whole, and only the link to the documentation is left out", async () => {
    const text = `No matching record found for issuer '${ISSUER}'. See https://learn.microsoft.com/entra/workload-id`;
    const { issue } = await against([refuses(401, 700211, text)]);
    const { message } = await failureOf(issue());
    expect(message).toContain(`found for issuer '${ISSUER}'. See (AADSTS700211); it saw`);
  });

  it("that repeats the assertion does not repeat it to the user", async () => {
    const { issue } = await against([refuses(400, 50027, `Invalid JWT token ${TOKEN}\u001b[31m is not a token.`)]);
    const error = await failureOf(issue());
    expect(error.message).toContain("Invalid JWT token [redacted]\\u001b[31m is");
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(TOKEN.slice(0, 20));
  });

  it.each([
    { code: "AADSTS70021", want: /federated credential with issuer .*githubusercontent\.com, subject repo:acme/ },
    { code: "AADSTS700211", want: /whose issuer is https:\/\/token\.actions/ },
    { code: "AADSTS700212", want: /the audience api:\/\/AzureADTokenExchange, or set azure\.audience/ },
    { code: "AADSTS700213", want: /whose subject is repo:acme/ },
    { code: "AADSTS700016", want: /check azure\.client_id/ },
    { code: "AADSTS7000112", want: /enable the service principal/ },
    { code: "AADSTS90002", want: /check azure\.tenant_id/ },
    { code: "AADSTS90038", want: /another national cloud/ },
    { code: "AADSTS500011", want: /check the scope scope-x: tenant .* no service principal/ },
    { code: "AADSTS1002012", want: /application id URI and \/\.default/ },
    { code: "AADSTS65001", want: /consent/ },
    { code: "AADSTS50105", want: /assign application/ },
    { code: "AADSTS700024", want: /clock/ },
    { code: "AADSTS700027", want: /reachable from the internet/ },
    { code: "AADSTS700222", want: /another identity source/ },
    { code: "AADSTS700025", want: /public client/ },
    { code: "AADSTS7000215", want: /client secret/ },
    { code: "AADSTS50020", want: /does not let this identity in/ },
    { code: "AADSTS53003", want: /Conditional Access/ },
    { code: "AADSTS99999", want: /sign-in logs/ },
  ])("with $code has a hint of its own", ({ code, want }) => {
    expect(refusalHint(code, azureSettings(), "scope-x", idToken(AUDIENCE))).toMatch(want);
  });
});

describe("what is no answer of Microsoft Entra", () => {
  const cases: { name: string; reply: Reply; want: string; message: RegExp }[] = [
    {
      name: "a page of HTML",
      reply: answers(200, "<h1>hello</h1>"),
      want: "BAD_ANSWER",
      message: /no answer of that service \(status 200\)/,
    },
    { name: "an empty answer", reply: answers(200, ""), want: "BAD_ANSWER", message: /no answer/ },
    {
      name: "no token in it",
      reply: answersJson(200, { token_type: "Bearer" }),
      want: "BAD_ANSWER",
      message: /no answer/,
    },
    {
      name: "a token that is no text",
      reply: answersJson(200, { access_token: { a: 1 }, expires_in: 3600 }),
      want: "BAD_ANSWER",
      message: /no answer/,
    },
    {
      name: "a token with a line break",
      reply: answersJson(200, { access_token: "a\nb", expires_in: 3600 }),
      want: "BAD_ANSWER",
      message: /no answer/,
    },
    { name: "a token that has ended", reply: grants(0), want: "BAD_ANSWER", message: /no answer/ },
    {
      name: "a redirect",
      reply: answers(302, "", { location: "https://elsewhere.example/" }),
      want: "BAD_ANSWER",
      message: /status 302/,
    },
    { name: "a proxy's page", reply: answers(407, "<h1>proxy</h1>"), want: "BAD_ANSWER", message: /status 407/ },
    { name: "an endless answer", reply: answers(200, "x".repeat(300_000)), want: "BAD_ANSWER", message: /no answer/ },
    { name: "not even HTTP", reply: speaksNoHttp, want: "BAD_ANSWER", message: /no answer/ },
    { name: "a connection cut", reply: cutsConnection, want: "UNREACHABLE", message: /the connection was cut/ },
    { name: "an answer cut", reply: cutsBody, want: "UNREACHABLE", message: /the connection was cut/ },
    { name: "silence", reply: neverAnswers, want: "UNREACHABLE", message: /no answer came in time/ },
    { name: "an answer that stops", reply: neverEndsBody, want: "UNREACHABLE", message: /no answer came in time/ },
    { name: "throttling", reply: answersJson(429, {}), want: "THROTTLED", message: /too many requests/ },
    {
      name: "throttling of the tenant",
      reply: refuses(400, 90055, "Too many."),
      want: "THROTTLED",
      message: /AADSTS90055: too many/,
    },
    {
      name: "a failure of the service",
      reply: answers(500, "oops"),
      want: "SERVICE_FAILED",
      message: /answered 500, again and again/,
    },
  ];

  it.each(cases)("$name is $want", async ({ reply, want, message }) => {
    const { issue } = await against([reply], { requestMs: 300, attempts: 2 });
    const error = await failureOf(issue());
    expect(error).toMatchObject({ code: want });
    expect(error.message).toMatch(message);
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(TOKEN.slice(0, 20));
    expect(error.facts["authority"]).toBe("https://entra.example");
  });

  it("a discovery document that points to another host gets no token", async () => {
    const elsewhere = discovery("https://entra.example", { token_endpoint: "https://elsewhere.example/token" });
    const { issue, tokensAsked } = await against([grants()], { discovery: elsewhere });
    const error = await failureOf(issue());
    expect(error).toMatchObject({ code: "BAD_ANSWER" });
    expect(error.message).toContain("pointed to another host, https://elsewhere.example");
    expect(tokensAsked()).toHaveLength(0);
  });
});

it("a redirect of the discovery is not followed", async () => {
  const moved = answers(302, "", { location: "https://entra.example/moved/.well-known/openid-configuration" });
  const { issue, entra } = await against([grants()], { discovery: moved });
  expect(await failureOf(issue())).toMatchObject({ code: "BAD_ANSWER", facts: { httpStatus: 302 } });
  expect(entra.asked).toHaveLength(1);
});

it("says that it asks directly where a proxy is set", async () => {
  const { issue } = await against([cutsConnection, cutsConnection, cutsConnection, cutsConnection], {
    env: { https_proxy: "http://me:hunter2@proxy.invalid" },
  });
  const error = await failureOf(issue());
  expect(error).toMatchObject({ code: "UNREACHABLE" });
  expect(error.hint).toMatch(/; https_proxy is set, but agentctl itself asks directly/);
  expect(error.hint).not.toMatch(/hunter2|proxy\.invalid/);
});

describe("TLS", () => {
  it("that this machine does not trust ends it, and is not tried again", async () => {
    const { serverPem, serverKeyPem } = await makeCertificates(Date.now());
    const server = await startFakeService(() => undefined, { cert: serverPem, key: serverKeyPem });
    try {
      const { issue, pauses } = await against([grants()], {
        env: { AZURE_AUTHORITY_HOST: server.url },
        runtime: { fetch: fetchOverHttp },
      });
      const error = await failureOf(issue());
      expect(error).toMatchObject({ code: "UNREACHABLE", exitCode: 69 });
      expect(error.message).toMatch(/not signed by an authority that this machine trusts/);
      expect(error.hint).toContain("NODE_EXTRA_CA_CERTS");
      expect(pauses).toEqual([]);
    } finally {
      await server.close();
    }
  });
});
