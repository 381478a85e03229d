import { describe, expect, it } from "vitest";
import type { AzureSettings, CloudSettings, GcpSettings, Profile, ReadySettings } from "../../src/core/profile.js";
import type { RunRequest } from "../../src/core/run-request.js";
import { setTerms } from "../../src/lease/index.js";
import { fakeRuntime } from "../fake-runtime.js";

const REQUEST: RunRequest = { argv: ["true"], passEnv: [] };
const ready: ReadySettings = { permissions: ["p"], timeoutSeconds: 60 };
const gcp = (rights: Partial<GcpSettings>): CloudSettings => ({
  gcp: { bindings: [], ...rights } as unknown as GcpSettings,
});
const azure = (rights: Partial<AzureSettings>): CloudSettings => ({
  azure: { assignments: [], ...rights } as unknown as AzureSettings,
});
const assignments = [{ role: "Reader", scope: "/subscriptions/s" }];
const bindings = [{ role: "roles/viewer", resource: "projects/p" }];

describe("how long rights may be waited for", () => {
  it.each([
    { name: "nothing", clouds: {}, want: 0 },
    { name: "bindings that nothing waits for", clouds: gcp({ bindings }), want: 0 },
    { name: "bindings that are tried", clouds: gcp({ bindings, ready }), want: 60 },
    { name: "an entitlement", clouds: gcp({ entitlement: "e" }), want: 300 },
    { name: "an entitlement that is tried", clouds: gcp({ entitlement: "e", ready }), want: 60 },
    { name: "an application without assignments", clouds: azure({}), want: 0 },
    { name: "assignments that others may have", clouds: azure({ assignments }), want: 300 },
    { name: "assignments that others may have, and are tried then", clouds: azure({ assignments, ready }), want: 120 },
    {
      name: "the longer of two",
      clouds: { ...azure({ assignments }), ...gcp({ entitlement: "e", ready }) },
      want: 300,
    },
  ])("is, for $name, $want seconds", ({ clouds, want }) => {
    const profile = { name: "p", ttlSeconds: 900, deliver: "auto", clouds } as unknown as Profile;
    const terms = setTerms(profile, REQUEST, fakeRuntime());
    expect(terms.latestDeadlineAt - terms.deadlineAt).toBe(want * 1000);
  });
});
