import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { registerWhoami } from "../../src/cli/whoami.js";
import { fakeRuntime } from "../fake-runtime.js";
import { AWS_AUDIENCE, makeToken, NOW, NOW_SECONDS } from "../identity/tokens.js";
import { thrownBy } from "../thrown.js";
import { runCommand } from "./run-command.js";

const CONFIG = `version: 1
profiles:
  deploy:
    actors: [human]
    aws: { role_arn: "arn:aws:iam::111122223333:role/deploy", region: eu-central-1 }
  strict:
    env: { mode: strict }
    aws: { role_arn: "arn:aws:iam::111122223333:role/deploy", region: eu-central-1 }
`;

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-whoami-"));
  fs.writeFileSync(path.join(dir, "agentctl.yaml"), CONFIG);
});
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

/** What it prints, and how it fails. */
async function whoami(args: readonly string[], env: Readonly<Record<string, string>>) {
  const runtime = fakeRuntime({ env, cwd: dir, now: () => NOW });
  const running = runCommand(registerWhoami, ["whoami", ...args], runtime);
  const error = await running.then(
    () => undefined,
    (thrown: unknown) => thrownBy(() => Promise.reject(thrown)),
  );
  return { stdout: runtime.stdout.text(), error };
}

describe("whoami", () => {
  test("with nothing: every source and why it was not taken; exits with 78", async () => {
    const { stdout, error } = await whoami([], {});
    expect(error).toMatchObject({ code: "NO_IDENTITY", exitCode: 78 });
    expect(stdout).toMatch(/^identity {4}none$/m);
    expect(stdout).toMatch(/^sources {5}env: not taken: AGENTCTL_ID_TOKEN is not set$/m);
    for (const source of ["token-file", "github-actions", "gitlab", "kubernetes"]) {
      expect(stdout).toContain(`            ${source}: not taken: `);
    }
    const json = JSON.parse((await whoami(["--json"], {})).stdout);
    expect(json).toMatchObject({ ok: false, error: { code: "NO_IDENTITY" }, actor: { kind: "automation" } });
    expect(json).not.toHaveProperty("identity");
  });

  test("who, whence, until when, and where trust starts", async () => {
    const token = await makeToken({ repository: "acme/site", repository_id: "7" });
    const { stdout, error } = await whoami([], { AGENTCTL_ID_TOKEN: token, GITLAB_CI: "true" });
    expect(error).toBeUndefined();
    expect(stdout.split("\n").slice(0, 10)).toEqual([
      "identity    repo:acme/site:ref:refs/heads/main",
      "            issuer https://issuer.example",
      "            from env: AGENTCTL_ID_TOKEN is set",
      "token       for sts.amazonaws.com, until 2026-11-22T12:05:00Z (5m)",
      "renewal     no other can be minted",
      "claims      repository acme/site",
      "            repository_id 7",
      "trust       starts with https://issuer.example, which signed this (ES256)",
      "            only read here: the signature is for each cloud to verify, with the issuer's published keys",
      "actor       automation (GITLAB_CI is set)",
    ]);
    expect(stdout).toMatch(/^sources {5}env: taken: AGENTCTL_ID_TOKEN is set$/m);
    expect(stdout).toMatch(/gitlab: not taken: this GitLab CI job has no ID token \(.*id_tokens/);
  });

  test("a source that is there and not taken says which one is", async () => {
    const token = await makeToken();
    const env = { AGENTCTL_ID_TOKEN: token, AGENTCTL_TOKEN_FILE: "/nowhere/token" };
    expect((await whoami([], env)).stdout).toContain(
      "token-file: not taken: AGENTCTL_TOKEN_FILE is set, but env is taken",
    );
    const named = await whoami(["--identity", "token-file"], env);
    expect(named.stdout).toContain("env: not taken: AGENTCTL_ID_TOKEN is set, but only token-file is taken");
    expect(named.error).toMatchObject({ code: "NO_IDENTITY" });
  });

  test("with a profile: the audience that it wants, and what it makes of the actor", async () => {
    const env = { AGENTCTL_ID_TOKEN: await makeToken() };
    const agent = await whoami(["-p", "deploy", "--actor", "agent:reviewer"], env);
    expect(agent.error).toBeUndefined();
    expect(agent.stdout).toContain(`token       for ${AWS_AUDIENCE} (aws), until `);
    expect(agent.stdout).toContain("actor       agent reviewer (declared with --actor)");
    expect(agent.stdout).toContain('profile     deploy may not be used: profile "deploy" is not for an agent');
    expect(agent.stdout).toContain("the command's environment is strict");
    const human = await whoami(["-p", "strict", "--actor", "human", "--json"], env);
    expect(JSON.parse(human.stdout).profile).toMatchObject({ permitted: true, envMode: "strict" });
  });

  test.each([
    { name: "for another audience", args: ["--audience", "other"], claims: {}, code: "TOKEN_AUDIENCE" },
    { name: "expired", args: [], claims: { exp: NOW_SECONDS - 1 }, code: "TOKEN_EXPIRED" },
    { name: "none of the profile's", args: ["-p", "deploy"], claims: { aud: "other" }, code: "TOKEN_AUDIENCE" },
  ])("a token that does not do: $name", async ({ args, claims, code }) => {
    const env = { AGENTCTL_ID_TOKEN: await makeToken(claims) };
    const { stdout, error } = await whoami([...args, "--json"], env);
    expect(error).toMatchObject({ code, exitCode: 76 });
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, identity: { source: "env" }, error: { code } });
  });

  test.each(["--json", "--audience=sts.amazonaws.com", "--identity=env"])("never the token: %s", async (flag) => {
    const token = await makeToken();
    const { stdout } = await whoami([flag], { AGENTCTL_ID_TOKEN: token });
    const [, payload, signature] = token.split(".");
    expect(stdout).not.toContain(payload);
    expect(stdout).not.toContain(signature);
  });

  test("a claim cannot steer the terminal", async () => {
    const token = await makeToken({ sub: "a\u001b[2J\nb", repository: "x\u202ey" });
    const { stdout } = await whoami([], { AGENTCTL_ID_TOKEN: token });
    expect(stdout).not.toMatch(/\p{Cc}(?<!\n)|\u202e/u);
    expect(stdout).toContain("identity    a\\u001b[2J\\u000ab");
  });

  test("the logins that there are, and where their tokens are kept", async () => {
    const record = {
      issuer: "https://id.example",
      clientId: "c",
      scopes: [],
      store: "file",
      subject: "jo",
      loggedInAt: NOW,
    };
    fs.mkdirSync(path.join(dir, "state/logins"), { recursive: true });
    fs.writeFileSync(path.join(dir, "state/logins/work.json"), JSON.stringify(record), { mode: 0o600 });
    const env = { AGENTCTL_STATE_DIR: path.join(dir, "state"), AGENTCTL_ID_TOKEN: await makeToken() };
    const { stdout } = await whoami([], env);
    expect(stdout).toMatch(
      /^logins {6}work \(the default\): jo of https:\/\/id\.example, since 2026-11-22T12:00:00Z, /m,
    );
    expect(stdout).toMatch(/login:work: not taken: .*, but env is taken$/m);
    const json = JSON.parse((await whoami(["--json"], env)).stdout);
    expect(json.logins).toMatchObject([{ name: "work", store: "file", loggedInAt: "2026-11-22T12:00:00Z" }]);
  });

  test.each([
    { name: "an unknown profile", args: ["-p", "nobody"], code: "PROFILE_UNKNOWN" },
    { name: "a configuration that is not there", args: ["--config", "nowhere.yaml"], code: "CONFIG_NOT_FOUND" },
    { name: "an unknown source", args: ["--identity", "kerberos"], code: "USAGE" },
    { name: "an unknown actor", args: ["--actor", "robot"], code: "USAGE" },
  ])("$name", async ({ args, code }) => {
    const { stdout, error } = await whoami(args, {});
    expect(error).toMatchObject({ code });
    expect(stdout).toBe("");
  });
});
