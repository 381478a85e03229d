import { describe, expect, test } from "vitest";
import { acquireIdentity, explainSources, tokenVariables } from "../../src/identity/index.js";
import { fakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";
import { AWS_AUDIENCE, makeToken, NOW, NOW_SECONDS } from "./tokens.js";

const AZURE_AUDIENCE = "api://AzureADTokenExchange";

const GITLAB_CLAIMS = {
  iss: "https://gitlab.example",
  sub: "project_path:acme/site:ref_type:branch:ref:main",
  project_path: "acme/site",
  project_id: "42",
  ref: "main",
  ref_protected: "true",
};

function gitlabToken(claims: Record<string, unknown> = {}): Promise<string> {
  return makeToken({ ...GITLAB_CLAIMS, ...claims });
}

function acquire(env: Record<string, string>, source = "auto", audience = AWS_AUDIENCE) {
  const audiences = [{ cloud: "aws", audiences: [audience] }] as const;
  return acquireIdentity({ source, audiences }, fakeRuntime({ env, now: () => NOW }));
}

describe("the tokens of a GitLab job", () => {
  test("are found by what they hold, and the one whose aud fits is taken", async () => {
    const [aws, azure] = await Promise.all([gitlabToken(), gitlabToken({ aud: AZURE_AUDIENCE })]);
    const identity = await acquire({ GITLAB_CI: "true", FOR_AZURE: azure, WHATEVER: ` ${aws}\n` });
    expect(identity).toMatchObject({
      source: "gitlab",
      reason: "FOR_AZURE holds a GitLab ID token",
      issuer: "https://gitlab.example",
      subject: GITLAB_CLAIMS.sub,
      claims: { project_path: "acme/site", project_id: "42", ref_protected: "true" },
    });
    expect((await identity.mintToken([AWS_AUDIENCE])).token.reveal()).toBe(aws);
    expect((await identity.mintToken([AZURE_AUDIENCE])).token.reveal()).toBe(azure);
  });

  test("come after what was set for agentctl", async () => {
    const [given, job] = await Promise.all([makeToken(), gitlabToken()]);
    expect(await acquire({ GITLAB_CI: "true", JOB: job, AGENTCTL_ID_TOKEN: given })).toMatchObject({ source: "env" });
  });

  test("are kept from the child, whatever they are called; nothing else of the job is", async () => {
    const env = {
      GITLAB_CI: "true",
      CI_JOB_TOKEN: "glcbt-64_secret",
      CI_PROJECT_PATH: "acme/site",
      MY_TOKEN: await gitlabToken(),
      ANOTHER: await gitlabToken({ aud: "vault" }),
      OF_SOMEBODY_ELSE: await makeToken(),
      LOOKS_LIKE_ONE: "eyJhbGciOiJub25lIn0.x.y",
    };
    expect(tokenVariables(fakeRuntime({ env }))).toEqual(["ANOTHER", "MY_TOKEN"]);
  });
});

describe("a GitLab job whose tokens do not do", () => {
  const rows = [
    {
      name: "has none",
      claims: undefined,
      source: "auto",
      code: "NO_IDENTITY",
      says: "this GitLab CI job has no ID token",
      hint: "id_tokens: { ANY_NAME: { aud:",
    },
    {
      name: "has none, and was asked for by name",
      claims: undefined,
      source: "gitlab",
      code: "NO_IDENTITY",
      says: "the identity source gitlab is not there",
      hint: ".gitlab-ci.yml",
    },
    {
      name: "has one for another audience",
      claims: { aud: ["vault", "https://gitlab.example"] },
      source: "auto",
      code: "TOKEN_AUDIENCE",
      says: 'the token in JOB_TOKEN is for "vault", "https://gitlab.example"',
      hint: 'id_tokens: { ANY_NAME: { aud: "sts.amazonaws.com" } }',
    },
    {
      name: "has run for longer than its token lasts",
      claims: { exp: NOW_SECONDS - 60 },
      source: "auto",
      code: "TOKEN_EXPIRED",
      says: "the token in JOB_TOKEN expired 1m ago",
      hint: "none can be renewed in the job",
    },
  ];
  test.each(rows)("$name", async ({ claims, source, code, says, hint }) => {
    const token = claims === undefined ? undefined : await gitlabToken(claims);
    const error = await thrownBy(() => acquire({ GITLAB_CI: "true", ...(token && { JOB_TOKEN: token }) }, source));
    expect(error.code).toBe(code);
    expect(error.message).toContain(says);
    expect(error.hint).toContain(hint);
    if (token !== undefined) expect(JSON.stringify(error)).not.toContain(token.slice(0, 20));
  });

  test("is none outside GitLab, though a token lies about", async () => {
    const runtime = fakeRuntime({ env: { STRAY: await gitlabToken() } });
    expect(explainSources(runtime)).toContainEqual({
      name: "gitlab",
      found: false,
      reason: "this is not a GitLab CI job",
    });
  });
});
