import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { send } from "./clients.js";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ claims: { environment: "prod" } });
});
afterAll(() => sandbox.close());

function requestUrl(audience?: string): URL {
  const url = new URL(sandbox.env["ACTIONS_ID_TOKEN_REQUEST_URL"] ?? "");
  if (audience !== undefined) url.searchParams.set("audience", audience);
  return url;
}

function bearer(scheme = "bearer"): Record<string, string> {
  return { authorization: `${scheme} ${sandbox.env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]}` };
}

describe("GitHub's way of handing out tokens", () => {
  it("mints for the audience asked for, with GitHub-like claims and those of the world", async () => {
    const answer = await send(sandbox, requestUrl("sts.amazonaws.com"), { headers: bearer("Bearer") });
    const { value, count } = JSON.parse(answer.body) as { value: string; count: number };
    expect(count).toBe(value.length);
    expect(decodeJwt(value)).toMatchObject({
      iss: sandbox.issuer,
      aud: "sts.amazonaws.com",
      sub: "repo:acme/site:ref:refs/heads/main",
      repository_id: "700000001",
      repository_owner_id: "600000001",
      environment: "prod",
      actor: "octocat",
    });
  });

  it("gives every token another id, and tells the log the audience but no token", async () => {
    const [one, two] = await Promise.all([sandbox.mintToken(), sandbox.mintToken()]);
    expect(decodeJwt(one).jti).not.toBe(decodeJwt(two).jti);
    const answer = await send(sandbox, requestUrl("somebody-else"), { headers: bearer() });
    const entry = sandbox.requests().at(-1);
    expect(entry).toMatchObject({ service: "oidc", operation: "token", parameters: { audience: "somebody-else" } });
    expect(JSON.stringify(sandbox.requests())).not.toContain(JSON.parse(answer.body).value);
  });

  const refusals = [
    { name: "a wrong bearer", url: () => requestUrl("a"), headers: () => ({ authorization: "bearer no" }), want: 401 },
    { name: "no bearer", url: () => requestUrl("a"), headers: () => ({}), want: 401 },
    { name: "another scheme", url: () => requestUrl("a"), headers: () => bearer("basic"), want: 401 },
    {
      name: "a URL whose own query was thrown away",
      url: () => new URL(`${requestUrl().origin}${requestUrl().pathname}?audience=a`),
      headers: bearer,
      want: 400,
    },
    { name: "a path that is not there", url: () => new URL("/nothing", sandbox.issuer), headers: bearer, want: 404 },
  ];
  it.each(refusals)("refuses $name with $want", async ({ url, headers, want }) => {
    expect((await send(sandbox, url(), { headers: headers() })).status).toBe(want);
  });
});

describe("the issuer", () => {
  it("publishes keys that its tokens verify against, found by discovery", async () => {
    const discovery = await send(sandbox, new URL("/.well-known/openid-configuration", sandbox.issuer));
    const { issuer, jwks_uri } = JSON.parse(discovery.body) as { issuer: string; jwks_uri: string };
    expect(issuer).toBe(sandbox.issuer);
    const keys = createRemoteJWKSet(new URL(jwks_uri), {
      [customFetch]: async (url) => new Response((await send(sandbox, new URL(url))).body),
    });
    await expect(jwtVerify(await sandbox.mintToken(), keys, { issuer })).resolves.toBeDefined();
    await expect(jwtVerify(await sandbox.mintToken({ signedBy: "stranger" }), keys)).rejects.toThrow("signature");
  });
});
