import { describe, expect, it } from "vitest";
import { gcpCloud } from "../../../src/clouds/gcp/index.js";
import { planGcpGrant } from "../../../src/clouds/gcp/plan.js";
import type { GcpSettings } from "../../../src/core/profile.js";
import { fakeRuntime } from "../../fake-runtime.js";
import { thrownBy } from "../../thrown.js";
import { grantTerms } from "../exchange/identity.js";
import { ACCOUNT, BUCKET_RULE, CLOUD_PLATFORM, federatedSettings, gcpSettings, PROVIDER } from "./fake-google.js";

function plan(settings: GcpSettings, env: Record<string, string> = {}, ttlSeconds = 900) {
  return planGcpGrant(settings, grantTerms(ttlSeconds, 0), fakeRuntime({ env }));
}

describe("planGcpGrant", () => {
  it("says who would be what, how, how narrowly, and how it would end", () => {
    const settings = gcpSettings({ projectId: "my-project", accessBoundary: [BUCKET_RULE] });
    expect(plan(settings)).toEqual({
      cloud: "gcp",
      channel: "env",
      principal: ACCOUNT,
      audiences: [`https://iam.googleapis.com/${PROVIDER}`],
      steps: [
        `trade the OIDC token (aud https://iam.googleapis.com/${PROVIDER}) for a federated one of ${PROVIDER} at sts.googleapis.com`,
        `then impersonate ${ACCOUNT} at iamcredentials.googleapis.com, for what is left of 15m`,
        "then trade that for one within the access boundary at sts.googleapis.com",
      ],
      narrowing: [
        `only inRole:roles/storage.objectViewer on ${BUCKET_RULE.availableResource} when ${BUCKET_RULE.availabilityCondition.expression}`,
        `scopes ${CLOUD_PLATFORM}`,
      ],
      variables: [
        "CLOUDSDK_AUTH_ACCESS_TOKEN",
        "GOOGLE_OAUTH_ACCESS_TOKEN",
        "CLOUDSDK_CORE_PROJECT",
        "GOOGLE_CLOUD_PROJECT",
        "GCLOUD_PROJECT",
        "GOOGLE_PROJECT",
      ],
      ending: { word: "expires", detail: expect.stringMatching(/asked for until the deadline/) },
      facts: { lifetimeSeconds: 900, scopes: [CLOUD_PLATFORM], boundaryRules: 1 },
      undo: {},
      endpoints: [],
    });
  });

  it("without a service account has one step, no lifetime, and the audience of the profile", () => {
    const settings = federatedSettings({ audiences: ["gcp-ci", "my-client"] });
    const { steps, principal, audiences, facts, ending, variables } = plan(settings);
    expect(steps).toHaveLength(1);
    expect(principal).toBe(`federated identity of ${PROVIDER}`);
    expect(audiences).toEqual(["gcp-ci", "my-client"]);
    expect(steps[0]).toContain("(aud gcp-ci or my-client)");
    expect(facts).toEqual({ scopes: [CLOUD_PLATFORM], boundaryRules: 0 });
    expect(ending.detail).toMatch(/ends when Google says/);
    expect(variables).toEqual(["CLOUDSDK_AUTH_ACCESS_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN"]);
  });

  it.each([
    { name: "a service account's", settings: gcpSettings(), want: /each is asked for 15m at a time, and never beyond/ },
    { name: "a federated", settings: federatedSettings(), want: /ends when Google says/ },
  ])("says for the endpoint how long $name token is good for", ({ settings, want }) => {
    const { channel, ending, variables } = planGcpGrant(settings, grantTerms(900, 0, "endpoint"), fakeRuntime());
    expect({ channel, variables }).toEqual({ channel: "endpoint", variables: [] });
    expect(ending.detail).toMatch(want);
  });

  it("is what the room plans with", () => {
    expect(gcpCloud.plan(gcpSettings(), grantTerms(900, 0), fakeRuntime())).toEqual(plan(gcpSettings()));
  });

  it("refuses a ttl that no service account's token can have", async () => {
    expect(await thrownBy(() => plan(gcpSettings(), {}, 43_201))).toMatchObject({ code: "CONFIG_INVALID" });
    expect(plan(federatedSettings(), {}, 43_201).cloud).toBe("gcp");
  });
});

describe("endpoint overrides", () => {
  const STS = "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS";
  const IAM = "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS";

  it("are on record where they are used", () => {
    const env = { [STS]: "https://sts.example", [IAM]: "http://127.0.0.1:8080/iam/" };
    const sts = { variable: STS, url: "https://sts.example/" };
    expect(plan(gcpSettings(), env).endpoints).toEqual([sts, { variable: IAM, url: "http://127.0.0.1:8080/iam/" }]);
    expect(plan(federatedSettings(), env).endpoints).toEqual([sts]);
  });

  it("to Google's own place are none", () => {
    expect(plan(gcpSettings(), { [STS]: "https://sts.googleapis.com", [IAM]: "" }).endpoints).toEqual([]);
  });

  it.each([
    { name: "http off loopback", value: "http://sts.example/" },
    { name: "no URL", value: "sts.example" },
    { name: "another scheme", value: "ftp://127.0.0.1/" },
    { name: "a password in it", value: "https://user:pass-canary@sts.example/" },
    { name: "a query", value: "https://sts.example/?key=canary" },
  ])("are refused with $name", async ({ value }) => {
    for (const variable of [STS, IAM]) {
      const error = await thrownBy(() => plan(gcpSettings(), { [variable]: value }));
      expect(error).toMatchObject({ code: "ENDPOINT_INVALID", exitCode: 78 });
      expect(`${error.message}${error.hint}`).not.toContain("canary");
    }
  });
});
