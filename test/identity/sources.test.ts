import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { acquireIdentity, explainSources, IDENTITY_SOURCE_NAMES, tokenVariables } from "../../src/identity/index.js";
import { fakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";
import { AWS_AUDIENCE, makeToken, NOW } from "./tokens.js";

const AUDIENCES = [{ cloud: "aws", audiences: [AWS_AUDIENCE] }] as const;

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-identity-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

function acquire(env: Record<string, string>, source = "auto") {
  return acquireIdentity({ source, audiences: AUDIENCES }, fakeRuntime({ env, cwd: dir, now: () => NOW }));
}

function writeToken(name: string, text: string): string {
  const file = path.join(dir, name);
  fs.writeFileSync(file, text);
  return file;
}

describe("detection", () => {
  test("the order is env, token-file, github-actions, gitlab, kubernetes, login", () => {
    expect(IDENTITY_SOURCE_NAMES).toEqual([
      ...["env", "token-file", "github-actions", "gitlab", "kubernetes", "login"],
    ]);
  });

  test("what was set for agentctl comes before what the platform offers", async () => {
    const token = await makeToken();
    const file = writeToken("token", token);
    const github = { ACTIONS_ID_TOKEN_REQUEST_URL: "https://github.invalid/?v=1", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t" };
    const all = { ...github, AGENTCTL_ID_TOKEN: token, AGENTCTL_TOKEN_FILE: file };
    expect(await acquire(all)).toMatchObject({ source: "env", reason: "AGENTCTL_ID_TOKEN is set" });
    expect(await acquire({ ...github, AGENTCTL_TOKEN_FILE: file })).toMatchObject({ source: "token-file" });
    expect(await acquire(all, "token-file")).toMatchObject({
      source: "token-file",
      reason: "asked for by name; AGENTCTL_TOKEN_FILE is set",
    });
  });

  const rows = [
    {
      name: "nothing set",
      env: {},
      source: "auto",
      code: "NO_IDENTITY",
      says: "not set; this is not a GitHub Actions job; this is not a GitLab CI job; this is not a Kubernetes pod",
      hint: "AGENTCTL_ID_TOKEN",
    },
    {
      name: "an empty variable",
      env: { AGENTCTL_ID_TOKEN_AWS: " " },
      source: "auto",
      code: "NO_IDENTITY",
      says: "AGENTCTL_ID_TOKEN_AWS is set but empty",
      hint: "AGENTCTL_ID_TOKEN",
    },
    {
      name: "on GitHub without the permission",
      env: { GITHUB_ACTIONS: "true" },
      source: "auto",
      code: "NO_IDENTITY",
      says: "no ACTIONS_ID_TOKEN_REQUEST_URL",
      hint: "id-token: write` (a pull request from a fork",
    },
    {
      name: "GitHub's URL without its token",
      env: { ACTIONS_ID_TOKEN_REQUEST_URL: "https://x" },
      source: "auto",
      code: "NO_IDENTITY",
      says: "no ACTIONS_ID_TOKEN_REQUEST_TOKEN",
      hint: "id-token: write",
    },
    {
      name: "a source asked for that is not there",
      env: {},
      source: "token-file",
      code: "NO_IDENTITY",
      says: "the identity source token-file is not there",
      hint: "AGENTCTL_TOKEN_FILE",
    },
    {
      name: "a source that does not exist",
      env: {},
      source: "gitlub",
      code: "USAGE",
      says: '"gitlub"',
      hint: "auto, or one of env, token-file, github-actions, gitlab, kubernetes, login",
    },
    {
      name: "only a token for another cloud",
      env: { AGENTCTL_ID_TOKEN_GCP: "x" },
      source: "auto",
      code: "NO_IDENTITY",
      says: "AGENTCTL_ID_TOKEN_AWS and AGENTCTL_ID_TOKEN are not set",
      hint: AWS_AUDIENCE,
    },
  ];
  test.each(rows)("$name", async ({ env, source, code, says, hint }) => {
    const error = await thrownBy(() => acquire(env as Record<string, string>, source));
    expect(error.code).toBe(code);
    expect(error.message).toContain(says);
    expect(error.hint).toContain(hint);
  });

  test("each source says what it sees", () => {
    const runtime = fakeRuntime({ env: { AGENTCTL_TOKEN_FILE_GCP: "/x", GITHUB_ACTIONS: "true" } });
    expect(explainSources(runtime)).toMatchObject([
      { name: "env", found: false, reason: "AGENTCTL_ID_TOKEN is not set" },
      { name: "token-file", found: true, reason: "AGENTCTL_TOKEN_FILE_GCP is set" },
      { name: "github-actions", found: false, hint: expect.stringContaining("id-token: write") },
      { name: "gitlab", found: false, reason: "this is not a GitLab CI job" },
      { name: "kubernetes", found: false, reason: "this is not a Kubernetes pod" },
      { name: "login", found: false, reason: "nobody has logged in" },
    ]);
  });

  test("every variable that holds a token or mints one is named, of all sources and clouds", () => {
    const env = {
      PATH: "/bin",
      AGENTCTL_ID_TOKEN_AZURE: "x",
      AGENTCTL_TOKEN_FILE: "",
      ACTIONS_ID_TOKEN_REQUEST_URL: "u",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t",
      GITHUB_TOKEN: "kept",
    };
    expect(tokenVariables(fakeRuntime({ env }))).toEqual([
      "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
      "ACTIONS_ID_TOKEN_REQUEST_URL",
      "AGENTCTL_ID_TOKEN_AZURE",
      "AGENTCTL_TOKEN_FILE",
    ]);
  });
});

describe("env", () => {
  test("the cloud's own token is taken before the general one", async () => {
    const [general, own] = await Promise.all([makeToken({ sub: "general" }), makeToken({ sub: "own" })]);
    expect(await acquire({ AGENTCTL_ID_TOKEN: general, AGENTCTL_ID_TOKEN_AWS: own })).toMatchObject({ subject: "own" });
  });

  test("the one whose aud fits is taken", async () => {
    const [general, own] = await Promise.all([makeToken({ sub: "general" }), makeToken({ aud: "other" })]);
    const identity = await acquire({ AGENTCTL_ID_TOKEN: ` ${general}\n`, AGENTCTL_ID_TOKEN_AWS: own });
    expect(identity).toMatchObject({ subject: "general", issuer: "https://issuer.example" });
    expect((await identity.mintToken([AWS_AUDIENCE])).token.reveal()).toBe(general);
  });

  test("for an audience of no cloud any variable may serve", async () => {
    const [ours, other] = await Promise.all([makeToken(), makeToken({ aud: "else", sub: "gcp" })]);
    const identity = await acquire({ AGENTCTL_ID_TOKEN: ours, AGENTCTL_ID_TOKEN_GCP: other });
    expect(await identity.mintToken(["else"])).toMatchObject({ subject: "gcp" });
  });

  test("the error names the variable and never the token", async () => {
    const token = await makeToken({ aud: "other" });
    const error = await thrownBy(() => acquire({ AGENTCTL_ID_TOKEN: token }));
    expect(error).toMatchObject({ code: "TOKEN_AUDIENCE" });
    expect(error.message).toContain('the token in AGENTCTL_ID_TOKEN is for "other"');
    expect(JSON.stringify(error)).not.toContain(token.slice(0, 20));
  });

  test("the identity holds claims and the token's hash, and does not show the token", async () => {
    const token = await makeToken({ repository_id: "42", hidden: "x" });
    const identity = await acquire({ AGENTCTL_ID_TOKEN: token });
    expect(identity.claims).toMatchObject({ repository_id: "42" });
    expect(identity.claims).not.toHaveProperty("hidden");
    expect(identity.tokenSha256).toBe((await identity.mintToken([AWS_AUDIENCE])).sha256);
    expect(JSON.stringify([identity, await identity.mintToken([AWS_AUDIENCE])])).not.toContain(token);
  });
});
