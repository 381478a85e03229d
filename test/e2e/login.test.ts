import type { ChildProcess } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CLIENT, type RunningProvider, startProvider } from "../login/provider.js";
import { type LastPage, walkThrough } from "../login/walk-through.js";
import { type Outcome, openStage, outcomeOf, type Stage } from "./agentctl.js";

let provider: RunningProvider;
let stage: Stage;

const ROLE = "arn:aws:iam::111122223333:role/agentctl-developer";
/** A person's machine is no CI job. */
const NO_JOB = { ACTIONS_ID_TOKEN_REQUEST_URL: undefined, ACTIONS_ID_TOKEN_REQUEST_TOKEN: undefined };

beforeAll(async () => {
  provider = await startProvider();
  const host = new URL(provider.issuer).host;
  const trust = {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Federated: `arn:aws:iam::111122223333:oidc-provider/${host}` },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: { StringEquals: { [`${host}:aud`]: CLIENT, [`${host}:sub`]: "ada" } },
      },
    ],
  };
  stage = await openStage({
    issuer: { url: provider.issuer, jwks: provider.jwks },
    audiences: [CLIENT],
    roles: { [ROLE]: { policies: [{ Version: "2012-10-17", Statement: [] }], trust } },
  });
  stage.writeConfig(`version: 1
profiles:
  dev:
    ttl: 15m
    aws: { role_arn: "${ROLE}", region: us-east-1, audience: [sts.amazonaws.com, ${CLIENT}] }
  ci-only:
    aws: { role_arn: "${ROLE}", region: us-east-1 }
`);
});
afterAll(async () => {
  await stage?.close();
  provider?.close();
});

const agentctl = (...args: readonly string[]): Promise<Outcome> => stage.run(args, { env: NO_JOB });

/** Logs in as somebody who goes to the address that `pattern` finds in what agentctl says. */
async function logIn(args: readonly string[], pattern: RegExp, user: string): Promise<Outcome & { page: LastPage }> {
  const all = ["login", ...args, "--issuer", provider.issuer, "--client-id", CLIENT, "--store", "file"];
  const child = stage.start(all, { env: NO_JOB });
  const outcome = outcomeOf(child);
  const page = await walkThrough(await said(child, pattern), user);
  return { ...(await outcome), page };
}

