import { describe, expect, it } from "vitest";
import { endGcpGrant } from "../../../src/clouds/gcp/ending.js";
import { formatInstant } from "../../../src/core/durations.js";
import { AgentctlError } from "../../../src/core/errors.js";
import type { Secret } from "../../../src/core/secret.js";
import { fakeRuntime } from "../../fake-runtime.js";
import { endOrder } from "../end-order.js";
import { answers, answersJson, cutsConnection } from "../exchange/fake-service.js";
import { failureOf, idToken, SUBJECT, TOKEN } from "../exchange/identity.js";
import {
  ACCOUNT,
  against,
  BUCKET_RULE,
  CLOUD_PLATFORM,
  FEDERATED,
  federatedSettings,
  federates,
  gcpSettings,
  IMPERSONATED,
  impersonates,
  NARROWED,
  PROVIDER,
  STORAGE_READ,
} from "./fake-google.js";

const reveal = (value: unknown) => (value as Secret).reveal();

describe("a grant of a service account", () => {
  it("is the OIDC token's, by way of a federated token, for what is left of the lease", async () => {
    const audiences: string[] = [];
    const { issue, google, runtime } = await against({
      ttlSeconds: 900,
      settings: gcpSettings({ scopes: [STORAGE_READ], projectId: "my-project" }),
      mintToken: async ([audience = "", ...others]) => {
        audiences.push(audience, ...others);
        return idToken(audience);
      },
    });
    const before = runtime.now();
    const grant = await issue();

    expect(audiences).toEqual([`https://iam.googleapis.com/${PROVIDER}`]);
    const [sts, iam] = google.asked;
    expect(google.asked).toHaveLength(2);
    expect(Object.fromEntries(sts?.form ?? [])).toEqual({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      audience: `//iam.googleapis.com/${PROVIDER}`,
      scope: CLOUD_PLATFORM,
      requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
      subject_token: TOKEN,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    });
    expect(sts?.headers["content-type"]).toMatch(/^application\/x-www-form-urlencoded/);
    expect(iam?.path).toBe(`/v1/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken`);
    expect(iam?.headers.authorization).toBe(`Bearer ${FEDERATED}`);
    const asked = JSON.parse(iam?.body ?? "{}") as { scope: string[]; lifetime: string };
    expect(asked.scope).toEqual([STORAGE_READ]);
    expect(Number.parseInt(asked.lifetime, 10)).toBeGreaterThan(890);
    expect(Number.parseInt(asked.lifetime, 10)).toBeLessThanOrEqual(900);

    expect(grant).toMatchObject({ cloud: "gcp", principal: ACCOUNT, usableUntil: grant.expiresAt });
    expect(grant.expiresAt).toBeLessThanOrEqual(before + 900_000);
    expect(reveal(grant.variables["CLOUDSDK_AUTH_ACCESS_TOKEN"])).toBe(IMPERSONATED);
    expect(reveal(grant.variables["GOOGLE_OAUTH_ACCESS_TOKEN"])).toBe(IMPERSONATED);
    for (const name of ["CLOUDSDK_CORE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "GOOGLE_PROJECT"]) {
      expect(grant.variables[name]).toBe("my-project");
    }
    expect(grant.facts).toMatchObject({
      provider: PROVIDER,
      subject: SUBJECT,
      token: "impersonated",
      boundaryRules: 0,
    });
    expect(JSON.stringify(grant)).not.toContain("canary");
  });

  it("has its end by this machine's clock when Google's is another", async () => {
    const { issue, runtime } = await against({ iam: [impersonates(600_000)], ttlSeconds: 900 });
    const before = runtime.now();
    const { expiresAt } = await issue();
    expect(expiresAt - before).toBeGreaterThan(880_000);
    expect(expiresAt - before).toBeLessThanOrEqual(901_000);
  });

  it("asks for the profile's own audiences when it has some", async () => {
    const audiences: string[] = [];
    const { issue } = await against({
      settings: gcpSettings({ audiences: ["gcp-ci", "second"] }),
      mintToken: async (asked) => {
        audiences.push(...asked);
        return idToken("gcp-ci");
      },
    });
    await issue();
    expect(audiences).toEqual(["gcp-ci", "second"]);
  });
});

describe("a grant without a service account", () => {
  it("is the federated token, with the profile's scopes and Google's own expiry", async () => {
    const { issue, google, runtime } = await against({
      settings: federatedSettings({ scopes: [STORAGE_READ, CLOUD_PLATFORM] }),
      sts: [federates({ expires_in: 1_800 })],
      ttlSeconds: 900,
    });
    const before = runtime.now();
    const grant = await issue();
    expect(google.asked).toHaveLength(1);
    expect(google.asked[0]?.form.get("scope")).toBe(`${STORAGE_READ} ${CLOUD_PLATFORM}`);
    expect(reveal(grant.variables["CLOUDSDK_AUTH_ACCESS_TOKEN"])).toBe(FEDERATED);
    expect(grant.variables).not.toHaveProperty("GOOGLE_CLOUD_PROJECT");
    expect(grant.principal).toBe(`federated identity of ${PROVIDER}`);
    expect(grant.expiresAt - before).toBeGreaterThanOrEqual(1_800_000);
    expect(grant.expiresAt - before).toBeLessThan(1_805_000);
    expect(grant.facts).toMatchObject({ token: "federated", lifetimeSeconds: 1_800 });
    expect(grant.facts).not.toHaveProperty("notice");
  });

  it("says when the token ends before the lease", async () => {
    const { issue } = await against({ settings: federatedSettings(), sts: [federates({ expires_in: 600 })] });
    const { facts, expiresAt } = await issue();
    expect(facts["notice"]).toMatch(new RegExp(`^Google Cloud: the token ends at ${formatInstant(expiresAt)}, before`));
  });
});

describe("a grant for the endpoint", () => {
  it("carries its token beside the variables, which only say where it is for", async () => {
    const { issue } = await against({ channel: "endpoint", settings: gcpSettings({ projectId: "my-project" }) });
    const grant = await issue();
    expect(Object.keys(grant.variables).sort()).toEqual([
      "CLOUDSDK_CORE_PROJECT",
      "GCLOUD_PROJECT",
      "GOOGLE_CLOUD_PROJECT",
      "GOOGLE_PROJECT",
    ]);
    expect(Object.keys(grant.secrets)).toEqual(["token"]);
    expect(reveal(grant.secrets["token"]?.value)).toBe(IMPERSONATED);
    expect(grant.secrets["token"]?.usableUntil).toBe(grant.usableUntil);
    expect(JSON.stringify(grant)).not.toContain("canary");
  });

  it("ends before the lease without a word, since it is renewed", async () => {
    const sts = [federates({ expires_in: 600 })];
    const { issue } = await against({ channel: "endpoint", settings: federatedSettings(), sts });
    expect((await issue()).facts).not.toHaveProperty("notice");
  });
});

describe("an access boundary", () => {
  it.each([
    { name: "a service account's", settings: gcpSettings({ accessBoundary: [BUCKET_RULE] }), from: IMPERSONATED },
    { name: "a federated", settings: federatedSettings({ accessBoundary: [BUCKET_RULE] }), from: FEDERATED },
  ])("is put around $name token, and the child gets no other", async ({ settings, from }) => {
    const { issue, google } = await against({ settings });
    const grant = await issue();
    const last = google.asked.at(-1);
    expect(Object.fromEntries(last?.form ?? [])).toEqual({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
      subject_token: from,
      subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
      options: JSON.stringify({ accessBoundary: { accessBoundaryRules: [BUCKET_RULE] } }),
    });
    expect(reveal(grant.variables["CLOUDSDK_AUTH_ACCESS_TOKEN"])).toBe(NARROWED);
    expect(reveal(grant.variables["GOOGLE_OAUTH_ACCESS_TOKEN"])).toBe(NARROWED);
    expect(grant.facts).toMatchObject({ boundaryRules: 1 });
  });

  it("ends with the token within it, or earlier when Google says so", async () => {
    const settings = gcpSettings({ accessBoundary: [BUCKET_RULE] });
    const same = await (await against({ settings, ttlSeconds: 900 })).issue();
    expect(same.expiresAt - same.issuedAt).toBeGreaterThan(890_000);
    const boundary = [federates({ access_token: NARROWED, expires_in: 300 })];
    const earlier = await (await against({ settings, boundary, ttlSeconds: 900 })).issue();
    expect(Math.round((earlier.expiresAt - earlier.issuedAt) / 1000)).toBeCloseTo(300, -1);
  });
});

describe("a failure that may pass", () => {
  it("is tried again at the step that it was at, and a Retry-After is honoured", async () => {
    let minted = 0;
    const busy = answersJson(
      429,
      { error: { code: 429, status: "RESOURCE_EXHAUSTED", message: "Quota." } },
      { "retry-after": "1" },
    );
    const { issue, google, pauses } = await against({
      sts: [cutsConnection, answers(503, "<h1>busy</h1>"), federates()],
      iam: [
        busy,
        answersJson(400, { error: { code: 400, status: "UNAVAILABLE", message: "Try again." } }),
        impersonates(),
      ],
      mintToken: async ([audience = ""]) => {
        minted += 1;
        return idToken(audience);
      },
    });
    await issue();
    expect(google.asked.map(({ path }) => path.split(/[/:]/).at(-1))).toEqual([
      ...["token", "token", "token"],
      ...["generateAccessToken", "generateAccessToken", "generateAccessToken"],
    ]);
    expect(minted).toBe(3);
    expect(pauses).toEqual([100, 200, 1_000, 200]);
  });

  it("asks for less of a lifetime when time has passed meanwhile", async () => {
    let now = Date.now();
    const { issue, google } = await against({
      ttlSeconds: 900,
      iam: [answers(503, ""), impersonates()],
      runtime: {
        now: () => now,
        sleep: async () => {
          now += 60_000;
        },
      },
    });
    await issue();
    const lifetimes = google.asked.slice(1).map(({ body }) => (JSON.parse(body) as { lifetime: string }).lifetime);
    expect(lifetimes).toEqual(["900s", "840s"]);
  });

  it("is given up after the last try", async () => {
    const { issue, google } = await against({ sts: [answers(500, "oops")] });
    expect(await failureOf(issue())).toMatchObject({ code: "SERVICE_FAILED", exitCode: 69 });
    expect(google.asked).toHaveLength(4);
  });
});

describe("an interruption", () => {
  it.each(["sts", "iam"] as const)("ends an exchange with %s that is under way", async (service) => {
    const controller = new AbortController();
    const interrupt = () => controller.abort(new AgentctlError("INTERRUPTED", "SIGINT", { exitCode: 130 }));
    const { issue } = await against({ [service]: [interrupt], signal: controller.signal });
    expect(await failureOf(issue())).toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
  });
});

it("a token that cannot be minted is told as it is", async () => {
  const lost = new AgentctlError("TOKEN_EXPIRED", "the token has expired");
  const { issue, google } = await against({ mintToken: () => Promise.reject(lost) });
  expect(await failureOf(issue())).toBe(lost);
  expect(google.asked).toHaveLength(0);
});

describe("endGcpGrant", () => {
  const at = Date.parse("2026-11-22T13:00:00Z");
  const grant = {
    cloud: "gcp",
    channel: "env",
    secrets: {},
    principal: "p",
    issuedAt: 0,
    usableUntil: at,
    expiresAt: at,
    variables: {},
    facts: {},
  } as const;

  it.each([
    { name: "before the token's end", now: "2026-11-22T12:10:00Z", want: /cannot take the token back.* can be used/ },
    { name: "after the token's end", now: "2026-11-22T13:00:01Z", want: /ended the token by itself/ },
  ])("says $name what is true", ({ now, want }) => {
    const ending = endGcpGrant(endOrder(grant), fakeRuntime({ now: () => Date.parse(now) }));
    expect(ending).toMatchObject({ cloud: "gcp", word: "expires", at: "2026-11-22T13:00:00Z" });
    expect(ending.detail).toMatch(want);
  });

  it("does not call handed out what nobody knows to have been issued", () => {
    const order = { ...endOrder(grant), isIssued: false };
    expect(endGcpGrant(order, fakeRuntime({ now: () => 0 })).detail).toContain("handed to nobody");
  });
});
