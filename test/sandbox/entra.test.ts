import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { defaultWorld, type Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { AZURE_AUDIENCE, askEntra, CLIENT_ID, MANAGEMENT, type SignIn, signIn } from "./azure-clients.js";
import { send } from "./clients.js";

const BARE_CLIENT = "00001111-aaaa-2222-bbbb-3333cccc5555";

let sandbox: Sandbox;
beforeAll(async () => {
  const { azure } = defaultWorld();
  sandbox = await startSandbox({
    azure: { ...azure, apps: { ...azure.apps, [BARE_CLIENT]: { federatedCredentials: [], roles: [] } } },
  });
});
afterEach(() => sandbox.clock.setOffset(0));
afterAll(() => sandbox.close());

function readError(body: string): Record<string, unknown> {
  return JSON.parse(body) as Record<string, unknown>;
}

describe("Entra's token", () => {
  it("is given to Azure's own library, for the resource asked for, signed by a published key", async () => {
    const token = await signIn(sandbox, { scope: MANAGEMENT });
    const { tenantId } = sandbox.world.azure;
    const keys = await send(sandbox, new URL(`/${tenantId}/discovery/v2.0/keys`, sandbox.env["AZURE_AUTHORITY_HOST"]));
    const { payload } = await jwtVerify(token, createLocalJWKSet(JSON.parse(keys.body) as JSONWebKeySet));
    expect(payload).toMatchObject({
      aud: "https://management.azure.com",
      iss: `https://sts.windows.net/${tenantId}/`,
      tid: tenantId,
      appid: CLIENT_ID,
      oid: payload.sub,
      idtyp: "app",
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3599);
  });

  it("is given to a tenant named by its domain, and says how long it lasts", async () => {
    const answer = await askEntra(sandbox, {}, sandbox.world.azure.domain.toUpperCase());
    expect(answer.status).toBe(200);
    expect(readError(answer.body)).toMatchObject({ token_type: "Bearer", expires_in: 3599 });
  });

  it("is on the log with the subject and what was asked for, without the assertion or the token", async () => {
    const assertion = await sandbox.mintToken({ audience: AZURE_AUDIENCE });
    const answer = await askEntra(sandbox, { client_assertion: assertion });
    const token = String(readError(answer.body)["access_token"]);
    expect(sandbox.requests().at(-1)).toMatchObject({
      service: "entra",
      operation: "token",
      status: 200,
      principal: "repo:acme/site:ref:refs/heads/main",
      parameters: { client_id: CLIENT_ID, scope: "https://storage.azure.com/.default" },
    });
    const log = JSON.stringify(sandbox.requests());
    for (const secret of [assertion, token]) expect(log).not.toContain(secret.slice(0, 60));
  });
});

describe("an assertion that Entra refuses", () => {
  const rows: readonly { name: string; ask: SignIn; code: number; says: string }[] = [
    {
      name: "of another subject",
      ask: { mint: { claims: { sub: "repo:acme/evil:ref:refs/heads/main" } } },
      code: 700213,
      says: "presented assertion subject 'repo:acme/evil:ref:refs/heads/main'",
    },
    {
      name: "of the subject in other letters",
      ask: { mint: { claims: { sub: "repo:Acme/site:ref:refs/heads/main" } } },
      code: 7002138,
      says: "matches with case-insensitive comparison",
    },
    { name: "for another audience", ask: { mint: { audience: "sts.amazonaws.com" } }, code: 700212, says: "audience" },
    {
      name: "of another issuer",
      ask: { mint: { claims: { iss: "https://issuer.example" } } },
      code: 700211,
      says: "issuer 'https://issuer.example'",
    },
    {
      name: "that claims to be GitHub's own",
      ask: { mint: { claims: { iss: "https://token.actions.githubusercontent.com" } } },
      code: 700211,
      says: "issuer",
    },
    { name: "that has expired", ask: { mint: { expiresInSeconds: -60 } }, code: 700024, says: "valid time range" },
    { name: "not valid yet", ask: { mint: { claims: { nbf: 4e9 } } }, code: 700024, says: "assertion valid from 2096" },
    { name: "signed by a stranger", ask: { mint: { signedBy: "stranger" } }, code: 50013, says: "signature" },
    { name: "for an application without credentials", ask: { clientId: BARE_CLIENT }, code: 70025, says: "federated" },
    { name: "for an unknown application", ask: { clientId: crypto.randomUUID() }, code: 700016, says: "not found" },
    {
      name: "for an unknown resource",
      ask: { scope: "https://nothing.example/.default" },
      code: 500011,
      says: "resource principal named https://nothing.example",
    },
  ];
  it.each(rows)("$name: AADSTS$code", async ({ ask, code, says }) => {
    const error = await signIn(sandbox, ask).then(
      () => "no refusal",
      (thrown: Error) => thrown.message,
    );
    expect(error).toContain(`AADSTS${code}:`);
    expect(error).toContain(says);
  });

  it("by Entra's own clock", async () => {
    const assertion = await sandbox.mintToken({ audience: AZURE_AUDIENCE });
    sandbox.clock.setOffset(3_600_000, "entra");
    const answer = await askEntra(sandbox, { client_assertion: assertion });
    expect(readError(answer.body)).toMatchObject({ error: "invalid_client", error_codes: [700024] });
  });
});

describe("a request that Entra refuses", () => {
  interface Row {
    readonly name: string;
    readonly changes: Readonly<Record<string, string | undefined>>;
    readonly status: number;
    readonly error: string;
    readonly code: number;
  }
  const rows: readonly Row[] = [
    { name: "no grant type", changes: { grant_type: undefined }, status: 400, error: "invalid_request", code: 900144 },
    { name: "no client", changes: { client_id: undefined }, status: 400, error: "invalid_request", code: 900144 },
    { name: "no scope", changes: { scope: undefined }, status: 400, error: "invalid_request", code: 900144 },
    {
      name: "another grant",
      changes: { grant_type: "password" },
      status: 400,
      error: "unsupported_grant_type",
      code: 70003,
    },
    {
      name: "no assertion",
      changes: { client_assertion: undefined },
      status: 401,
      error: "invalid_client",
      code: 7000218,
    },
    {
      name: "another kind of assertion",
      changes: { client_assertion_type: "urn:x" },
      status: 401,
      error: "invalid_client",
      code: 7000218,
    },
    {
      name: "a secret",
      changes: { client_assertion: undefined, client_secret: "x" },
      status: 401,
      error: "invalid_client",
      code: 7000215,
    },
    { name: "no JWT", changes: { client_assertion: "x" }, status: 400, error: "invalid_request", code: 50027 },
    {
      name: "a scope that is no resource's default",
      changes: { scope: "https://storage.azure.com/user_impersonation" },
      status: 400,
      error: "invalid_scope",
      code: 1002012,
    },
    {
      name: "two resources",
      changes: { scope: "https://storage.azure.com/.default https://vault.azure.net/.default" },
      status: 400,
      error: "invalid_scope",
      code: 70011,
    },
  ];
  it.each(rows)("$name", async ({ changes, status, error, code }) => {
    const answer = await askEntra(sandbox, changes);
    expect(answer.status).toBe(status);
    const body = readError(answer.body);
    expect(body).toMatchObject({
      error,
      error_codes: [code],
      error_description: expect.stringMatching(new RegExp(`^AADSTS${code}: .* Trace ID: .* Timestamp: .*Z$`)),
      error_uri: `https://login.microsoftonline.com/error?code=${code}`,
      trace_id: answer.headers["x-ms-request-id"],
    });
  });

  it("of an unknown tenant, at discovery already", async () => {
    const answer = await askEntra(sandbox, {}, "aaaabbbb-0000-cccc-1111-dddd2222ffff");
    expect(readError(answer.body)).toMatchObject({ error: "invalid_request", error_codes: [90002] });
    await expect(signIn(sandbox, { tenantId: "other.onmicrosoft.com" })).rejects.toThrow("endpoints_resolution_error");
  });

  it("of an address that is none of its own", async () => {
    const answer = await send(sandbox, new URL("/x/oauth2/token", sandbox.env["AZURE_AUTHORITY_HOST"]));
    expect(answer.status).toBe(404);
  });
});

it("gives every token another id", async () => {
  const [one, two] = await Promise.all([signIn(sandbox), signIn(sandbox)]);
  expect(decodeJwt(one)["uti"]).not.toBe(decodeJwt(two)["uti"]);
});
