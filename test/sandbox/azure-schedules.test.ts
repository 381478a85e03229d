import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  ACCOUNT,
  type ArmAnswer,
  ask,
  assign,
  assignmentPath,
  BLOB_READER,
  JUSTIFICATION,
  list,
  openRoles,
  READER,
  type RolesStage,
  request,
  roleIdIn,
  SUBSCRIPTION,
} from "./azure-roles.js";
import { lasting, MINUTE_MS, REMOVE, ROLE, readsAfter, requestPath } from "./azure-schedules.js";

let stage: RolesStage;
beforeAll(async () => {
  stage = await openRoles();
});
afterEach(() => stage.reset());
afterAll(() => stage.sandbox.close());

describe("a time-bound assignment", () => {
  it("is made by a request, which is kept", async () => {
    const name = randomUUID();
    const made = await request(stage, "granter", { name });
    expect(made).toMatchObject({
      status: 201,
      body: {
        name,
        id: `${ACCOUNT}/providers/Microsoft.Authorization/RoleAssignmentScheduleRequests/${name}`,
        type: "Microsoft.Authorization/RoleAssignmentScheduleRequests",
        properties: {
          targetRoleAssignmentScheduleId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          scope: ACCOUNT,
          roleDefinitionId: roleIdIn(BLOB_READER),
          principalId: stage.ids.one,
          principalType: "ServicePrincipal",
          requestType: "AdminAssign",
          status: "Provisioned",
          justification: JUSTIFICATION,
          requestorId: stage.ids.granter,
          scheduleInfo: { expiration: { type: "AfterDuration", duration: "PT30M", endDateTime: null } },
          expandedProperties: {
            roleDefinition: { displayName: "Storage Blob Data Reader" },
            principal: { displayName: "jit-one" },
          },
        },
      },
    });
    expect((await ask(stage, "granter", "GET", requestPath(ACCOUNT, name))).body).toEqual(made.body);
    expect((await ask(stage, "one", "GET", requestPath(ACCOUNT, name))).body).toEqual(made.body);
  });

  it("grants until its end, and is listed nowhere afterwards", async () => {
    await request(stage, "granter", ROLE);
    expect([await readsAfter(stage, 0), await readsAfter(stage, 29), await readsAfter(stage, 31)]).toEqual([
      200, 200, 403,
    ]);
    for (const kind of ["roleAssignments", "roleAssignmentSchedules", "roleAssignmentScheduleInstances"]) {
      const { body } = await list(stage, "granter", SUBSCRIPTION, kind, `principalId eq '${stage.ids.one}'`);
      expect(body.value, kind).toEqual([]);
    }
  });

  it("may end at a time, and begin later", async () => {
    const at = (minutes: number): string => new Date(Date.now() + minutes * MINUTE_MS).toISOString();
    const startDateTime = at(10);
    const scheduleInfo = { startDateTime, expiration: { type: "AfterDateTime", endDateTime: at(20) } };
    const made = await request(stage, "granter", { ...ROLE, properties: { scheduleInfo } });
    expect(made.body.properties).toMatchObject({ status: "Granted", scheduleInfo });
    const filter = `principalId eq '${stage.ids.one}'`;
    const schedules = await list(stage, "granter", SUBSCRIPTION, "roleAssignmentSchedules", filter);
    expect(schedules.body.value).toMatchObject([{ properties: { startDateTime } }]);
    for (const kind of ["roleAssignments", "roleAssignmentScheduleInstances"]) {
      expect((await list(stage, "granter", SUBSCRIPTION, kind, filter)).body.value, kind).toEqual([]);
    }
    expect([await readsAfter(stage, 0), await readsAfter(stage, 11), await readsAfter(stage, 21)]).toEqual([
      403, 200, 403,
    ]);
  });

  it("is prolonged and shortened by further requests", async () => {
    await request(stage, "granter", ROLE);
    const change = async (requestType: string, duration: string): Promise<ArmAnswer> => {
      const { properties } = lasting(duration);
      return request(stage, "granter", { ...ROLE, properties: { ...properties, requestType } });
    };
    expect((await change("AdminExtend", "PT45M")).body.properties).toMatchObject({ status: "Provisioned" });
    expect(await readsAfter(stage, 44)).toBe(200);
    stage.sandbox.clock.setOffset(0);
    expect((await change("AdminUpdate", "PT10M")).status).toBe(201);
    expect([await readsAfter(stage, 9), await readsAfter(stage, 11)]).toEqual([200, 403]);
    stage.sandbox.clock.setOffset(50 * MINUTE_MS);
    expect((await change("AdminExtend", "PT45M")).refusal).toMatch(/^400 RoleAssignmentDoesNotExist/);
  });

  it("ends, and begins, after the delay", async () => {
    stage.sandbox.azureRoles.setPropagation(2 * MINUTE_MS);
    await request(stage, "granter", ROLE);
    expect([await readsAfter(stage, 1), await readsAfter(stage, 3)]).toEqual([403, 200]);
    expect([await readsAfter(stage, 31), await readsAfter(stage, 33)]).toEqual([200, 403]);
  });

  it("is a role assignment like others, and its end too", async () => {
    await request(stage, "granter", ROLE);
    const [made] = (await list(stage, "granter", SUBSCRIPTION, "roleAssignments", `principalId eq '${stage.ids.one}'`))
      .body.value;
    expect(made?.properties).toMatchObject({ roleDefinitionId: roleIdIn(READER), scope: SUBSCRIPTION });
    expect((await assign(stage, "granter", ROLE)).refusal).toMatch(/^409 RoleAssignmentExists/);
    await ask(stage, "granter", "DELETE", assignmentPath(SUBSCRIPTION, made?.name ?? ""));
    expect(await readsAfter(stage, 0)).toBe(403);
  });
});

