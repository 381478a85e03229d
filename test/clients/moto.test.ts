import { generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Outcome, openStage, type Stage } from "../e2e/agentctl.js";
import { AWS_CLIENTS } from "./aws-clients.js";
import { type Moto, startMoto } from "./moto.js";
import { CLIENT_PATH, skipWithout } from "./tools.js";

const MOTO = { tool: "moto_server" };
const PROFILES = `version: 1
profiles:
  demo:
    ttl: 15m
    aws:
      role_arn: arn:aws:iam::123456789012:role/agentctl-demo
      region: eu-central-1
  chained:
    extends: demo
    aws: { chain: [{ role_arn: "arn:aws:iam::123456789012:role/agentctl-chained" }] }
`;

let stage: Stage;
let moto: Moto | undefined;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(PROFILES);
});
afterAll(async () => {
  await moto?.close();
  await stage.close();
});

/** An identity of no platform's, and moto in the place of every service of AWS's. */
async function environment(): Promise<Record<string, string | undefined>> {
  moto ??= await startMoto();
  const names = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_S3"];
  return {
    PATH: CLIENT_PATH,
    ...Object.fromEntries(names.map((name) => [name, moto?.url])),
    AWS_CA_BUNDLE: undefined,
    ACTIONS_ID_TOKEN_REQUEST_URL: undefined,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: undefined,
    AGENTCTL_ID_TOKEN: await signToken(),
  };
}

async function signToken(): Promise<string> {
  const { privateKey } = await generateKeyPair("RS256");
  const claims = { iss: "https://issuer.test", sub: "somebody", aud: "sts.amazonaws.com" };
  const token = new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "1" });
  return token.setIssuedAt().setExpirationTime("10m").sign(privateKey);
}

async function runClient(profile: string, command: readonly string[]): Promise<Outcome> {
  return stage.run(["run", "-p", profile, "--quiet", "--", ...command], { env: await environment() });
}

describe("moto as AWS", () => {
  test.for(AWS_CLIENTS)("$name is the lease's session, and writes and reads S3", async (client, { skip }) => {
    skipWithout(skip, MOTO, ...client.needs);
    const env = await environment();
    const bucket = `bucket-${client.name.replace(/\W+/g, "-").toLowerCase()}`;
    expect((await fetch(`${env["AWS_ENDPOINT_URL_S3"]}/${bucket}`, { method: "PUT" })).status).toBe(200);
    const tasks = ["whoami", `put:${bucket}/dir/file=some text`, `get:${bucket}/dir/file`, `keys:${bucket}`];
    const outcome = await runClient("demo", client.command(...tasks));
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    const [whoami, ...rest] = outcome.stdout.trim().split("\n");
    const lease = stage.auditRecords().at(-1)?.["lease"];
    expect(whoami).toBe(`whoami: arn:aws:sts::123456789012:assumed-role/agentctl-demo/agentctl-${lease}`);
    expect(rest).toEqual(["put: ok", "get: some text", "keys: dir/file"]);
  });

  test("a chain ends in its last role", async ({ skip }) => {
    skipWithout(skip, MOTO, { tool: "aws" });
    const outcome = await runClient("chained", ["aws", "sts", "get-caller-identity", "--query", "Arn"]);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(outcome.stdout).toMatch(/:assumed-role\/agentctl-chained\/agentctl-l-\w{16}"/);
  });
});
