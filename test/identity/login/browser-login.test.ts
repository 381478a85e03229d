import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LoginRequest, listLogins, logIn } from "../../../src/identity/index.js";
import { thrownBy } from "../../thrown.js";
import { CLIENT, ISSUER, idToken, refusal } from "./fake-provider.js";
import { comeBack, get, grantCode, type LoginStage, openLoginStage, REQUEST } from "./login-stage.js";

let stage: LoginStage;
beforeEach(() => {
  stage = openLoginStage();
});
afterEach(() => stage.close());

function begin(request: Partial<LoginRequest> = {}, env: Record<string, string> = {}) {
  const login = logIn({ ...REQUEST, ...request }, stage.tell, stage.runtime({ env }));
  // Not unhandled before a test looks at it.
  login.catch(() => {});
  return login;
}

describe("a login by the browser", () => {
  test("asks with PKCE, state and nonce for a loopback address, and keeps the refresh token in a private file", async () => {
    const login = begin();
    const address = await stage.shownAddress();
    expect(Object.fromEntries(address.searchParams)).toMatchObject({
      client_id: CLIENT,
      response_type: "code",
      code_challenge_method: "S256",
      scope: "openid offline_access",
      prompt: "consent",
      redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback$/),
    });
    grantCode(stage.provider, address);
    const { status, page } = await comeBack(address);
    expect({ status, page }).toMatchObject({ status: 200, page: expect.stringContaining("You are logged in") });
    expect(await login).toMatchObject({ name: "work", issuer: ISSUER, subject: "ada", store: "file", isDefault: true });
    const exchange = stage.provider.asked.find(({ path: asked }) => asked === "/token")?.form;
    expect(Object.fromEntries(exchange ?? [])).toMatchObject({
      grant_type: "authorization_code",
      code: "code-secret",
      code_verifier: expect.stringMatching(/^[\w~.-]{43,}$/),
    });
    const dir = path.join(stage.dir, "state/logins");
    expect(fs.statSync(path.join(dir, "work.secret")).mode & 0o777).toBe(0o600);
    expect(fs.statSync(dir).mode & 0o777).toBe(0o700);
    expect(fs.readFileSync(path.join(dir, "work.secret"), "utf8")).toContain("refresh-1-secret");
    expect(fs.readFileSync(path.join(dir, "work.json"), "utf8")).not.toContain("secret");
    expect(stage.told.join()).not.toContain("secret");
    expect(fs.readdirSync(dir).sort()).toEqual(["work.json", "work.secret"]);
  });

  test("an answer of another login is refused and told, and the right one is still taken", async () => {
    const login = begin();
    const address = await stage.shownAddress();
    grantCode(stage.provider, address);
    expect(await comeBack(address, { state: "other" })).toMatchObject({ status: 400 });
    expect(stage.told.at(-1)).toContain("belongs to another login");
    expect(await comeBack(address)).toMatchObject({ status: 200 });
    expect(await login).toMatchObject({ subject: "ada" });
  });

  test("is answered once: the second answer is told so, and the code is used once", async () => {
    const login = begin();
    const address = await stage.shownAddress();
    grantCode(stage.provider, address);
    let finish: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const { token } = stage.provider;
    stage.provider.token = async (form) => {
      await held;
      return token(form);
    };
    const first = comeBack(address);
    await expect.poll(() => stage.provider.asked.some(({ path: asked }) => asked === "/token")).toBe(true);
    expect(await comeBack(address, { code: "another" })).toMatchObject({ status: 410 });
    finish();
    expect(await first).toMatchObject({ status: 200 });
    await login;
    expect(stage.provider.asked.filter(({ path: asked }) => asked === "/token")).toHaveLength(1);
  });

  test.each([
    { name: "another path", path: "/favicon.ico", status: 404 },
    { name: "another host's name for this machine", path: "/callback", host: "evil.example", status: 421 },
  ])("$name is not the callback", async ({ path: asked, host, status }) => {
    const login = begin();
    const address = await stage.shownAddress();
    const url = new URL(address.searchParams.get("redirect_uri") ?? "");
    url.searchParams.set("state", address.searchParams.get("state") ?? "");
    url.pathname = asked;
    expect(await get(url, host)).toMatchObject({ status });
    grantCode(stage.provider, address);
    await comeBack(address);
    await login;
  });

  test.each([
    { name: "is denied", back: { error: "access_denied" }, code: "IDENTITY_DENIED", message: /login was denied/ },
    { name: "comes from another issuer", back: { iss: "https://evil.example" }, code: "BAD_ANSWER" },
    { name: "has no code", back: { code: "" }, code: "BAD_ANSWER" },
  ])("fails when the answer $name, and the page does not repeat it", async ({ back, code, message }) => {
    const login = begin();
    const address = await stage.shownAddress();
    grantCode(stage.provider, address);
    const { status, page } = await comeBack(address, { error_description: "<script>", ...(back as object) });
    expect(status).toBe(400);
    expect(page).not.toContain("script");
    expect(await thrownBy(() => login)).toMatchObject({
      code,
      ...(message && { message: expect.stringMatching(message) }),
    });
    expect(listLogins(stage.runtime())).toEqual([]);
  });

  test.each([
    { name: "of another login", claims: { nonce: "other" }, code: "BAD_ANSWER" },
    { name: "of another issuer", claims: { iss: "https://evil.example" }, code: "BAD_ANSWER" },
    { name: "for another client", claims: { aud: "other" }, code: "BAD_ANSWER" },
    { name: "that has ended, as where the clock is off", claims: { iat: 1, exp: 2 }, code: "TOKEN_EXPIRED" },
    {
      name: "that begins in an hour, as where the clock is off",
      claims: { nbf: Math.floor(Date.now() / 1000) + 3600 },
      code: "TOKEN_EXPIRED",
    },
  ])("refuses an ID token $name", async ({ claims, code }) => {
    const login = begin();
    const address = await stage.shownAddress();
    grantCode(stage.provider, address, {}, claims);
    expect(await comeBack(address)).toMatchObject({ status: 400 });
    const error = await thrownBy(() => login);
    expect(error.code).toBe(code);
    expect(JSON.stringify([error, error.message, error.facts])).not.toContain("secret");
    expect(listLogins(stage.runtime())).toEqual([]);
  });

  test.each([
    {
      name: "signed by a stranger",
      idTokenOf: (nonce: string | null) => idToken({ nonce }, "stranger"),
      code: "BAD_ANSWER",
    },
    { name: "that is none", idTokenOf: async () => undefined, code: "BAD_ANSWER" },
  ])("refuses an ID token $name", async ({ idTokenOf, code }) => {
    const login = begin();
    const address = await stage.shownAddress();
    grantCode(stage.provider, address, { id_token: await idTokenOf(address.searchParams.get("nonce")) });
    await comeBack(address);
    expect(await thrownBy(() => login)).toMatchObject({ code });
  });

  test("a code that the provider does not take is a denial, with the provider's word for it", async () => {
    const login = begin();
    const address = await stage.shownAddress();
    stage.provider.token = () => refusal("invalid_grant");
    await comeBack(address);
    expect(await thrownBy(() => login)).toMatchObject({ code: "IDENTITY_DENIED", facts: { error: "invalid_grant" } });
  });

  test("is over when nobody comes back", async () => {
    const runtime = stage.runtime({ sleep: () => Promise.resolve() });
    const error = await thrownBy(() => logIn(REQUEST, stage.tell, runtime));
    expect(error).toMatchObject({ code: "IDENTITY_DENIED", message: expect.stringContaining("not finished in time") });
  });

  test("names a port that is taken", async () => {
    const server = http.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      expect(await thrownBy(() => begin({ port }))).toMatchObject({
        code: "USAGE",
        message: `port ${port} of 127.0.0.1 cannot be had: another program listens there`,
      });
    } finally {
      server.close();
    }
  });

  test("without a refresh token the ID token is kept, and when it ends is told", async () => {
    const login = begin();
    const address = await stage.shownAddress();
    grantCode(stage.provider, address, { refresh_token: undefined });
    await comeBack(address);
    const { endsAt = 0 } = await login;
    expect(endsAt - Date.now()).toBeGreaterThan(200_000);
  });

  test("a client's secret comes out of a variable, and its name is all that errors know", async () => {
    expect(await thrownBy(() => begin({ clientSecretVariable: "MY_SECRET" }))).toMatchObject({ code: "USAGE" });
    const login = begin({ clientSecretVariable: "MY_SECRET" }, { MY_SECRET: "client-secret" });
    const address = await stage.shownAddress();
    grantCode(stage.provider, address);
    await comeBack(address);
    await login;
    const exchange = stage.provider.asked.find(({ path: asked }) => asked === "/token")?.form;
    expect(exchange?.get("client_secret")).toBe("client-secret");
  });
});