describe("an assignment that is being made", () => {
  const KINDS = ["roleAssignments", "roleAssignmentSchedules", "roleAssignmentScheduleInstances"];
  const count = async () => {
    const found = KINDS.map(async (kind) => (await list(stage, "granter", SUBSCRIPTION, kind)).body.value.length);
    return (await Promise.all(found)).reduce((sum, one) => sum + one, 0);
  };

  it("is told of by its request alone, cannot be asked for again and is not there to be removed", async () => {
    const before = await count();
    const name = randomUUID();
    stage.sandbox.azureRoles.setProvisioning(MINUTE_MS);
    const made = await request(stage, "granter", { ...ROLE, name });
    expect(made.body.properties["status"]).toBe("PendingProvisioning");
    expect(await count()).toBe(before);
    expect((await request(stage, "granter", ROLE)).refusal).toMatch(/^400 PendingRoleAssignmentRequest/);
    expect((await request(stage, "granter", { ...ROLE, ...REMOVE })).refusal).toMatch(
      /^400 RoleAssignmentDoesNotExist/,
    );
    expect(await readsAfter(stage, 0)).toBe(403);
    expect(await readsAfter(stage, 2)).toBe(200);
    expect(await count()).toBe(before + KINDS.length);
    const read = await ask(stage, "granter", "GET", requestPath(SUBSCRIPTION, name));
    expect(read.body.properties["status"]).toBe("Provisioned");
    expect((await request(stage, "granter", ROLE)).refusal).toMatch(/^400 RoleAssignmentExists/);
  });
});

describe("by remote control", () => {
  const CHANGES = '{"propagationMs":5,"service":"blob","releaseMs":7,"minimumAgeMs":9,"provisioningMs":8}';
  it("assignments are told, and the delays set", async () => {
    const control = `${stage.sandbox.env["AGENTCTL_SANDBOX_CONTROL_URL"]}/azure`;
    await request(stage, "granter");
    const posted = await fetch(control, { method: "POST", body: CHANGES });
    expect(posted.status).toBe(204);
    const told = (await (await fetch(control)).json()) as Record<string, unknown>;
    expect(told).toMatchObject({
      propagationMs: { arm: 0, blob: 5 },
      releaseMs: 7,
      minimumAgeMs: 9,
      provisioningMs: 8,
    });
    expect(told["roleAssignments"]).toContainEqual(
      expect.objectContaining({ scope: ACCOUNT, roleId: BLOB_READER, principalId: stage.ids.one }),
    );
    const refused = await fetch(control, { method: "POST", body: '{"propagationMs":-1}' });
    expect(refused.status).toBe(400);
  });

  it("a fault strikes an operation by its name", async () => {
    stage.sandbox.faults.add({ service: "arm", operation: "RoleAssignmentScheduleRequests_Create", kind: "throttle" });
    expect((await request(stage, "granter")).refusal).toMatch(/^429 TooManyRequests/);
    stage.sandbox.faults.clear();
    await request(stage, "granter");
    expect(stage.sandbox.requests().at(-1)).toMatchObject({
      operation: "RoleAssignmentScheduleRequests_Create",
      status: 201,
      parameters: { scope: ACCOUNT, requestType: "AdminAssign", principalId: stage.ids.one, roleId: BLOB_READER },
    });
  });
});
