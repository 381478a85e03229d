import fs from "node:fs";
import path from "node:path";
import { generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Outcome, openStage, type Stage } from "../e2e/agentctl.js";
import { type Moto, startMoto } from "./moto.js";
import { CLIENT_PATH, runBare, skipWithout } from "./tools.js";

const ACCOUNT = "123456789012";
const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const BOUNDARY = `arn:aws:iam::${ACCOUNT}:policy/boundary`;
const TRUST = { Version: "2012-10-17", Statement: [] };
const PROFILES = `version: 1
profiles:
  demo:
    ttl: 15m
    aws:
      role_arn: ${roleArn("target")}
      region: eu-central-1
      revoker: { role_arn: "${roleArn("revoker")}" }
  unbounded:
    extends: demo
    revoke: required
    aws: { role_arn: "${roleArn("unbounded")}" }
`;
const NEEDS = [{ tool: "moto_server" }, { tool: "aws" }];

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

/** Moto in the place of every service of AWS's, with two roles to be taken back from; only one has a boundary. */
async function openMoto(): Promise<Moto> {
  if (moto !== undefined) return moto;
  moto = await startMoto();
  const trust = ["--assume-role-policy-document", JSON.stringify(TRUST)];
  await callIam("create-role", "--role-name", "target", "--permissions-boundary", BOUNDARY, ...trust);
  await callIam("create-role", "--role-name", "unbounded", ...trust);
  return moto;
}

/** The AWS CLI with keys of nobody's, which moto does not look at. */
async function callIam(operation: string, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const keys = { AWS_ACCESS_KEY_ID: "testing", AWS_SECRET_ACCESS_KEY: "testing", AWS_DEFAULT_REGION: "us-east-1" };
  const env = { ...keys, AWS_ENDPOINT_URL: moto?.url ?? "", HOME: stage.dir, AWS_EC2_METADATA_DISABLED: "true" };
  const outcome = await runBare(["aws", "iam", operation, "--output", "json", ...args], env);
  expect(outcome.code, outcome.stderr).toBe(0);
  return outcome.stdout === "" ? {} : JSON.parse(outcome.stdout);
}

async function runLease(profile: string, ...command: readonly string[]): Promise<Outcome> {
  const { url } = await openMoto();
  const names = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_S3"];
  const receipt = path.join(stage.dir, `${profile}.json`);
  return stage.run(["run", "-p", profile, "--receipt", receipt, "--quiet", "--", ...command], {
    env: {
      PATH: CLIENT_PATH,
      ...Object.fromEntries(names.map((name) => [name, url])),
      AWS_CA_BUNDLE: undefined,
      ACTIONS_ID_TOKEN_REQUEST_URL: undefined,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: undefined,
      AGENTCTL_ID_TOKEN: await signToken(),
    },
  });
}

async function signToken(): Promise<string> {
  const { privateKey } = await generateKeyPair("RS256");
  const claims = { iss: "https://issuer.test", sub: "somebody", aud: "sts.amazonaws.com" };
  const token = new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "1" });
  return token.setIssuedAt().setExpirationTime("10m").sign(privateKey);
}

function readReceipt(profile: string) {
  return JSON.parse(fs.readFileSync(path.join(stage.dir, `${profile}.json`), "utf8"));
}

const LIST = [
  "aws",
  "iam",
  "list-role-policies",
  "--role-name",
  "target",
  "--query",
  "PolicyNames",
  "--output",
  "json",
];

describe("moto's IAM", () => {
  test("is given the deny for the lease's session when the command has ended, and not before", async ({ skip }) => {
    skipWithout(skip, ...NEEDS);
    const outcome = await runLease("demo", ...LIST);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(outcome.stdout)).toEqual([]);

    const { lease, endings } = readReceipt("demo");
    const { PolicyNames: names } = await callIam("list-role-policies", "--role-name", "target");
    expect(names).toEqual([expect.stringMatching(new RegExp(`^agentctl-revoke-\\d+-${lease}$`))]);
    const [name = ""] = names as string[];
    const got = await callIam("get-role-policy", "--role-name", "target", "--policy-name", name);
    const { Statement: statement } = got["PolicyDocument"] as Record<string, unknown>;
    expect([statement].flat()).toEqual([
      {
        Effect: "Deny",
        Action: "*",
        Resource: "*",
        Condition: { StringLike: { "aws:userid": expect.stringMatching(new RegExp(`:agentctl-${lease}$`)) } },
      },
    ]);
    // Moto refuses nobody, so nothing more can be seen of it.
    expect(endings).toEqual([expect.objectContaining({ cloud: "aws", word: "removed" })]);
  });

  test("shows a role without a boundary, for which no command is started", async ({ skip }) => {
    skipWithout(skip, ...NEEDS);
    const started = path.join(stage.dir, "started");
    const outcome = await runLease("unbounded", "touch", started);
    expect(outcome.code).toBe(78);
    expect(outcome.stderr).toContain("error[ESCALATION_POSSIBLE]");
    expect(fs.existsSync(started)).toBe(false);
  });
});
