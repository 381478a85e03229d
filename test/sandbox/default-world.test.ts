import { GetRoleCommand, ListRolePoliciesCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { assumeDemoRole, iamClient, REVOKER_ROLE, refusalOf } from "./clients.js";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());

describe("the default world's revoker", () => {
  it.each([
    { role: "agentctl-demo", want: undefined, boundary: "arn:aws:iam::111122223333:policy/agentctl-boundary" },
    { role: "agentctl-chained", want: undefined },
    { role: "agentctl-revoker", want: "AccessDenied" },
  ])("on $role: $want", async ({ role, want, boundary }) => {
    const client = iamClient(sandbox, await assumeDemoRole(sandbox, { RoleArn: REVOKER_ROLE }));
    const document = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ec2:*","Resource":"*"}]}';
    const put = new PutRolePolicyCommand({ RoleName: role, PolicyName: "p", PolicyDocument: document });
    expect((await refusalOf(client.send(put)))?.code).toBe(want);
    if (want !== undefined) return;
    expect((await client.send(new ListRolePoliciesCommand({ RoleName: role }))).PolicyNames).toEqual(["p"]);
    const { Role } = await client.send(new GetRoleCommand({ RoleName: role }));
    expect(Role?.PermissionsBoundary?.PermissionsBoundaryArn).toBe(boundary);
  });

  it("is not the demo role", async () => {
    const client = iamClient(sandbox, await assumeDemoRole(sandbox));
    const listing = new ListRolePoliciesCommand({ RoleName: "agentctl-demo" });
    expect((await refusalOf(client.send(listing)))?.code).toBe("AccessDenied");
  });
});
