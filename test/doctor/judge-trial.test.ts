import { describe, expect, test } from "vitest";
import { AgentctlError, type ErrorCode } from "../../src/core/errors.js";
import type { Facts, GrantPlan } from "../../src/core/lease.js";
import type { AwsSettings, Profile, RevokeMode } from "../../src/core/profile.js";
import { judgeTrial } from "../../src/doctor/judge-trial.js";
import type { CloudTrial } from "../../src/doctor/try-grants.js";
import type { TokenFinding } from "../../src/identity/index.js";

const ROLE = "arn:aws:iam::111122223333:role/deploy";
const REVOKER = "arn:aws:iam::111122223333:role/deploy-revoker";
const STEPS = [
  `assume ${ROLE} with the OIDC token`,
  `at the end assume ${REVOKER} likewise, and put a deny for this session alone on ${ROLE}`,
];
const TOKENS = [
  {
    wanted: "sts.amazonaws.com",
    clouds: ["aws"],
    token: { issuer: "https://i", subject: "s", audience: ["sts.amazonaws.com"] },
  },
] as unknown as readonly TokenFinding[];

function planOf(facts: Facts, steps: readonly string[] = STEPS): GrantPlan {
  return {
    cloud: "aws",
    channel: "env",
    principal: ROLE,
    audiences: ["sts.amazonaws.com"],
    steps,
    narrowing: [],
    variables: [],
    ending: { word: "fenced", detail: "" },
    undo: {},
    facts,
    endpoints: [],
  };
}

interface Case {
  readonly revoke?: RevokeMode;
  readonly acceptEscalation?: boolean;
  readonly facts?: Facts;
  readonly steps?: readonly string[];
}

function judge(outcome: Omit<CloudTrial, "plan" | "tookMs">, options: Case = {}) {
  const { revoke = "auto", acceptEscalation = false, facts = { revoker: REVOKER, acceptEscalation }, steps } = options;
  const aws = { acceptEscalation } as AwsSettings;
  const trial = { profile: { clouds: { aws } } as Profile, revoke, run: { plans: [] } };
  return judgeTrial({ plan: planOf(facts, steps), tookMs: 100, ...outcome }, trial, TOKENS);
}

const failure = (code: ErrorCode, facts: AgentctlError["facts"], message = "it did not work") =>
  new AgentctlError(code, message, { facts, hint: "do this, or do that" });
const ESCALATION = failure("ESCALATION_POSSIBLE", { role: ROLE, revoker: REVOKER });
const NOT_ASSUMED = failure("CLOUD_DENIED", { role: REVOKER });
const NOT_SEEN = failure("CLOUD_DENIED", { role: ROLE, revoker: REVOKER });
const AWAY = failure("UNREACHABLE", { role: ROLE, revoker: REVOKER });
const LATE = failure("UNREACHABLE", {}, `AWS did not let ${REVOKER} be tried within 30s`);
const ENDING = { cloud: "aws", word: "fenced", at: "2026-01-31T09:01:00Z", detail: "d" } as const;

describe("what kept a grant from being safe to take back", () => {
  test.each([
    { name: "a possible escalation", error: ESCALATION, status: "fail", claims: 0 },
    { name: "a revoker that is not let in", error: NOT_ASSUMED, status: "fail", claims: 3 },
    { name: "a revoker that sees nothing", error: NOT_SEEN, status: "fail", claims: 0 },
    { name: "a service that is away", error: AWAY, status: "warn", claims: 0 },
    { name: "the same, where it is required", error: AWAY, options: { revoke: "required" }, status: "fail", claims: 0 },
    { name: "a revoker that takes too long", error: LATE, status: "warn", claims: 0 },
    {
      name: "a refusal where a run does not look",
      error: NOT_SEEN,
      options: { acceptEscalation: true },
      status: "warn",
      claims: 0,
    },
    {
      name: "the same, where it is required",
      error: NOT_SEEN,
      options: { acceptEscalation: true, revoke: "required" },
      status: "fail",
      claims: 0,
    },
  ] as const)("$name: $status, at the revoker's step", ({ error, status, claims, ...row }) => {
    const [finding, ...more] = judge({ error }, "options" in row ? row.options : {});
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ status, code: error.code, hint: "do this, or do that" });
    expect(finding?.details?.[0]).toBe(`step: ${STEPS[1]}`);
    expect(finding?.details).toHaveLength(1 + claims);
    expect(/a run goes on, and ends its session by the fence$/.test(finding?.message ?? "")).toBe(status === "warn");
  });

  test("is told also where the plan has no such step", () => {
    const [finding] = judge({ error: NOT_ASSUMED }, { steps: STEPS.slice(0, 1) });
    expect(finding?.details?.[0]).toBe(`step: see that ${REVOKER} could write on ${ROLE}`);
  });

  test.each([
    { name: "the role's own refusal", facts: { revoker: REVOKER }, error: failure("CLOUD_DENIED", { role: ROLE }) },
    { name: "one where there is no revoker", facts: {}, error: failure("UNREACHABLE", { role: ROLE }) },
  ])("is not $name", ({ facts, error }) => {
    const [finding] = judge({ error }, { facts });
    expect(finding).toMatchObject({ status: "fail" });
    expect(finding?.details).toEqual([
      `step: ${STEPS[0]}`,
      "claim: aud sts.amazonaws.com, as the profile expects",
      "claim: iss https://i",
      "claim: sub s",
    ]);
  });
});

describe("a grant that was given and ended", () => {
  test.each([
    {
      name: "with a revoker",
      options: {},
      want: [
        { status: "ok", message: expect.stringMatching(/^aws: .*role\/deploy, granted in 0\.1 s .*; fenced at /) },
        {
          status: "ok",
          message: expect.stringMatching(/deploy-revoker can be assumed .*, which has a permissions boundary/),
        },
      ],
    },
    {
      name: "with one on a role that may have no boundary",
      options: { acceptEscalation: true },
      want: [{ status: "ok" }, { status: "note", message: expect.stringMatching(/boundary accept_escalation leaves/) }],
    },
    { name: "without one", options: { facts: {} }, want: [{ status: "ok" }] },
  ])("$name", ({ options, want }) => {
    expect(judge({ ending: ENDING }, options)).toMatchObject(want);
  });

  test("or not ended", () => {
    const [finding] = judge({ ending: { ...ENDING, word: "failed", detail: "IAM was away" } });
    expect(finding).toMatchObject({ status: "warn", code: "NOT_TAKEN_BACK", message: expect.stringMatching(/away$/) });
  });
});
