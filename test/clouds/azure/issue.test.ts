import { describe, expect, it } from "vitest";
import { endAzureGrant } from "../../../src/clouds/azure/ending.js";
import { formatInstant } from "../../../src/core/durations.js";
import { AgentctlError } from "../../../src/core/errors.js";
import type { Secret } from "../../../src/core/secret.js";
import { fakeRuntime } from "../../fake-runtime.js";
import { endOrder } from "../end-order.js";
import { answers, answersJson, cutsConnection } from "../exchange/fake-service.js";
import { failureOf, idToken, TOKEN } from "../exchange/identity.js";
import { ARM_SCOPE, AUTHORITY, against, CLIENT, grants, refuses, TENANT, VAULT_SCOPE } from "./fake-entra.js";

const BOTH = { scopes: [ARM_SCOPE, VAULT_SCOPE] };

describe("a grant", () => {
  it("is asked for with the token of the profile's audience, and carries the token to the child", async () => {
    const audiences: string[] = [];
    const { issue, tokensAsked, runtime } = await against([grants(3_599)], {
      settings: { audiences: ["api://own"] },
      mintToken: async (asked) => {
        audiences.push(...asked);
        return idToken("api://own");
      },
    });
    const before = runtime.now();
    const grant = await issue();

    expect(audiences).toEqual(["api://own"]);
    const [asked] = tokensAsked();
    expect(asked?.path).toMatch(new RegExp(`^/${TENANT}/oauth2/v2\\.0/token\\?client-request-id=`));
    expect(Object.fromEntries(asked?.form ?? [])).toMatchObject({
      grant_type: "client_credentials",
      client_id: CLIENT,
      scope: ARM_SCOPE,
      client_assertion: TOKEN,
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    });
    expect(asked?.headers["content-type"]).toMatch(/^application\/x-www-form-urlencoded/);
    expect(asked?.form.has("claims")).toBe(false);
    expect((grant.variables["AZURE_ACCESS_TOKEN"] as Secret).reveal()).toMatch(/^access-canary/);
    expect(grant).toMatchObject({ cloud: "azure", principal: `application ${CLIENT} in tenant ${TENANT}` });
    expect(grant.expiresAt - before).toBeGreaterThan(3_595_000);
    expect(grant.expiresAt - before).toBeLessThanOrEqual(3_600_000);
    expect(grant.usableUntil).toBe(grant.expiresAt);
    expect(grant.facts).toEqual({
      tenant: TENANT,
      client: CLIENT,
      authority: AUTHORITY,
      tokens: [`${ARM_SCOPE} until ${formatInstant(grant.expiresAt)}`],
    });
  });

  it("has a token for each scope; the first to end is what tools are told, the last what the ending says", async () => {
    const { issue, tokensAsked } = await against(
      [({ form }, response) => grants(form.get("scope") === ARM_SCOPE ? 1_800 : 5_400)({ form } as never, response)],
      { settings: BOTH },
    );
    const grant = await issue();
    expect(tokensAsked().map(({ form }) => form.get("scope"))).toEqual(expect.arrayContaining([...BOTH.scopes]));
    expect((grant.variables["AZURE_ACCESS_TOKEN"] as Secret).reveal()).toContain("management");
    expect((grant.variables["AZURE_ACCESS_TOKEN_VAULT_AZURE_NET"] as Secret).reveal()).toContain("vault");
    expect(Math.round((grant.expiresAt - grant.usableUntil) / 1000)).toBeCloseTo(3_600, -1);
    expect(endAzureGrant(endOrder(grant), fakeRuntime()).at).toBe(formatInstant(grant.expiresAt));
  });

  it("says when the token ends before the lease", async () => {
    const { issue } = await against([grants(600)], { ttlSeconds: 1_800 });
    const { facts, usableUntil } = await issue();
    expect(facts["notice"]).toMatch(new RegExp(`^Azure: the token ends at ${formatInstant(usableUntil)}, before`));
  });

  it("prints no token, however it is printed", async () => {
    const { issue } = await against([grants()]);
    expect(JSON.stringify(await issue())).not.toContain("canary");
  });

  it.each(["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"])(
    "is had from %s in one exchange, without asking for discovery",
    async (host) => {
      const { issue, entra } = await against([grants()], { env: { AZURE_AUTHORITY_HOST: `https://${host}/` } });
      await issue();
      expect(entra.asked.map(({ method }) => method)).toEqual(["POST"]);
    },
  );
});

