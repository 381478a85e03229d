import { describe, expect, test } from "vitest";
import { readFromLease } from "../../src/credential/index.js";
import { thrownBy } from "../thrown.js";
import { ENDPOINT, insideLease, json, LEASE, NOW, tokenWith } from "./lease-environment.js";

const ARM = "https://management.azure.com/.default";
const STORAGE = "https://storage.azure.com/.default";
const VAULT = "https://vault.azure.net/.default";
const end = NOW / 1000 + 300;
const armToken = tokenWith({ aud: "https://management.azure.com/", exp: end });
const storageToken = tokenWith({ aud: "e406a681-f3d4-42a8-90b6-c2b029497af1", exp: end + 1 });
const TOKENS = { AZURE_ACCESS_TOKEN: armToken, AZURE_ACCESS_TOKEN_STORAGE_AZURE_COM: storageToken };
const IDENTITY = { IDENTITY_ENDPOINT: `${ENDPOINT}/azure/identity/token`, IDENTITY_HEADER: "header" };
const PLACE = { AZURE_TENANT_ID: "tenant", AZURE_SUBSCRIPTION_ID: "subscription" };
const ANSWER = { access_token: "token", expires_on: String(end) };

async function read(scope: string | undefined, ...inside: Parameters<typeof insideLease>) {
  const { runtime, asked } = insideLease(...inside);
  const request = { cloud: "azure", format: "az", ...(scope !== undefined && { scope }) } as const;
  const credential = await readFromLease(request, LEASE, runtime);
  if (credential.kind !== "azure-token") throw new Error(credential.kind);
  const { token, kind: _kind, ...rest } = credential;
  return { token: token.reveal(), ...rest, asked };
}

describe("Azure's token out of the lease", () => {
  test.each([
    { name: "the first scope's, when none is named", scope: undefined, token: armToken, expiresAt: end * 1000 },
    { name: "the first scope's by its name", scope: ARM, token: armToken, expiresAt: end * 1000 },
    { name: "another scope's", scope: STORAGE, token: storageToken, expiresAt: (end + 1) * 1000 },
  ])("is in its variables: $name", async ({ scope, token, expiresAt }) => {
    const found = await read(scope, { ...TOKENS, ...PLACE });
    expect(found).toEqual({ token, expiresAt, tenantId: "tenant", subscriptionId: "subscription", asked: [] });
  });

  test("lasts as long as the lease where it says nothing of its own end", async () => {
    expect(await read(undefined, { AZURE_ACCESS_TOKEN: "opaque" })).toMatchObject({ expiresAt: LEASE.endsAt });
  });

  test("is asked of the managed identity that the endpoint is", async () => {
    const { asked, ...found } = await read(STORAGE, IDENTITY, { "/azure/identity/token": json(ANSWER) });
    expect(found).toEqual({ token: "token", expiresAt: end * 1000 });
    expect(asked[0]?.headers).toEqual({ "x-identity-header": "header" });
    expect(Object.fromEntries(new URL(asked[0]?.url ?? "").searchParams)).toEqual({
      "api-version": "2019-08-01",
      resource: "https://storage.azure.com",
    });
  });

  test.each([
    { name: "nothing of Azure's", scope: ARM, variables: {}, want: "CONFIG_INVALID" },
    {
      name: "what stands where the lease has nothing",
      scope: ARM,
      variables: { IDENTITY_ENDPOINT: "http://127.0.0.1:1/agentctl-gives-none", IDENTITY_HEADER: "none" },
      want: "CONFIG_INVALID",
    },
    {
      name: "an identity that is elsewhere",
      scope: ARM,
      variables: { ...IDENTITY, IDENTITY_ENDPOINT: "http://169.254.169.254/token" },
      want: "CONFIG_INVALID",
    },
    { name: "a scope that it has no token for", scope: VAULT, variables: TOKENS, want: "USAGE" },
    { name: "no scope, where the endpoint has to be told", scope: undefined, variables: IDENTITY, want: "USAGE" },
    {
      name: "a scope that the endpoint refuses",
      scope: VAULT,
      variables: IDENTITY,
      answer: json({ error: { code: "invalid_scope", message: "not in the profile" } }, 400),
      want: "CLOUD_DENIED",
      says: /: not in the profile$/,
    },
    {
      name: "an answer without an end",
      scope: ARM,
      variables: IDENTITY,
      answer: json({ access_token: "token" }),
      want: "BAD_ANSWER",
    },
  ])("is refused for $name", async ({ scope, variables, answer, want, says = /./ }) => {
    const answers = answer === undefined ? {} : { "/azure/identity/token": answer };
    const error = await thrownBy(() => read(scope, variables, answers));
    expect(error).toMatchObject({ code: want, message: expect.stringMatching(says) });
    expect(`${error.message} ${error.hint}`).not.toMatch(/unguessable|header/);
  });
});