describe("a provider that is none", () => {
  test.each([
    { name: "answers with a page", discovery: "<html>", code: "BAD_ANSWER", message: /its answer is not JSON/ },
    {
      name: "is another issuer",
      discovery: { issuer: "https://evil.example" },
      code: "BAD_ANSWER",
      message: /another issuer/,
    },
    { name: "says nothing of use", discovery: {}, code: "BAD_ANSWER", message: /could not describe itself/ },
  ])("$name", async ({ discovery, code, message }) => {
    stage.provider.discovery = discovery;
    expect(await thrownBy(() => begin())).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test.each([
    { issuer: "http://login.example", code: "ENDPOINT_INVALID" },
    { issuer: "login.example", code: "ENDPOINT_INVALID" },
    { issuer: "file:///etc/passwd", code: "ENDPOINT_INVALID" },
  ])("$issuer is not asked", async ({ issuer, code }) => {
    expect(await thrownBy(() => begin({ issuer }))).toMatchObject({ code });
    expect(stage.provider.asked).toEqual([]);
  });

  test("that sends tokens elsewhere without TLS is not given the code", async () => {
    Object.assign(stage.provider.discovery, { token_endpoint: "http://login.example/token" });
    const login = begin();
    const address = await stage.shownAddress();
    await comeBack(address);
    expect(await thrownBy(() => login)).toMatchObject({ code: "BAD_ANSWER" });
    expect(stage.provider.asked.map(({ path: asked }) => asked)).not.toContain("/token");
  });

  test("is tried again where that may help, and told of where it does not", async () => {
    stage.provider.failure = Object.assign(new Error("x"), { code: "ECONNREFUSED" });
    expect(await thrownBy(() => begin())).toMatchObject({ code: "UNREACHABLE" });
    expect(stage.provider.asked).toHaveLength(3);
  });
});
