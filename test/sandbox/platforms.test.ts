import * as fs from "node:fs";
import { AssumeRoleWithWebIdentityCommand } from "@aws-sdk/client-sts";
import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify } from "jose";
import { afterEach, describe, expect, it } from "vitest";
import { acquireIdentity } from "../../src/identity/index.js";
import type { Sandbox, SandboxOptions } from "../../src/sandbox/index.js";
import { fakeRuntime } from "../fake-runtime.js";
import { startSandbox } from "../start-sandbox.js";
import { AZURE_AUDIENCE, askEntra } from "./azure-clients.js";
import { DEMO_ROLE, send, stsClient } from "./clients.js";
import { callGoogle } from "./gcp-clients.js";

let sandbox: Sandbox;
afterEach(() => sandbox.close());

interface Row {
  readonly platform: NonNullable<SandboxOptions["platform"]>;
  readonly source: string;
  readonly subject: string;
  readonly jwks: string;
}

const PLATFORMS: readonly Row[] = [
  {
    platform: "gitlab",
    source: "gitlab",
    subject: "project_path:acme/site:ref_type:branch:ref:main",
    jwks: "/oauth/discovery/keys",
  },
  {
    platform: "kubernetes",
    source: "kubernetes",
    subject: "system:serviceaccount:acme:deploy",
    jwks: "/openid/v1/jwks",
  },
];

/** The audience that Google's provider for the platform takes. */
function googleProvider(platform: string): string {
  return Object.keys(sandbox.world.gcp.providers).find((name) => name.endsWith(`/${platform}`)) ?? "";
}

/** The identity that agentctl finds in the sandbox's environment. */
async function findIdentity(platform: string) {
  const audiences = [
    { cloud: "aws", audiences: ["sts.amazonaws.com"] },
    { cloud: "azure", audiences: [AZURE_AUDIENCE] },
    { cloud: "gcp", audiences: [`https://iam.googleapis.com/${googleProvider(platform)}`] },
  ] as const;
  const identity = await acquireIdentity({ source: "auto", audiences }, fakeRuntime({ env: sandbox.env, fs }));
  const mint = async (index: 0 | 1 | 2): Promise<string> =>
    (await identity.mintToken(audiences[index].audiences)).token.reveal();
  return { identity, tokens: { aws: await mint(0), azure: await mint(1), gcp: await mint(2) } };
}

describe.each(PLATFORMS)("on $platform", ({ platform, source, subject, jwks }) => {
  it("the caller's tokens lie where the platform lays them, and all three clouds take them", async () => {
    sandbox = await startSandbox({ platform });
    const { identity, tokens } = await findIdentity(platform);
    expect(identity).toMatchObject({ source, subject, issuer: sandbox.issuer });

    const input = { RoleArn: DEMO_ROLE, RoleSessionName: "test", WebIdentityToken: tokens.aws };
    const session = await stsClient(sandbox).send(new AssumeRoleWithWebIdentityCommand(input));
    expect(session.SubjectFromWebIdentityToken).toBe(subject);

    expect(await askEntra(sandbox, { client_assertion: tokens.azure })).toMatchObject({ status: 200 });

    const form = {
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      audience: `//iam.googleapis.com/${googleProvider(platform)}`,
      scope: "https://www.googleapis.com/auth/cloud-platform",
      requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      subject_token: tokens.gcp,
    };
    const body = new URLSearchParams(form).toString();
    const exchanged = await callGoogle(sandbox, "/v1/token", undefined, { method: "POST", body });
    const { access_token: federated } = JSON.parse(exchanged.body) as { access_token: string };
    const account = Object.keys(sandbox.world.gcp.serviceAccounts)[0];
    const path = `/v1/projects/-/serviceAccounts/${account}:generateAccessToken`;
    const scope = ["https://www.googleapis.com/auth/cloud-platform"];
    const call = { method: "POST", body: JSON.stringify({ scope }) };
    expect(await callGoogle(sandbox, path, federated, call)).toMatchObject({ status: 200 });
  });

  it("the keys are where discovery says, and nothing is handed out GitHub's way", async () => {
    sandbox = await startSandbox({ platform });
    const discovery = await send(sandbox, new URL("/.well-known/openid-configuration", sandbox.issuer));
    const { issuer, jwks_uri } = JSON.parse(discovery.body) as { issuer: string; jwks_uri: string };
    expect([issuer, jwks_uri]).toEqual([sandbox.issuer, `${sandbox.issuer}${jwks}`]);
    const keys = createRemoteJWKSet(new URL(jwks_uri), {
      [customFetch]: async (url) => new Response((await send(sandbox, new URL(url))).body),
    });
    await expect(jwtVerify(await sandbox.mintToken(), keys, { issuer })).resolves.toMatchObject({
      payload: { sub: subject },
    });
    expect(sandbox.env).not.toHaveProperty("ACTIONS_ID_TOKEN_REQUEST_URL");
    expect(await send(sandbox, new URL("/idtoken/run/job?api-version=2.0", sandbox.issuer))).toMatchObject({
      status: 404,
    });
  });

  it("the world's claims are in every token", async () => {
    sandbox = await startSandbox({ platform, claims: { sub: "somebody", extra: "x" } });
    const { tokens } = await findIdentity(platform);
    for (const token of Object.values(tokens)) expect(decodeJwt(token)).toMatchObject({ sub: "somebody", extra: "x" });
  });
});

describe("a pod's projected tokens", () => {
  it("are replaced by new ones on demand, and agentctl takes the new", async () => {
    sandbox = await startSandbox({ platform: "kubernetes" });
    const file = sandbox.env["AWS_WEB_IDENTITY_TOKEN_FILE"] ?? "";
    const before = fs.readFileSync(file, "utf8");
    const { identity } = await findIdentity("kubernetes");
    await sandbox.rotateTokens();
    const after = fs.readFileSync(file, "utf8");
    expect(after).not.toBe(before);
    expect((await identity.mintToken(["sts.amazonaws.com"])).token.reveal()).toBe(after);
    expect(decodeJwt(after)).toMatchObject({ aud: ["sts.amazonaws.com"], "kubernetes.io": { namespace: "acme" } });
  });

  it("are for this user's eyes only, and gone with the sandbox", async () => {
    sandbox = await startSandbox({ platform: "kubernetes" });
    const file = sandbox.env["AZURE_FEDERATED_TOKEN_FILE"] ?? "";
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    await sandbox.close();
    expect(fs.existsSync(file)).toBe(false);
  });
});

it("on GitLab there is nothing to rotate, and tokens last as long as a job", async () => {
  sandbox = await startSandbox({ platform: "gitlab" });
  await sandbox.rotateTokens();
  const { iat, exp } = decodeJwt(sandbox.env["GITLAB_OIDC_TOKEN_AWS"] ?? "");
  expect((exp ?? 0) - (iat ?? 0)).toBe(3600);
});