describe("a failure that may pass", () => {
  it("is tried again with a new token, and a Retry-After is honoured", async () => {
    const busy = answersJson(429, { error: "invalid_request" }, { "retry-after": "1" });
    const unwell = refuses(503, 90033, "A transient error has occurred.", "temporarily_unavailable");
    let minted = 0;
    const { issue, tokensAsked, pauses } = await against([busy, unwell, cutsConnection, grants()], {
      mintToken: async ([audience = ""]) => {
        minted += 1;
        return idToken(audience);
      },
    });
    await issue();
    expect(tokensAsked()).toHaveLength(4);
    expect(minted).toBe(4);
    expect(pauses).toEqual([1_000, 200, 400]);
  });

  it("with a transient AADSTS code in an answer of status 400 counts as one", async () => {
    const { issue, tokensAsked } = await against([refuses(400, 90024, "Budget exceeded."), grants()]);
    await issue();
    expect(tokensAsked()).toHaveLength(2);
  });

  it("in the discovery of a custom authority is tried again", async () => {
    let count = 0;
    const flaky = (asked: never, response: Parameters<typeof cutsConnection>[1]) => {
      count += 1;
      if (count === 1) return cutsConnection(asked, response);
      return answersJson(200, {
        issuer: `${AUTHORITY}/${TENANT}/v2.0`,
        authorization_endpoint: `${AUTHORITY}/a`,
        token_endpoint: `${AUTHORITY}/${TENANT}/oauth2/v2.0/token`,
        jwks_uri: `${AUTHORITY}/k`,
      })(asked, response);
    };
    const { issue } = await against([grants()], { discovery: flaky as typeof cutsConnection });
    await expect(issue()).resolves.toMatchObject({ cloud: "azure" });
  });

  it("is given up after the last try", async () => {
    const { issue, tokensAsked } = await against([answers(502, "<h1>Bad gateway</h1>")]);
    expect(await failureOf(issue())).toMatchObject({ code: "SERVICE_FAILED", exitCode: 69 });
    expect(tokensAsked()).toHaveLength(4);
  });
});

describe("an interruption", () => {
  it("ends an exchange that is under way", async () => {
    const controller = new AbortController();
    const { issue } = await against(
      [() => controller.abort(new AgentctlError("INTERRUPTED", "SIGINT", { exitCode: 130 }))],
      {
        signal: controller.signal,
      },
    );
    expect(await failureOf(issue())).toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
  });

  it("ends a pause between tries", async () => {
    const controller = new AbortController();
    const { issue, tokensAsked } = await against([answers(503, "")], {
      signal: controller.signal,
      runtime: {
        sleep: () => {
          controller.abort();
          return new Promise(() => {});
        },
      },
    });
    expect(await failureOf(issue())).toMatchObject({ code: "INTERRUPTED" });
    expect(tokensAsked()).toHaveLength(1);
  });
});

describe("all or nothing", () => {
  it("a refusal of one scope is the refusal of the grant, and stops what is asked for another", async () => {
    const refusal = refuses(
      400,
      500011,
      `The resource principal named https://vault.azure.net was not found in the tenant.`,
    );
    let sleeping = 0;
    const { issue } = await against(
      [
        (asked, response) =>
          asked.form.get("scope") === VAULT_SCOPE
            ? setTimeout(() => refusal(asked, response), 20)
            : answers(503, "")(asked, response),
      ],
      {
        settings: BOTH,
        runtime: {
          sleep: () => {
            sleeping += 1;
            return new Promise(() => {});
          },
        },
      },
    );
    expect(await failureOf(issue())).toMatchObject({ code: "CLOUD_DENIED" });
    expect(sleeping).toBe(1);
  });

  it("a token that cannot be minted is told as it is", async () => {
    const lost = new AgentctlError("TOKEN_EXPIRED", "the token has expired");
    const { issue, entra } = await against([grants()], { mintToken: () => Promise.reject(lost) });
    expect(await failureOf(issue())).toBe(lost);
    expect(entra.asked).toHaveLength(0);
  });
});

describe("endAzureGrant", () => {
  const grant = {
    cloud: "azure",
    channel: "env",
    secrets: {},
    principal: "p",
    issuedAt: 0,
    usableUntil: Date.parse("2026-11-22T13:00:00Z"),
    expiresAt: Date.parse("2026-11-22T13:30:00Z"),
    variables: {},
    facts: {},
  } as const;

  it.each([
    { name: "before the token's end", now: "2026-11-22T13:10:00Z", want: /cannot take a token back.* can be used/ },
    { name: "after the token's end", now: "2026-11-22T13:31:00Z", want: /ended the token by itself/ },
  ])("says $name what is true", ({ now, want }) => {
    const ending = endAzureGrant(endOrder(grant), fakeRuntime({ now: () => Date.parse(now) }));
    expect(ending).toMatchObject({ cloud: "azure", word: "expires", at: "2026-11-22T13:30:00Z" });
    expect(ending.detail).toMatch(want);
  });

  it("does not call handed out what nobody knows to have been issued", () => {
    const order = { ...endOrder(grant), isIssued: false };
    expect(endAzureGrant(order, fakeRuntime({ now: () => 0 })).detail).toContain("handed to nobody");
  });
});
