import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Outcome } from "../e2e/agentctl.js";
import { type MotoStage, openMotoStage } from "./moto-stage.js";
import { runBare, skipWithout } from "./tools.js";

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

let moto: MotoStage;
let roles: Promise<void> | undefined;
beforeAll(async () => {
  moto = await openMotoStage(PROFILES);
});
afterAll(() => moto.close());

/** Two that sessions are to be taken back from; only one has a boundary. */
async function makeRoles(): Promise<void> {
  const trust = ["--assume-role-policy-document", JSON.stringify(TRUST)];
  await callIam("create-role", "--role-name", "target", "--permissions-boundary", BOUNDARY, ...trust);
  await callIam("create-role", "--role-name", "unbounded", ...trust);
}

/** The AWS CLI with keys of nobody's, which moto does not look at. */
async function callIam(operation: string, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const keys = { AWS_ACCESS_KEY_ID: "testing", AWS_SECRET_ACCESS_KEY: "testing", AWS_DEFAULT_REGION: "us-east-1" };
  const env = { ...keys, AWS_ENDPOINT_URL: await moto.url(), HOME: moto.stage.dir, AWS_EC2_METADATA_DISABLED: "true" };
  const outcome = await runBare(["aws", "iam", operation, "--output", "json", ...args], env);
  expect(outcome.code, outcome.stderr).toBe(0);
  return outcome.stdout === "" ? {} : JSON.parse(outcome.stdout);
}

async function runLease(profile: string, ...command: readonly string[]): Promise<Outcome> {
  roles ??= makeRoles();
  await roles;
  const env = await moto.environment();
  return moto.stage.run(["run", "-p", profile, "--receipt", receiptOf(profile), "--quiet", "--", ...command], { env });
}

function receiptOf(profile: string): string {
  return path.join(moto.stage.dir, `${profile}.json`);
}

function readReceipt(profile: string) {
  return JSON.parse(fs.readFileSync(receiptOf(profile), "utf8"));
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
    const started = path.join(moto.stage.dir, "started");
    const outcome = await runLease("unbounded", "touch", started);
    expect(outcome.code).toBe(78);
    expect(outcome.stderr).toContain("error[ESCALATION_POSSIBLE]");
    expect(fs.existsSync(started)).toBe(false);
  });
});
