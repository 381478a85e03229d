import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Outcome } from "../e2e/agentctl.js";
import { AWS_CLIENTS } from "./aws-clients.js";
import { type MotoStage, openMotoStage } from "./moto-stage.js";
import { skipWithout } from "./tools.js";

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

let moto: MotoStage;
beforeAll(async () => {
  moto = await openMotoStage(PROFILES);
});
afterAll(() => moto.close());

async function runClient(profile: string, command: readonly string[]): Promise<Outcome> {
  const env = await moto.environment();
  return moto.stage.run(["run", "-p", profile, "--quiet", "--", ...command], { env });
}

describe("moto as AWS", () => {
  test.for(AWS_CLIENTS)("$name is the lease's session, and writes and reads S3", async (client, { skip }) => {
    skipWithout(skip, MOTO, ...client.needs);
    const bucket = `bucket-${client.name.replace(/\W+/g, "-").toLowerCase()}`;
    expect((await fetch(`${await moto.url()}/${bucket}`, { method: "PUT" })).status).toBe(200);
    const tasks = ["whoami", `put:${bucket}/dir/file=some text`, `get:${bucket}/dir/file`, `keys:${bucket}`];
    const outcome = await runClient("demo", client.command(...tasks));
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    const [whoami, ...rest] = outcome.stdout.trim().split("\n");
    const lease = moto.stage.auditRecords().at(-1)?.["lease"];
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
