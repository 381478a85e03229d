import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type InspectionRequest, inspectIdentity } from "../../src/identity/index.js";
import { fakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";
import { AWS_AUDIENCE, makeToken, NOW, NOW_SECONDS } from "./tokens.js";

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-inspect-"));
});
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

const GITHUB = {
  ACTIONS_ID_TOKEN_REQUEST_URL: "https://token.example/?v=1",
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: "bearer",
};

function inspect(env: Readonly<Record<string, string>>, request: Partial<InspectionRequest> = {}) {
  const asked: string[] = [];
  const runtime = fakeRuntime({
    env,
    now: () => NOW,
    fetch: async ({ url }) => {
      const audience = new URL(url).searchParams.get("audience") ?? "";
      asked.push(audience);
      return { status: 200, headers: {}, body: JSON.stringify({ value: await makeToken({ aud: audience }) }) };
    },
  });
  return { asked, inspection: inspectIdentity({ source: "auto", audiences: [], ...request }, runtime) };
}

describe("a look at an identity", () => {
  test("with no audience: every token that the source has, each with what is wrong with it", async () => {
    const { inspection } = inspect({
      AGENTCTL_ID_TOKEN: await makeToken({ repository_id: "7", secret_of_the_issuer: "x" }),
      AGENTCTL_ID_TOKEN_AZURE: await makeToken({ aud: "azure", exp: NOW_SECONDS - 60 }),
      AGENTCTL_ID_TOKEN_GCP: "ghp_notAJwt",
    });
    const { source, supply, tokens } = await inspection;
    expect({ source, supply }).toEqual({ source: "env", supply: "fixed" });
    const seen = tokens.map(({ token, problem }) => [token?.audience[0], problem?.code]);
    expect(new Set(seen.map(String))).toEqual(new Set([`${AWS_AUDIENCE},`, "azure,TOKEN_EXPIRED", ",TOKEN_MALFORMED"]));
    const good = tokens.find(({ problem }) => problem === undefined)?.token;
    expect(good).toMatchObject({ issuer: "https://issuer.example", signature: { algorithm: "ES256" } });
    expect(good?.claims).toMatchObject({ repository_id: "7" });
    expect(good?.claims).not.toHaveProperty("secret_of_the_issuer");
  });

  test("with audiences: one token each, and the clouds that want it", async () => {
    const { inspection } = inspect(
      { AGENTCTL_ID_TOKEN: await makeToken() },
      {
        audiences: [
          { audiences: [AWS_AUDIENCE], cloud: "aws" },
          { audiences: [AWS_AUDIENCE], cloud: "gcp" },
          { audiences: ["other"], cloud: "azure" },
        ],
      },
    );
    expect((await inspection).tokens).toMatchObject([
      { wanted: AWS_AUDIENCE, clouds: ["aws", "gcp"], token: { audience: [AWS_AUDIENCE] } },
      { wanted: "other", clouds: ["azure"], problem: { code: "TOKEN_AUDIENCE" } },
    ]);
  });

  test("a token that is only looked at is minted for nobody", async () => {
    const { inspection, asked } = inspect(GITHUB);
    expect((await inspection).tokens).toMatchObject([{ token: { audience: ["agentctl-whoami"] } }]);
    expect(asked).toEqual(["agentctl-whoami"]);
  });

  test("offline no token service is asked", async () => {
    const { inspection, asked } = inspect(GITHUB, { offline: true });
    expect(await inspection).toMatchObject({ source: "github-actions", supply: "minted", tokens: [] });
    expect(asked).toEqual([]);
  });

  test("offline a token that is at hand is looked at", async () => {
    const file = path.join(dir, "token");
    fs.writeFileSync(file, await makeToken());
    const { inspection } = inspect({ AGENTCTL_TOKEN_FILE: file }, { offline: true });
    expect(await inspection).toMatchObject({ supply: "rotated", tokens: [{ token: { audience: [AWS_AUDIENCE] } }] });
  });

  test("what keeps a token from being had is a finding", async () => {
    const { inspection } = inspect({ AGENTCTL_TOKEN_FILE: path.join(dir, "nowhere") });
    expect((await inspection).tokens).toMatchObject([{ problem: { code: "NO_IDENTITY" } }]);
  });

  test("no token is in what is answered", async () => {
    const token = await makeToken();
    const shown = JSON.stringify(await inspect({ AGENTCTL_ID_TOKEN: token }).inspection);
    for (const part of token.split(".").slice(1)) expect(shown).not.toContain(part);
  });

  test.each([
    { name: "nothing there", source: "auto", code: "NO_IDENTITY" },
    { name: "a named one is not there", source: "gitlab", code: "NO_IDENTITY" },
    { name: "no such source", source: "kerberos", code: "USAGE" },
  ])("$name", async ({ source, code }) => {
    expect(await thrownBy(() => inspect({}, { source }).inspection)).toMatchObject({ code });
  });
});
