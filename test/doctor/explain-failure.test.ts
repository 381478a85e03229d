import { describe, expect, test } from "vitest";
import { AgentctlError, type ErrorCode } from "../../src/core/errors.js";
import { compareClaims, describeClaim } from "../../src/doctor/compare-claims.js";
import { findFailingStep } from "../../src/doctor/failing-step.js";
import type { TokenFinding } from "../../src/identity/index.js";

const AWS_STEPS = ["assume role/a with the OIDC token (aud sts) at STS", "then assume role/b, for 1h"];
const AZURE_STEPS = ["get a token for https://a/.default at host", "get a token for https://b/.default at host"];
const GCP_STEPS = [
  "trade the OIDC token for a federated one of the provider",
  "then impersonate a@b at iamcredentials",
  "then trade that for one within the access boundary",
];

function failure(code: ErrorCode, message: string, facts: AgentctlError["facts"] = {}): AgentctlError {
  return new AgentctlError(code, message, { facts });
}

describe("the step that failed", () => {
  test.each([
    { name: "the first role", steps: AWS_STEPS, error: failure("CLOUD_DENIED", "x", { role: "role/a" }), want: 0 },
    { name: "a further role", steps: AWS_STEPS, error: failure("CLOUD_DENIED", "x", { role: "role/b" }), want: 1 },
    {
      name: "a scope",
      steps: AZURE_STEPS,
      error: failure("CLOUD_DENIED", "x", { scope: "https://b/.default" }),
      want: 1,
    },
    {
      name: "Google's STS",
      steps: GCP_STEPS,
      error: failure("CLOUD_DENIED", "Google's STS refused the token"),
      want: 0,
    },
    {
      name: "impersonation",
      steps: GCP_STEPS,
      error: failure("UNREACHABLE", "cannot reach Google's IAM Credentials"),
      want: 1,
    },
    {
      name: "narrowing",
      steps: GCP_STEPS,
      error: failure("CLOUD_DENIED", "Google's STS refused the access boundary"),
      want: 2,
    },
  ])("$name", ({ steps, error, want }) => {
    expect(findFailingStep(error, planOf(steps))).toBe(steps[want]);
  });

  test.each(["TOKEN_AUDIENCE", "NO_IDENTITY", "IDENTITY_DENIED"] as const)("before the cloud was asked: %s", (code) => {
    expect(findFailingStep(failure(code, "x"), planOf(AWS_STEPS))).toBe(
      "get a token for the audience sts.amazonaws.com",
    );
  });
});

describe("the claims, expected beside actual", () => {
  const token = (audience: readonly string[]): TokenFinding => ({
    wanted: "sts.amazonaws.com",
    clouds: ["aws"],
    token: {
      issuer: "https://i",
      subject: "s",
      audience,
      expiresAt: 0,
      claims: {},
      sha256: "",
      signature: { algorithm: "ES256" },
    },
  });

  test.each([
    {
      name: "a token that was shown",
      error: failure("CLOUD_DENIED", "x"),
      tokens: [token(["sts.amazonaws.com"])],
      want: ["aud sts.amazonaws.com, as the profile expects", "iss https://i", "sub s"],
    },
    {
      name: "tokens of which none fits",
      error: failure("TOKEN_AUDIENCE", "x", { audiencesSeen: ["a", "b"] }),
      tokens: [],
      want: ["aud a, b, and the profile expects sts.amazonaws.com"],
    },
    {
      name: "a token for nobody",
      error: failure("TOKEN_AUDIENCE", "x", { audiencesSeen: [] }),
      tokens: [],
      want: ["aud nobody, and the profile expects sts.amazonaws.com"],
    },
    { name: "no token at all", error: failure("NO_IDENTITY", "x"), tokens: [], want: [] },
  ])("$name", ({ error, tokens, want }) => {
    expect(compareClaims({ audiences: ["sts.amazonaws.com"] }, error, tokens).map(describeClaim)).toEqual(want);
  });
});

function planOf(steps: readonly string[]) {
  return {
    cloud: "aws",
    channel: "env",
    principal: "p",
    audiences: ["sts.amazonaws.com"],
    steps,
    narrowing: [],
    variables: [],
    ending: { word: "expires", detail: "" },
    undo: {},
    facts: {},
    endpoints: [],
  } as const;
}
