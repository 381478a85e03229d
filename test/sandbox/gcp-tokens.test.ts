import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { defaultWorld, type MintRequest, type Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import {
  CLOUD_PLATFORM,
  callGoogle,
  exchange,
  federate,
  githubProvider,
  impersonate,
  mintForGoogle,
  serviceAccount,
  signIn,
} from "./gcp-clients.js";

let sandbox: Sandbox;
let federated: string;
beforeAll(async () => {
  sandbox = await startSandbox();
  federated = await federate(sandbox);
});
afterEach(() => sandbox.clock.setOffset(0));
afterAll(() => sandbox.close());

type Json = Record<string, unknown>;

function read(body: string): Json {
  return JSON.parse(body) as Json;
}

describe("Google's STS", () => {
  it("gives Google's own library a service account's token", async () => {
    const token = await signIn(sandbox);
    const info = await callGoogle(sandbox, `/tokeninfo?access_token=${token}`);
    expect(read(info.body)).toMatchObject({ email: serviceAccount(sandbox), scope: CLOUD_PLATFORM });
    expect(JSON.stringify(sandbox.requests())).not.toContain(token.slice(0, 40));
  });

  it("takes JSON in camel case, and the audience with https: before it or without", async () => {
    const provider = githubProvider(sandbox);
    for (const audience of [`//iam.googleapis.com/${provider}`, `https://iam.googleapis.com/${provider}`]) {
      const body = JSON.stringify({
        grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
        audience: `//iam.googleapis.com/${provider}`,
        scope: CLOUD_PLATFORM,
        requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
        subjectTokenType: "urn:ietf:params:oauth:token-type:id_token",
        subjectToken: await mintForGoogle(sandbox, { audience }),
      });
      const headers = { "content-type": "application/json" };
      const answer = await callGoogle(sandbox, "/v1/token", undefined, { method: "POST", headers, body });
      expect(read(answer.body)).toMatchObject({ token_type: "Bearer", expires_in: 3599 });
    }
  });

  const tokens: readonly { name: string; mint: MintRequest; error: string; says: string }[] = [
    { name: "for another audience", mint: { audience: "x" }, error: "invalid_grant", says: "ID Token [x] does not" },
    {
      name: "of another issuer",
      mint: { claims: { iss: "https://issuer.example" } },
      error: "invalid_grant",
      says: "issuer in ID Token https://issuer.example does not match",
    },
    { name: "that has expired", mint: { expiresInSeconds: -60 }, error: "invalid_grant", says: "is stale to sign-in" },
    { name: "not valid yet", mint: { claims: { nbf: 4e9 } }, error: "invalid_grant", says: "not valid yet" },
    { name: "for longer than a day", mint: { expiresInSeconds: 86_401 }, error: "invalid_grant", says: "24 hours" },
    { name: "signed by a stranger", mint: { signedBy: "stranger" }, error: "invalid_grant", says: "signature" },
    { name: "without a subject", mint: { claims: { sub: undefined } }, error: "invalid_grant", says: "parse" },
    {
      name: "that the condition rejects",
      mint: { claims: { ref: "refs/heads/other" } },
      error: "unauthorized_client",
      says: "The given credential is rejected by the attribute condition.",
    },
    {
      name: "without a claim that the condition asks for",
      mint: { claims: { repository_owner_id: undefined } },
      error: "unauthorized_client",
      says: "attribute condition",
    },
    {
      name: "with a subject too long",
      mint: { claims: { sub: "x".repeat(128) } },
      error: "invalid_request",
      says: "exceeds the 127 bytes limit",
    },
  ];
  it.each(tokens)("refuses a token $name: $error", async ({ mint, error, says }) => {
    const answer = await exchange(sandbox, { subject_token: await mintForGoogle(sandbox, mint) });
    expect(answer.status).toBe(400);
    expect(read(answer.body)).toEqual({ error, error_description: expect.stringContaining(says) });
  });

  const requests: readonly {
    name: string;
    changes: Record<string, string | undefined>;
    error: string;
    says: string;
  }[] = [
    { name: "another grant", changes: { grant_type: "x" }, error: "invalid_request", says: "grant_type" },
    {
      name: "another token type",
      changes: { requested_token_type: "x" },
      error: "invalid_request",
      says: "requested_token_type",
    },
    { name: "no scope", changes: { scope: undefined }, error: "invalid_scope", says: "scope" },
    { name: "an unknown kind", changes: { subject_token_type: "x" }, error: "invalid_request", says: "subject_token" },
    { name: "no JWT", changes: { subject_token: "x" }, error: "invalid_grant", says: "parse" },
    {
      name: "a provider that is not its full name",
      changes: { audience: "projects/1/providers/x" },
      error: "invalid_request",
      says: "full resource name of the Identity Provider",
    },
    {
      name: "a provider that is not there",
      changes: {
        audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/none/providers/none",
      },
      error: "invalid_target",
      says: "pool or provider is disabled or deleted",
    },
  ];
  it.each(requests)("refuses $name", async ({ changes, error, says }) => {
    const answer = await exchange(sandbox, changes);
    expect(read(answer.body)).toEqual({ error, error_description: expect.stringContaining(says) });
  });

  it("takes only the audiences that a provider lists, where it lists any", async () => {
    const { gcp } = defaultWorld();
    const name = githubProvider(sandbox);
    const provider = gcp.providers[name];
    if (provider === undefined) throw new Error("no provider");
    const own = await startSandbox({
      gcp: { ...gcp, providers: { [name]: { ...provider, allowedAudiences: ["ours"] } } },
    });
    try {
      const ours = await exchange(own, { subject_token: await mintForGoogle(own, { audience: "ours" }) });
      expect(ours.status).toBe(200);
      expect(read((await exchange(own)).body)).toMatchObject({ error: "invalid_grant" });
    } finally {
      await own.close();
    }
  });
});

describe("IAM Credentials", () => {
  it("gives a token for as long as it is asked to, an hour where it is not", async () => {
    const now = Date.now();
    for (const [lifetime, seconds] of [
      ["90s", 90],
      [undefined, 3600],
    ] as const) {
      const answer = await impersonate(sandbox, federated, { scope: [CLOUD_PLATFORM], lifetime });
      const { expireTime } = read(answer.body) as { expireTime: string };
      expect(Math.abs(Date.parse(expireTime) - now - seconds * 1000)).toBeLessThan(10_000);
    }
  });

  interface Row {
    readonly name: string;
    readonly token?: () => string | Promise<string> | undefined;
    readonly body?: unknown;
    readonly email?: string;
    readonly offsetMs?: number;
    readonly want: string;
    readonly reason?: string;
  }
  const scope = [CLOUD_PLATFORM];
  const rows: readonly Row[] = [
    { name: "nobody", token: () => undefined, want: "401 UNAUTHENTICATED", reason: "CREDENTIALS_MISSING" },
    { name: "an unknown token", token: () => "ya29.x", want: "401 UNAUTHENTICATED", reason: "ACCESS_TOKEN_EXPIRED" },
    { name: "an expired token", offsetMs: 3_600_000, want: "401 UNAUTHENTICATED", reason: "ACCESS_TOKEN_EXPIRED" },
    {
      name: "a token of too small a scope",
      token: () => federate(sandbox, { scope: "https://www.googleapis.com/auth/devstorage.read_only" }),
      want: "403 PERMISSION_DENIED",
      reason: "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    },
    {
      name: "a subject that is not bound to the account",
      token: async () => {
        const claims = { repository: "acme/other" };
        return federate(sandbox, { subject_token: await mintForGoogle(sandbox, { claims }) });
      },
      want: "403 PERMISSION_DENIED",
      reason: "IAM_PERMISSION_DENIED",
    },
    { name: "an unknown account", email: "none@x.iam.gserviceaccount.com", want: "404 NOT_FOUND" },
    { name: "no scope", body: {}, want: "400 INVALID_ARGUMENT" },
    { name: "a scope that is none", body: { scope: ["everything"] }, want: "400 INVALID_ARGUMENT" },
    { name: "more than an hour", body: { scope, lifetime: "3601s" }, want: "400 INVALID_ARGUMENT" },
    { name: "no time at all", body: { scope, lifetime: "0s" }, want: "400 INVALID_ARGUMENT" },
    { name: "a lifetime that is none", body: { scope, lifetime: 600 }, want: "400 INVALID_ARGUMENT" },
    { name: "no JSON", body: "scope=x", want: "400 INVALID_ARGUMENT" },
  ];
  it.each(rows)("refuses $name", async ({ token, body, email, offsetMs, want, reason }) => {
    const bearer = token === undefined ? federated : await token();
    sandbox.clock.setOffset(offsetMs ?? 0, "iamcredentials");
    const answer = await impersonate(sandbox, bearer, body ?? { scope }, email);
    const { error } = read(answer.body) as { error: { code: number; status: string; details?: Json[] } };
    expect(`${error.code} ${error.status}`).toBe(want);
    expect(answer.status).toBe(error.code);
    expect(error.details?.[0]?.["reason"]).toBe(reason);
  });
});
