import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LoginRequest, listLogins, logIn, logOut } from "../../../src/identity/index.js";
import { thrownBy } from "../../thrown.js";
import { CLIENT, ISSUER } from "./fake-provider.js";
import { comeBack, grantCode, type LoginStage, openLoginStage, REQUEST } from "./login-stage.js";

let stage: LoginStage;
beforeEach(() => {
  stage = openLoginStage();
});
afterEach(() => stage.close());

async function logInWith(request: Partial<LoginRequest> = {}, claims = {}) {
  stage.told.length = 0;
  const login = logIn({ ...REQUEST, ...request }, stage.tell, stage.runtime());
  login.catch(() => {});
  const address = await Promise.race([stage.shownAddress(), login.then(() => undefined)]);
  if (address !== undefined) {
    grantCode(stage.provider, address, {}, claims);
    await comeBack(address);
  }
  return login;
}

describe("a login's name", () => {
  test.each(["", "Work", "a b", "../a", "a.b", "-a", "x".repeat(65), "a\n"])("is not %j", async (name) => {
    expect(await thrownBy(() => logInWith({ name }))).toMatchObject({ code: "USAGE" });
  });

  test("without one it is default, and the provider has to be named the first time only", async () => {
    const { name: _, issuer: __, clientId: ___, ...bare } = REQUEST;
    expect(await thrownBy(() => logIn(bare, stage.tell, stage.runtime()))).toMatchObject({
      code: "USAGE",
      hint: "agentctl login default --issuer URL --client-id ID",
    });
    const again = { ...bare, issuer: ISSUER, clientId: CLIENT };
    for (const request of [again, bare]) {
      stage.told.length = 0;
      const login = logIn(request, stage.tell, stage.runtime());
      const address = await stage.shownAddress();
      grantCode(stage.provider, address);
      await comeBack(address);
      expect(await login).toMatchObject({ name: "default", issuer: ISSUER, clientId: CLIENT });
    }
  });
});

describe("a second login of one name", () => {
  test("by the same person replaces the first", async () => {
    await logInWith();
    expect(await logInWith()).toMatchObject({ subject: "ada" });
    expect(listLogins(stage.runtime())).toHaveLength(1);
  });

  test.each([
    { name: "at another provider", request: { issuer: "https://other.example" }, code: "USAGE" },
    { name: "of another client", request: { clientId: "other" }, code: "USAGE" },
  ])("$name is refused before anybody is asked", async ({ request, code }) => {
    await logInWith();
    stage.provider.asked.length = 0;
    expect(await thrownBy(() => logInWith(request))).toMatchObject({ code, hint: expect.stringContaining("--force") });
    expect(stage.provider.asked).toEqual([]);
  });

  test("by another person leaves the first as it was; with --force it replaces it", async () => {
    await logInWith();
    const secret = path.join(stage.dir, "state/logins/work.secret");
    const before = fs.readFileSync(secret, "utf8");
    expect(await thrownBy(() => logInWith({}, { sub: "eve" }))).toMatchObject({
      code: "IDENTITY_DENIED",
      message: "the login work is that of ada, and you logged in as eve",
    });
    expect(fs.readFileSync(secret, "utf8")).toBe(before);
    expect(await logInWith({ force: true }, { sub: "eve" })).toMatchObject({ subject: "eve" });
  });

  test("at the same time is refused at once, and names the process that is at it", async () => {
    const first = logIn(REQUEST, stage.tell, stage.runtime());
    const address = await stage.shownAddress();
    expect(await thrownBy(() => logIn(REQUEST, () => {}, stage.runtime({ kill: () => true })))).toMatchObject({
      code: "LOCK_HELD",
      message: `another process (${process.pid}) is logging in as work`,
    });
    grantCode(stage.provider, address);
    await comeBack(address);
    expect(await first).toMatchObject({ subject: "ada" });
  });
});

describe("logging out", () => {
  const kept = () => fs.readdirSync(path.join(stage.dir, "state/logins")).sort();

  test("takes the refresh token back at the provider, and deletes everything here", async () => {
    await logInWith();
    stage.provider.asked.length = 0;
    expect(await logOut({ all: false }, stage.runtime())).toEqual([
      { name: "work", revoked: true, reason: "taken back at the provider" },
    ]);
    const [, { path: asked = "", form } = { form: new URLSearchParams() }] = stage.provider.asked;
    expect(asked).toBe("/revoke");
    expect(Object.fromEntries(form)).toMatchObject({ token: "refresh-1-secret", token_type_hint: "refresh_token" });
    expect(kept()).toEqual([]);
  });

  test.each([
    {
      name: "the provider has no way to",
      change: () => Object.assign(stage.provider.discovery, { revocation_endpoint: undefined }),
      reason: /has no way to take it back/,
    },
    {
      name: "the provider is away",
      change: () => {
        stage.provider.failure = Object.assign(new Error("x"), { code: "ECONNREFUSED" });
      },
      reason: /not taken back at the provider: .*cannot be reached/,
    },
    {
      name: "the provider does not want to",
      change: () => {
        stage.provider.revoke = () => ({ status: 400, headers: {}, body: '{"error":"invalid_client"}' });
      },
      reason: /not taken back at the provider/,
    },
    {
      name: "its token is gone",
      change: () => fs.rmSync(path.join(stage.dir, "state/logins/work.secret")),
      reason: /its token is not in its file/,
    },
  ])("deletes here also where $name, and says so", async ({ change, reason }) => {
    await logInWith();
    change();
    expect(await logOut({ name: "work", all: false }, stage.runtime())).toEqual([
      { name: "work", revoked: false, reason: expect.stringMatching(reason) },
    ]);
    expect(kept()).toEqual([]);
  });

  test("of all, or of none that is there", async () => {
    await logInWith();
    await logInWith({ name: "home" });
    expect(await thrownBy(() => logOut({ all: false }, stage.runtime()))).toMatchObject({ code: "USAGE" });
    expect(await thrownBy(() => logOut({ name: "nope", all: false }, stage.runtime()))).toMatchObject({
      code: "USAGE",
    });
    expect((await logOut({ all: true }, stage.runtime())).map(({ name }) => name)).toEqual(["home", "work"]);
    expect(await logOut({ all: true }, stage.runtime())).toEqual([]);
  });
});
