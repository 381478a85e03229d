import { describe, expect, test } from "vitest";
import type { Ending, Facts, GrantPlan } from "../../src/core/lease.js";
import type { Profile } from "../../src/core/profile.js";
import { judgeTrial } from "../../src/doctor/judge-trial.js";

const AT = "2026-01-31T09:01:00Z";
const GRANTER = "granter@my-project.iam.gserviceaccount.com";
const BINDINGS: Facts = {
  granter: GRANTER,
  bindings: ["roles/browser on //cloudresourcemanager.googleapis.com/projects/p"],
};
const STEP = { at: AT, text: "read the policy of //cloudresourcemanager.googleapis.com/projects/p" };

function judge(facts: Facts, ending: Omit<Ending, "cloud" | "at" | "detail">) {
  const plan = { cloud: "gcp", principal: "p", facts } as unknown as GrantPlan;
  const trial = { profile: { clouds: {} } as Profile, revoke: "auto" } as const;
  return judgeTrial({ plan, tookMs: 100, ending: { cloud: "gcp", at: AT, detail: "d", ...ending } }, trial, []).slice(
    1,
  );
}

describe("what is given for the time of a lease", () => {
  test("is nothing to speak of where nothing is", () => {
    expect(judge({}, { word: "expires" })).toEqual([]);
  });

  test("is said not to be tried, and its granter to be of use", () => {
    expect(judge(BINDINGS, { word: "removed", steps: [STEP] })).toEqual([
      {
        status: "ok",
        message: expect.stringMatching(/^gcp: granter granter@.* can be used; that roles\/browser on .* is not tried/),
        details: [STEP.text],
        facts: { cloud: "gcp" },
      },
    ]);
  });

  test.each([
    { name: "a granter", facts: BINDINGS, whose: `granter ${GRANTER}` },
    {
      name: "the principal",
      facts: { entitlement: "projects/p/locations/global/entitlements/e" },
      whose: "its own principal",
    },
    {
      name: "an application",
      facts: { granter: "id", assignments: ["Reader on /subscriptions/s"] },
      whose: "granter id",
    },
  ])("does not say of $name that nobody asked for anything that it can be used", ({ facts, whose }) => {
    const [finding] = judge(facts as Facts, { word: "expires" });
    expect(finding).toMatchObject({ status: "note", message: expect.stringContaining(`gcp: ${whose} is not tried`) });
  });

  test("cannot be given by a granter that is refused", () => {
    expect(judge(BINDINGS, { word: "failed", shortfall: "Google refused it" })).toMatchObject([
      {
        status: "fail",
        code: "NOT_TAKEN_BACK",
        message: expect.stringMatching(
          /^gcp: granter granter@.* could not look where roles\/browser .*: Google refused it$/,
        ),
        hint: expect.stringContaining("agentctl setup gcp"),
      },
    ]);
  });
});
