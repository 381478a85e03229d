import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AgentctlError } from "../../src/core/errors.js";
import { acquireIdentity, type IdentityRequest, requireSameCaller } from "../../src/identity/index.js";
import { fakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";
import { AWS_AUDIENCE, makeToken, NOW, NOW_SECONDS } from "./tokens.js";

const AZURE_AUDIENCE = "api://AzureADTokenExchange";
const BOTH: IdentityRequest["audiences"] = [
  { cloud: "aws", audiences: [AWS_AUDIENCE] },
  { cloud: "azure", audiences: [AZURE_AUDIENCE] },
];
const GITHUB = { ACTIONS_ID_TOKEN_REQUEST_URL: "https://github.invalid/?v=1", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t" };
const GITLAB_CLAIMS = { project_path: "acme/site", ref_protected: "true" };

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-renewal-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

/** One token for AWS, and one for Azure that ends earlier. */
function makeTokens(claims: Record<string, unknown> = {}): Promise<string[]> {
  return Promise.all([
    makeToken({ ...claims, exp: NOW_SECONDS + 900 }),
    makeToken({ ...claims, aud: AZURE_AUDIENCE, exp: NOW_SECONDS + 600 }),
  ]);
}

describe("until when an identity can be minted", () => {
  const rows: readonly {
    name: string;
    claims?: Record<string, unknown>;
    env: (aws: string, azure: string) => Record<string, string>;
    source: string;
    want: number | undefined;
  }[] = [
    {
      name: "tokens in the environment end with the first of them",
      env: (aws, azure) => ({ AGENTCTL_ID_TOKEN_AWS: aws, AGENTCTL_ID_TOKEN_AZURE: azure }),
      source: "env",
      want: NOW + 600_000,
    },
    {
      name: "so do those of a GitLab job",
      claims: GITLAB_CLAIMS,
      env: (aws, azure) => ({ GITLAB_CI: "true", ONE: aws, TWO: azure }),
      source: "gitlab",
      want: NOW + 600_000,
    },
    {
      name: "files are rotated by whoever wrote them",
      env: (aws, azure) => ({
        AGENTCTL_TOKEN_FILE_AWS: writeFile("aws", aws),
        AGENTCTL_TOKEN_FILE_AZURE: writeFile("azure", azure),
      }),
      source: "token-file",
      want: undefined,
    },
    {
      name: "a pod's tokens are rotated by the kubelet",
      env: (aws, azure) => ({
        AWS_WEB_IDENTITY_TOKEN_FILE: writeFile("aws", aws),
        AZURE_FEDERATED_TOKEN_FILE: writeFile("azure", azure),
      }),
      source: "kubernetes",
      want: undefined,
    },
    { name: "GitHub mints on request", env: () => GITHUB, source: "github-actions", want: undefined },
  ];
  test.each(rows)("$name", async ({ claims, env, source, want }) => {
    const [aws = "", azure = ""] = await makeTokens(claims);
    const runtime = fakeRuntime({
      env: env(aws, azure),
      cwd: dir,
      now: () => NOW,
      fetch: async ({ url }) => {
        const value = new URL(url).searchParams.get("audience") === AWS_AUDIENCE ? aws : azure;
        return { status: 200, headers: {}, body: JSON.stringify({ value }) };
      },
    });
    const identity = await acquireIdentity({ source: "auto", audiences: BOTH }, runtime);
    expect(identity.source).toBe(source);
    expect(identity.mintableUntil).toBe(want);
    expect("mintableUntil" in identity).toBe(want !== undefined);
  });

  function writeFile(name: string, text: string): string {
    const file = path.join(dir, name);
    fs.writeFileSync(file, text);
    return file;
  }
});

describe("acquired again", () => {
  const first = { issuer: "https://issuer.example", subject: "repo:acme/site" };

  test("the same caller may go on", () => {
    expect(() => requireSameCaller(first, { ...first })).not.toThrow();
  });

  const rows = [
    {
      name: "issuer",
      again: { ...first, issuer: "https://other.example" },
      claim: "iss",
      seen: "https://other.example",
    },
    { name: "subject", again: { ...first, subject: "repo:evil/site" }, claim: "sub", seen: "repo:evil/site" },
  ];
  test.each(rows)("another $name may not, and is named", async ({ again, claim, seen }) => {
    const error = await thrownBy(() => requireSameCaller(first, again));
    expect(error).toMatchObject({ code: "IDENTITY_DENIED", facts: { claim, seen } });
    expect(error.message).toContain(`its \`${claim}\` was`);
    expect(error.message).toContain(seen);
  });

  test("a token that was rotated for somebody else's is seen", async () => {
    const file = path.join(dir, "token");
    const runtime = fakeRuntime({ env: { AGENTCTL_TOKEN_FILE: file }, cwd: dir, now: () => NOW });
    const request = { source: "token-file", audiences: [{ cloud: "aws", audiences: [AWS_AUDIENCE] }] } as const;
    fs.writeFileSync(file, await makeToken({ sub: "one" }));
    const identity = await acquireIdentity(request, runtime);
    fs.writeFileSync(file, await makeToken({ sub: "another" }));
    const again = await acquireIdentity(request, runtime);
    expect((await thrownBy(() => requireSameCaller(identity, again))).code).toBe("IDENTITY_DENIED");
  });

  test("nobody waits for the source once the signal is aborted", async () => {
    const runtime = fakeRuntime({ env: GITHUB, now: () => NOW, fetch: () => new Promise(() => {}) });
    const stop = new AbortController();
    const request = { source: "auto", audiences: BOTH, signal: stop.signal };
    const waiting = thrownBy(() => acquireIdentity(request, runtime));
    stop.abort(new AgentctlError("LEASE_ENDED", "over"));
    expect((await waiting).code).toBe("LEASE_ENDED");
  });
});
