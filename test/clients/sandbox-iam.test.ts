import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Sandbox } from "../../src/sandbox/index.js";
import { assumeDemoRole, REVOKER_ROLE } from "../sandbox/clients.js";
import { startSandbox } from "../start-sandbox.js";
import { runBare, skipWithout } from "./tools.js";

const ON_DEMO = ["--role-name", "agentctl-demo"];
const DENY = { Version: "2012-10-17", Statement: [{ Effect: "Deny", Action: "ec2:*", Resource: "*" }] };

let sandbox: Sandbox;
let env: Record<string, string>;
beforeAll(async () => {
  sandbox = await startSandbox();
  const keys = await assumeDemoRole(sandbox, { RoleArn: REVOKER_ROLE });
  env = {
    ...sandbox.env,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_SESSION_TOKEN: keys.sessionToken,
  };
});
afterAll(() => sandbox.close());

async function callIam(operation: string, ...args: readonly string[]): Promise<unknown> {
  const outcome = await runBare(["aws", "iam", operation, "--output", "json", ...args], env);
  expect(outcome.code, outcome.stderr).toBe(0);
  return outcome.stdout === "" ? undefined : JSON.parse(outcome.stdout);
}

describe("the AWS CLI on the sandbox's IAM", () => {
  test("puts, lists, gets and deletes a role's inline policies", async ({ skip }) => {
    skipWithout(skip, { tool: "aws" });
    const boundary = "arn:aws:iam::111122223333:policy/agentctl-boundary";
    expect(await callIam("get-role", ...ON_DEMO)).toMatchObject({
      Role: {
        RoleName: "agentctl-demo",
        AssumeRolePolicyDocument: sandbox.world.roles["arn:aws:iam::111122223333:role/agentctl-demo"]?.trust,
        PermissionsBoundary: { PermissionsBoundaryType: "Policy", PermissionsBoundaryArn: boundary },
      },
    });
    for (const name of ["one", "two"]) {
      await callIam("put-role-policy", ...ON_DEMO, "--policy-name", name, "--policy-document", JSON.stringify(DENY));
    }
    // In pages of one, which the CLI turns by itself.
    expect(await callIam("list-role-policies", ...ON_DEMO, "--page-size", "1")).toEqual({
      PolicyNames: ["one", "two"],
    });
    const one = ["--policy-name", "one"];
    expect(await callIam("get-role-policy", ...ON_DEMO, ...one)).toMatchObject({ PolicyDocument: DENY });
    await callIam("delete-role-policy", ...ON_DEMO, ...one);
    expect(await callIam("list-role-policies", ...ON_DEMO)).toEqual({ PolicyNames: ["two"] });
  });

  test("is told what IAM refuses, in IAM's words", async ({ skip }) => {
    skipWithout(skip, { tool: "aws" });
    const { code, stderr } = await runBare(["aws", "iam", "get-role", "--role-name", "agentctl-revoker"], env);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(
      /\(AccessDenied\) when calling the GetRole operation: User: \S+ is not authorized to perform: iam:GetRole on resource: role agentctl-revoker because no identity-based policy allows the iam:GetRole action/,
    );
  });
});