function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  let text = "";
  return new Promise((resolve, reject) => {
    child.stderr?.on("data", (part: string) => {
      text += part;
      const found = pattern.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.on("close", () => reject(new Error(`it ended first: ${text}`)));
  });
}

const ADDRESS = /(http:\/\/127\.0\.0\.1:\d+\/auth\?\S+)\n/;
const DEVICE_ADDRESS = /or open (http:\/\/127\.0\.0\.1:\d+\/device\?user_code=[\w-]+),/;
const secretOf = (name: string): string => path.join(stage.stateDir, "logins", `${name}.secret`);

describe("a login at a real provider", () => {
  test("by the browser's way, and all that follows from it", async () => {
    const login = await logIn(["work", "--no-browser"], ADDRESS, "ada");
    expect(login).toMatchObject({ code: 0, stdout: "", page: { status: 200 } });
    expect(login.page.text).toContain("You are logged in");
    expect(login.stderr).toContain(`logged in as ada at ${provider.issuer}; the login is called work`);
    expect(login.stderr).toContain("is in a file that only you can read, and not in a keychain");
    const first = fs.readFileSync(secretOf("work"), "utf8");

    const run = await agentctl("run", "-p", "dev", "--", "env");
    expect(run).toMatchObject({ code: 0 });
    expect(run.stdout).toMatch(/^AWS_ACCESS_KEY_ID=ASIA/m);
    const { refreshToken } = JSON.parse(first) as { refreshToken: string };
    expect(fs.readFileSync(secretOf("work"), "utf8")).not.toContain(refreshToken);
    const seen = JSON.stringify([login, run, stage.auditRecords()]);
    for (const secret of [refreshToken, JSON.parse(fs.readFileSync(secretOf("work"), "utf8")).refreshToken]) {
      expect(seen).not.toContain(secret);
    }
    expect(stage.auditRecords().at(-1)).toMatchObject({ identity: { source: "login:work", subject: "ada" } });
  });

  test("runs side by side each show a refresh token of their own", async () => {
    const runs = await Promise.all([1, 2, 3].map(() => agentctl("run", "-p", "dev", "--quiet", "--", "true")));
    expect(runs.map(({ code, stderr }) => ({ code, stderr }))).toEqual(runs.map(() => ({ code: 0, stderr: "" })));
  });

  test("the list, and who one is", async () => {
    const list = JSON.parse((await agentctl("login", "--list", "--json")).stdout);
    expect(list).toMatchObject([
      { name: "work", issuer: provider.issuer, subject: "ada", store: "file", isDefault: true },
    ]);
    expect((await agentctl("login", "--list")).stdout).toMatch(
      /^work \(default\) +http:\S+ +ada +file +\S+Z +is renewed$/m,
    );
    const whoami = await agentctl("whoami", "-p", "dev", "--json");
    expect(JSON.parse(whoami.stdout).identity).toMatchObject({
      source: "login:work",
      renewal: "minted",
      subject: "ada",
    });
  });

  test("a profile that is not for logins says both audiences", async () => {
    const { code, stderr } = await agentctl("run", "-p", "ci-only", "--", "true");
    expect(code).toBe(76);
    expect(stderr).toContain(`error[TOKEN_AUDIENCE]: no token for the audience "sts.amazonaws.com"`);
    expect(stderr).toContain(`the ID token of the login work is for "${CLIENT}"`);
  });

  test("by device code", async () => {
    const login = await logIn(["phone", "--device"], DEVICE_ADDRESS, "ada");
    expect(login).toMatchObject({ code: 0, page: { status: 200 } });
    const ambiguous = await agentctl("run", "-p", "dev", "--", "true");
    expect(ambiguous).toMatchObject({
      code: 78,
      stderr: expect.stringContaining("there are several logins: phone, work"),
    });
    expect(await agentctl("run", "-p", "dev", "--identity", "login:phone", "--", "true")).toMatchObject({ code: 0 });
  });

  test("as somebody whom the cloud does not trust", async () => {
    expect(await logIn(["eve", "--no-browser"], ADDRESS, "eve")).toMatchObject({ code: 0 });
    const run = await agentctl("run", "-p", "dev", "--identity", "login:eve", "--", "true");
    expect(run).toMatchObject({ code: 77, stderr: expect.stringContaining("error[CLOUD_DENIED]") });
    expect(run.stderr).toContain("sub eve");
  });

  test("that was taken back is of no more use, even to who kept a copy", async () => {
    const copy = ["json", "secret"].map((suffix) => {
      const file = path.join(stage.stateDir, "logins", `eve.${suffix}`);
      return [file, fs.readFileSync(file, "utf8")] as const;
    });
    const logout = await agentctl("logout", "eve");
    expect(logout).toMatchObject({ code: 0, stderr: "agentctl: logged out of eve: taken back at the provider\n" });
    for (const [file, text] of copy) fs.writeFileSync(file, text, { mode: 0o600 });
    const run = await agentctl("run", "-p", "dev", "--identity", "login:eve", "--", "true");
    expect(run).toMatchObject({ code: 77, stderr: expect.stringContaining("error[IDENTITY_DENIED]") });
    expect(run.stderr).toContain("hint: log in again: agentctl login eve");
    expect(await agentctl("logout", "--all")).toMatchObject({ code: 0 });
    expect(fs.readdirSync(path.join(stage.stateDir, "logins"))).toEqual([]);
    const none = await agentctl("run", "-p", "dev", "--identity", "login", "--", "true");
    expect(none).toMatchObject({ code: 78, stderr: expect.stringContaining("nobody has logged in") });
  });
});

describe("wrong usage", () => {
  test.each([
    { name: "no provider", args: ["login"], says: /so its provider has to be named/ },
    { name: "a port that is none", args: ["login", "--port", "99999"], says: /from 1 to 65535/ },
    { name: "two ways at once", args: ["login", "--device", "--port", "8000"], says: /needs neither/ },
    { name: "an unknown place", args: ["login", "--store", "cloud"], says: /keychain, file/ },
    { name: "no login of that name", args: ["logout", "nobody"], says: /there is no login "nobody"/ },
    { name: "a name and all", args: ["logout", "--all", "x"], says: /--all takes no name/ },
  ])("$name", async ({ args, says }) => {
    const { code, stderr } = await agentctl(...args);
    expect(code).toBe(64);
    expect(stderr).toMatch(says);
  });

  test("a keychain where there is none says how to do without", async () => {
    const args = ["login", "--issuer", provider.issuer, "--client-id", CLIENT];
    const env = { ...NO_JOB, DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent" };
    const { code, stderr } = await stage.run(args, { env });
    expect(code).toBe(74);
    expect(stderr).toMatch(/error\[KEYCHAIN_UNUSABLE\].*\n.*hint: .*--store file/);
  });
});
