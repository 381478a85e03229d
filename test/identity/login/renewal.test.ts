import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { acquireIdentity, explainSources, inspectIdentity, logIn } from "../../../src/identity/index.js";
import { thrownBy } from "../../thrown.js";
import { CLIENT, ISSUER, idToken, refusal } from "./fake-provider.js";
import { comeBack, grantCode, type LoginStage, openLoginStage, REQUEST } from "./login-stage.js";

let stage: LoginStage;
beforeEach(() => {
  stage = openLoginStage();
});
afterEach(() => stage.close());

async function logInAs(name: string, more: Record<string, unknown> = {}, claims = {}): Promise<void> {
  stage.told.length = 0;
  const login = logIn({ ...REQUEST, name }, stage.tell, stage.runtime());
  const address = await stage.shownAddress();
  grantCode(stage.provider, address, more, claims);
  await comeBack(address);
  await login;
  stage.provider.asked.length = 0;
}

/** Each refresh token works once, and the next one is given with the answer, as RFC 9700 would have it. */
function rotate(claims: Record<string, unknown> = {}): void {
  let current = 1;
  stage.provider.token = async (form) => {
    if (form.get("refresh_token") !== `refresh-${current}-secret`) return refusal("invalid_grant");
    current += 1;
    const id_token = await idToken({ jti: String(current), ...claims });
    return { access_token: "a", token_type: "Bearer", refresh_token: `refresh-${current}-secret`, id_token };
  };
}

const acquire = (source = "auto", audiences: readonly string[] = ["sts.amazonaws.com", CLIENT], env = {}) =>
  acquireIdentity({ source, audiences: [{ cloud: "aws", audiences }] }, stage.runtime({ env }));

const secretFile = (name: string): string => path.join(stage.dir, "state/logins", `${name}.secret`);

describe("the identity source login", () => {
  test("is found last, when somebody has logged in, and mints by the refresh token", async () => {
    const before = explainSources(stage.runtime()).at(-1);
    expect(before).toMatchObject({ name: "login", found: false, reason: "nobody has logged in" });
    await logInAs("work");
    rotate();
    const identity = await acquire();
    expect(identity).toMatchObject({ source: "login:work", issuer: ISSUER, subject: "ada" });
    expect(identity.reason).toBe(`logged in at ${ISSUER}, the token in a file; it is the only one`);
    expect(identity).not.toHaveProperty("mintableUntil");
    expect(await identity.mintToken(["sts.amazonaws.com", CLIENT])).toMatchObject({ audience: [CLIENT] });
    expect(explainSources(stage.runtime()).at(-1)).toMatchObject({ name: "login:work", found: true });
    expect(await inspectIdentity({ source: "login", audiences: [] }, stage.runtime())).toMatchObject({
      supply: "minted",
      tokens: [{ token: { subject: "ada" } }],
    });
  });

  test("shows each refresh token once, and keeps the next before it uses the answer", async () => {
    await logInAs("work");
    rotate();
    for (const run of [1, 2, 3]) expect(await acquire(), `run ${run}`).toMatchObject({ subject: "ada" });
    const shown = stage.provider.asked.flatMap(({ form }) => form.get("refresh_token") ?? []);
    expect(shown).toEqual(["refresh-1-secret", "refresh-2-secret", "refresh-3-secret"]);
    expect(fs.readFileSync(secretFile("work"), "utf8")).toContain("refresh-4-secret");
  });

  test("runs at the same time wait for one another", async () => {
    await logInAs("work");
    rotate();
    const runtime = () => stage.runtime({ sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) });
    const request = { source: "login", audiences: [{ cloud: "aws", audiences: [CLIENT] }] } as const;
    const all = await Promise.all([1, 2, 3, 4].map(() => acquireIdentity(request, runtime())));
    expect(new Set(all.map(({ tokenSha256 }) => tokenSha256)).size).toBe(4);
  });

  test("a token that is no good is still followed by the next refresh token", async () => {
    await logInAs("work");
    rotate({ sub: "eve" });
    expect(await thrownBy(() => acquire())).toMatchObject({
      code: "IDENTITY_DENIED",
      message: "the login work is that of ada, and its provider gave a token of eve",
    });
    expect(fs.readFileSync(secretFile("work"), "utf8")).toContain("refresh-2-secret");
  });

  test("says which audience there is, and which was wanted", async () => {
    await logInAs("work");
    rotate();
    expect(await thrownBy(() => acquire("login", ["sts.amazonaws.com"]))).toMatchObject({
      code: "TOKEN_AUDIENCE",
      message: `no token for the audience "sts.amazonaws.com": the ID token of the login work is for "${CLIENT}"`,
      hint: expect.stringContaining(`let the cloud trust the audience "${CLIENT}"`),
    });
  });

  test("a provider that repeats the refresh token in its refusal is not repeated", async () => {
    await logInAs("work");
    stage.provider.token = (form) => ({
      status: 400,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ error: "invalid_grant", error_description: `none such: ${form.get("refresh_token")}` }),
    });
    const error = await thrownBy(() => acquire("login"));
    expect(error).toMatchObject({ code: "IDENTITY_DENIED", message: expect.stringContaining("[redacted]") });
    expect(JSON.stringify([error, error.message, error.facts, error.hint])).not.toContain("refresh-1-secret");
  });

  test.each([
    {
      name: "a revoked one",
      say: () => refusal("invalid_grant"),
      code: "IDENTITY_DENIED",
      hint: "log in again: agentctl login work",
    },
    {
      name: "no ID token",
      say: () => ({ access_token: "a", token_type: "Bearer" }),
      code: "BAD_ANSWER",
      hint: /--scope openid/,
    },
    { name: "nonsense", say: () => ({ status: 200, headers: {}, body: "<html>" }), code: "BAD_ANSWER", hint: /./ },
    { name: "failure", say: () => ({ status: 500, headers: {}, body: "" }), code: "SERVICE_FAILED", hint: /try again/ },
    {
      name: "too many questions",
      say: () => ({ status: 429, headers: {}, body: "" }),
      code: "THROTTLED",
      hint: /try again/,
    },
  ])("of a refresh token that is answered with $name", async ({ say, code, hint }) => {
    await logInAs("work");
    stage.provider.token = say;
    const error = await thrownBy(() => acquire("login"));
    expect(error).toMatchObject({ code, hint: typeof hint === "string" ? hint : expect.stringMatching(hint) });
    expect(JSON.stringify([error, error.message, error.facts])).not.toContain("-secret");
    expect(fs.readFileSync(secretFile("work"), "utf8")).toContain("refresh-1-secret");
  });

  test("a provider that is away is told of as such", async () => {
    await logInAs("work");
    stage.provider.failure = Object.assign(new Error("x"), { code: "ENOTFOUND" });
    expect(await thrownBy(() => acquire("login"))).toMatchObject({ code: "UNREACHABLE" });
  });

  test("a cut connection is not answered with the same refresh token again: it may have been taken", async () => {
    await logInAs("work");
    const { fetch } = stage.provider;
    let cut = 0;
    stage.provider.token = () => {
      cut += 1;
      throw Object.assign(new Error("x"), { code: "ECONNRESET" });
    };
    const request = { source: "login", audiences: [{ cloud: "aws", audiences: [CLIENT] }] } as const;
    expect(await thrownBy(() => acquireIdentity(request, stage.runtime({ fetch })))).toMatchObject({
      code: "UNREACHABLE",
    });
    expect(cut).toBe(1);
  });

  test("without a refresh token the ID token serves until it ends, and no longer", async () => {
    await logInAs("work", { refresh_token: undefined });
    const identity = await acquire("login");
    expect(identity.mintableUntil).toBeGreaterThan(Date.now());
    expect(stage.provider.asked).toEqual([]);
    const later = stage.runtime({ now: () => Date.now() + 3_600_000 });
    const request = { source: "login", audiences: [{ cloud: "aws", audiences: [CLIENT] }] } as const;
    expect(await thrownBy(() => acquireIdentity(request, later))).toMatchObject({
      code: "TOKEN_EXPIRED",
      hint: "log in again: agentctl login work",
    });
  });
});

