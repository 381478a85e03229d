import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ErrorCode } from "../../src/core/errors.js";
import { makeCertificates } from "../../src/sandbox/certificates.js";
import { DEMO_PROFILE } from "./agentctl.js";
import { echoClouds, googleError, json, oauthError, type Step } from "./leak/echo-clouds.js";
import { type Echo, type EchoService, startEchoService } from "./leak/echo-service.js";
import { type LeakStage, openLeakStage } from "./leak/leak-stage.js";
import { AWS, AZURE, GCP, REPORTS_ONLY } from "./three-clouds.js";

const azure = { ...AZURE, scopes: ["https://management.azure.com/.default"] };
const NARROW = JSON.stringify({ deliver: "env", aws: AWS, azure, gcp: { ...GCP, access_boundary: [REPORTS_ONLY] } });

let leak: LeakStage;
let echo: EchoService;
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  const { caPem, serverPem, serverKeyPem } = await makeCertificates(Date.now());
  [leak, echo] = await Promise.all([openLeakStage(), startEchoService({ cert: serverPem, key: serverKeyPem })]);
  leak.stage.writeConfig(`${DEMO_PROFILE}  narrow: ${NARROW}\n`);
  const ca = leak.stage.writeFile("echo-ca.pem", caPem);
  env = {
    NODE_EXTRA_CA_CERTS: ca,
    AWS_CA_BUNDLE: ca,
    AWS_ENDPOINT_URL_STS: echo.url,
    AZURE_AUTHORITY_HOST: echo.url,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STS: echo.url,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: echo.url,
  };
});
afterEach(() => leak.forget());
afterAll(() => Promise.all([leak.close(), echo.close()]));

test("of the tokens on the way to a grant the child sees the last alone, and nobody else any", async () => {
  echo.answer(echoClouds(echo.url, leak.search));
  const dump = path.join(leak.outside, "narrow");
  const command = ["sh", "-c", 'env > "$1"', "sh", dump];
  const receipt = path.join(leak.stage.dir, "narrow.json");
  const outcome = await leak.stage.run(["run", "-p", "narrow", "--receipt", receipt, "--", ...command], {
    env: { ...leak.env, ...env },
  });
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stdout: "" });
  expect(leak.findLeaks(outcome)).toEqual([]);
  const inChild = leak.search.find("the child", leak.readDump(dump)).sort();
  expect(inChild).toEqual(
    ["AWS's secret key", "AWS's session token", "Azure's token", "the narrowed token"].map(
      (name) => `${name} in the child`,
    ),
  );
});

interface Answer {
  readonly name: string;
  readonly echo: Echo;
  readonly want: ErrorCode;
}

/** Whatever the step, a service may repeat what it was sent in these ways. */
const ANYWHERE: readonly Answer[] = [
  { name: "a page with status 200", echo: ({ body }) => ({ status: 200, body: `<html>${body}` }), want: "BAD_ANSWER" },
  {
    name: "a redirection",
    echo: ({ secret }) => ({ status: 302, headers: { location: `https://127.0.0.1:1/?${secret}` }, body: secret }),
    want: "BAD_ANSWER",
  },
  { name: "the status line", echo: ({ secret }) => ({ status: 418, reason: secret, body: "" }), want: "BAD_ANSWER" },
];

/** And Microsoft and Google in these. */
const OF_JSON: readonly Answer[] = [
  { name: "an OAuth refusal", echo: ({ secret }) => oauthError(400, "invalid_request", secret), want: "CLOUD_DENIED" },
  { name: "an OAuth code", echo: ({ secret }) => oauthError(400, secret, "no"), want: "CLOUD_DENIED" },
  {
    name: "a refusal, cut short",
    echo: ({ secret }) => oauthError(400, "invalid_request", `'${secret.slice(0, 250)}'`),
    want: "CLOUD_DENIED",
  },
  {
    name: "a refusal with every header",
    echo: ({ headers }) => oauthError(400, "invalid_request", JSON.stringify(headers)),
    want: "CLOUD_DENIED",
  },
  { name: "a failure", echo: ({ secret }) => oauthError(500, "server_error", secret), want: "SERVICE_FAILED" },
  { name: "throttling", echo: ({ secret }) => oauthError(429, "busy", secret), want: "THROTTLED" },
  {
    name: "place of a token",
    echo: ({ secret }) => json(200, { access_token: { secret }, accessToken: [secret], expires_in: secret }),
    want: "BAD_ANSWER",
  },
];

const OF_GOOGLE: readonly Answer[] = [
  {
    name: "an API's refusal",
    echo: ({ secret }) => googleError(403, "PERMISSION_DENIED", secret),
    want: "CLOUD_DENIED",
  },
  { name: "an API's code", echo: ({ secret }) => googleError(403, secret, secret), want: "CLOUD_DENIED" },
];

const STEPS: readonly { readonly step: Step; readonly answers: readonly Answer[] }[] = [
  { step: "azure", answers: [...ANYWHERE, ...OF_JSON] },
  { step: "federate", answers: [...ANYWHERE, ...OF_JSON, ...OF_GOOGLE] },
  { step: "impersonate", answers: [...ANYWHERE, ...OF_JSON, ...OF_GOOGLE] },
  { step: "narrow", answers: [...ANYWHERE, ...OF_JSON, ...OF_GOOGLE] },
];

describe.each(STEPS)("a token that is repeated by $step", ({ step, answers }) => {
  test.each(answers)("in $name", async ({ echo: answer, want }) => {
    echo.answer(echoClouds(echo.url, leak.search, { [step]: answer }));
    expect(await leak.leaksOfFailure(want, { args: ["-p", "narrow"], env })).toEqual([]);
  });
});

describe("tokens that are dropped in silence", () => {
  const answers: readonly (Answer & { readonly step: Step })[] = [
    {
      name: "Azure's, without an end",
      step: "azure",
      echo: () => json(200, { token_type: "Bearer", access_token: leak.search.plant("a dropped token") }),
      want: "BAD_ANSWER",
    },
    {
      name: "Azure's, with a line break",
      step: "azure",
      echo: () => json(200, { access_token: `${leak.search.plant("a dropped token")}\n`, expires_in: 3599 }),
      want: "BAD_ANSWER",
    },
    {
      name: "Google's federated one, without an end",
      step: "federate",
      echo: () => json(200, { access_token: leak.search.plant("a dropped token") }),
      want: "BAD_ANSWER",
    },
    {
      name: "the service account's, which is over",
      step: "impersonate",
      echo: () => json(200, { accessToken: leak.search.plant("a dropped token"), expireTime: "2020-01-01T00:00:00Z" }),
      want: "BAD_ANSWER",
    },
    {
      name: "all that were granted, when the last step is refused",
      step: "narrow",
      echo: () => oauthError(400, "invalid_request", "no"),
      want: "CLOUD_DENIED",
    },
  ];
  test.each(answers)("$name", async ({ step, echo: answer, want }) => {
    echo.answer(echoClouds(echo.url, leak.search, { [step]: answer }));
    expect(await leak.leaksOfFailure(want, { args: ["-p", "narrow"], env })).toEqual([]);
  });
});
