import { describe, expect, test } from "vitest";
import type { RightsSights } from "../../src/clouds/index.js";
import { AgentctlError } from "../../src/core/errors.js";
import type { Facts, GrantPlan } from "../../src/core/lease.js";
import type { Profile } from "../../src/core/profile.js";
import { judgeTrial } from "../../src/doctor/judge-trial.js";
import type { CloudTrial } from "../../src/doctor/try-grants.js";

const AT = "2026-01-31T09:01:00Z";
const PLAN = { cloud: "gcp", principal: "p", facts: {}, steps: [], audiences: [] } as unknown as GrantPlan;
const BINDING = "roles/browser on //cloudresourcemanager.googleapis.com/projects/p";
const DENIED = new AgentctlError("CLOUD_DENIED", "Google refused it", { hint: "allow it", facts: { role: "r" } });

/** What is told beside the exchange. */
function judge(given: Facts, tried: Partial<CloudTrial>) {
  const ending = { cloud: "gcp", word: "expires", at: AT, detail: "d" } as const;
  const run = { plans: [{ ...PLAN, facts: given }] };
  const trial = { profile: { clouds: {} } as Profile, revoke: "auto", run } as const;
  return judgeTrial({ plan: PLAN, tookMs: 100, ending, ...tried }, trial, []).slice(1);
}

describe("what a run would give for the time of a lease", () => {
  const sights: RightsSights = [
    { status: "ok", text: "the policy can be read" },
    { status: "note", text: "somebody has to approve it" },
    { status: "warn", text: "the second application", error: DENIED },
    { status: "fail", text: "the policy, as g", error: DENIED },
  ];

  test("is nothing to speak of where nothing is given", () => {
    expect(judge({}, {})).toEqual([]);
  });

  test("is told of one by one, and what is not tried comes last", () => {
    const refused = { code: "CLOUD_DENIED", message: "gcp: Google refused it", hint: "allow it" };
    expect(judge({ bindings: [BINDING] }, { sights })).toEqual([
      { check: "rights", status: "ok", message: "gcp: the policy can be read", facts: { cloud: "gcp" } },
      { check: "rights", status: "note", message: "gcp: somebody has to approve it", facts: { cloud: "gcp" } },
      {
        ...{ check: "rights", status: "warn", details: ["looked at: the second application"] },
        ...{ ...refused, facts: { role: "r", cloud: "gcp" } },
      },
      {
        ...{ check: "rights", status: "fail", details: ["looked at: the policy, as g"] },
        ...{ ...refused, facts: { role: "r", cloud: "gcp" } },
      },
      {
        check: "rights",
        status: "note",
        message: `gcp: ${BINDING}: giving it, and waiting until it works, is not tried: a run does that before its command starts`,
        facts: { cloud: "gcp" },
      },
    ]);
  });

  test("is not looked at where the exchange fails, which is said", () => {
    expect(judge({ bindings: [BINDING] }, { error: DENIED })).toEqual([
      {
        check: "rights",
        status: "note",
        message: `gcp: that ${BINDING} can be given is not tried, since the exchange fails`,
      },
    ]);
  });
});