describe("of several logins", () => {
  test.each([
    { name: "one is named", source: "login:home", env: {}, want: { source: "login:home" } },
    {
      name: "the variable names one",
      source: "login",
      env: { AGENTCTL_LOGIN: "home" },
      want: { source: "login:home" },
    },
    {
      name: "the variable does, and detection too",
      source: "auto",
      env: { AGENTCTL_LOGIN: "home" },
      want: { source: "login:home" },
    },
  ])("$name", async ({ source, env, want }) => {
    await logInAs("work");
    await logInAs("home", { refresh_token: undefined });
    expect(await acquire(source, [CLIENT], env)).toMatchObject(want);
  });

  test.each([
    { name: "none is the default", source: "login", message: /there are several logins: home, work/ },
    { name: "one is named that is not there", source: "login:nope", message: /there is no login "nope"/ },
    { name: "what is named is no name", source: "login:../work", message: /there is no login/ },
  ])("$name: told", async ({ source, message }) => {
    await logInAs("work");
    await logInAs("home");
    expect(await thrownBy(() => acquire(source))).toMatchObject({
      code: "NO_IDENTITY",
      message: expect.stringMatching(message),
    });
  });

  test("the one called default is taken when none is named", async () => {
    await logInAs("work");
    await logInAs("default", { refresh_token: undefined });
    expect(await acquire("login")).toMatchObject({ source: "login:default" });
  });
});

describe("what is kept", () => {
  test("goes to no other provider or client, whatever the record says", async () => {
    await logInAs("work");
    const file = path.join(stage.dir, "state/logins/work.json");
    const record = JSON.parse(fs.readFileSync(file, "utf8"));
    fs.writeFileSync(file, JSON.stringify({ ...record, issuer: "https://evil.example" }));
    expect(await thrownBy(() => acquire("login"))).toMatchObject({ code: "NO_IDENTITY" });
    expect(stage.provider.asked).toEqual([]);
  });

  test.each([
    { name: "is gone", change: (file: string) => fs.rmSync(file), code: "NO_IDENTITY" },
    { name: "is cut", change: (file: string) => fs.truncateSync(file, 20), code: "NO_IDENTITY" },
    { name: "others may read", change: (file: string) => fs.chmodSync(file, 0o644), code: "STATE_UNWRITABLE" },
    {
      name: "is a link to elsewhere",
      change: (file: string) => {
        fs.renameSync(file, `${file}.moved`);
        fs.symlinkSync(`${file}.moved`, file);
      },
      code: "STATE_UNWRITABLE",
    },
  ])("is not used when it $name", async ({ change, code }) => {
    await logInAs("work");
    change(secretFile("work"));
    expect(await thrownBy(() => acquire("login"))).toMatchObject({ code });
    expect(stage.provider.asked).toEqual([]);
  });

  test("a record that cannot be read is no login, and keeps nobody from another source", async () => {
    await logInAs("work");
    fs.writeFileSync(path.join(stage.dir, "state/logins/work.json"), "{");
    expect(explainSources(stage.runtime()).at(-1)).toMatchObject({ found: false });
    expect(explainSources(stage.runtime({ env: { AGENTCTL_STATE_DIR: "" } })).at(-1)).toMatchObject({ found: false });
  });
});
