import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { callArm } from "./azure-clients.js";
import {
  ACCOUNT,
  type ArmAnswer,
  ask,
  assign,
  assignmentPath,
  authorizationPath,
  BLOB_READER,
  GROUP,
  JUSTIFICATION,
  list,
  type NewAssignment,
  OTHER_CONTAINER,
  OWNER,
  openRoles,
  READER,
  type RolesStage,
  request,
  roleIdIn,
  SUBSCRIPTION,
  type Who,
} from "./azure-roles.js";

let stage: RolesStage;
beforeAll(async () => {
  stage = await openRoles();
});
afterEach(() => stage.reset());
afterAll(() => stage.sandbox.close());

const MINUTE_MS = 60_000;
const ROLE = { role: READER, scope: SUBSCRIPTION };
const REMOVE = { properties: { requestType: "AdminRemove", scheduleInfo: undefined, justification: undefined } };
const GROUPS = `${SUBSCRIPTION}/resourcegroups?api-version=2024-11-01`;

/** When `one` can list resource groups, by the clock of the service. */
async function readsAfter(minutes: number): Promise<number> {
  stage.sandbox.clock.setOffset(minutes * MINUTE_MS);
  return (await callArm(stage.sandbox, GROUPS, stage.tokens.one)).status;
}

function lasting(duration: string, more: Readonly<Record<string, unknown>> = {}): NewAssignment {
  return { properties: { scheduleInfo: { expiration: { type: "AfterDuration", duration }, ...more } } };
}

function requestPath(scope: string, name: string): string {
  return authorizationPath(scope, `roleAssignmentScheduleRequests/${name}`, "2020-10-01");
}

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
    expect([await readsAfter(0), await readsAfter(29), await readsAfter(31)]).toEqual([200, 200, 403]);
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
    expect([await readsAfter(0), await readsAfter(11), await readsAfter(21)]).toEqual([403, 200, 403]);
  });

  it("is prolonged and shortened by further requests", async () => {
    await request(stage, "granter", ROLE);
    const change = async (requestType: string, duration: string): Promise<ArmAnswer> => {
      const { properties } = lasting(duration);
      return request(stage, "granter", { ...ROLE, properties: { ...properties, requestType } });
    };
    expect((await change("AdminExtend", "PT45M")).body.properties).toMatchObject({ status: "Provisioned" });
    expect(await readsAfter(44)).toBe(200);
    stage.sandbox.clock.setOffset(0);
    expect((await change("AdminUpdate", "PT10M")).status).toBe(201);
    expect([await readsAfter(9), await readsAfter(11)]).toEqual([200, 403]);
    stage.sandbox.clock.setOffset(50 * MINUTE_MS);
    expect((await change("AdminExtend", "PT45M")).refusal).toMatch(/^400 RoleAssignmentDoesNotExist/);
  });

  it("ends, and begins, after the delay", async () => {
    stage.sandbox.azureRoles.setPropagation(2 * MINUTE_MS);
    await request(stage, "granter", ROLE);
    expect([await readsAfter(1), await readsAfter(3)]).toEqual([403, 200]);
    expect([await readsAfter(31), await readsAfter(33)]).toEqual([200, 403]);
  });

  it("is a role assignment like others, and its end too", async () => {
    await request(stage, "granter", ROLE);
    const [made] = (await list(stage, "granter", SUBSCRIPTION, "roleAssignments", `principalId eq '${stage.ids.one}'`))
      .body.value;
    expect(made?.properties).toMatchObject({ roleDefinitionId: roleIdIn(READER), scope: SUBSCRIPTION });
    expect((await assign(stage, "granter", ROLE)).refusal).toMatch(/^409 RoleAssignmentExists/);
    await ask(stage, "granter", "DELETE", assignmentPath(SUBSCRIPTION, made?.name ?? ""));
    expect(await readsAfter(0)).toBe(403);
  });
});

describe("a request that is refused", () => {
  interface Row extends NewAssignment {
    readonly title: string;
    readonly who?: Who;
    readonly before?: NewAssignment;
    readonly want: string;
  }
  const NAME = "01234567-89ab-cdef-0123-456789abcdef";
  const POLICY = "400 RoleAssignmentRequestPolicyValidationFailed: The following policy rules failed: ";
  const TOO_SHORT = "400 ActiveDurationTooShort: The Active duration is too short. Miniumum Required is 5 minutes.";
  const INSUFFICIENT = "400 InsufficientPermissions: The requestor ";
  const INVALID_SCHEDULE = "400 InvalidRoleAssignmentRequestSchedule: The role assignment request schedule is invalid.";
  const rows: readonly Row[] = [
    { title: "what is assigned", before: {}, want: "400 RoleAssignmentExists: The Role assignment already exists." },
    {
      title: "a name that was used",
      before: { name: NAME },
      name: NAME.toUpperCase(),
      scope: GROUP,
      want: `409 RoleAssignmentRequestExists: A role assignment request with Id: ${NAME} already exists.`,
    },
    { title: "a name that is no GUID", name: "x", want: "400 InvalidRoleAssignmentRequest: " },
    { title: "four minutes", ...lasting("PT4M59S"), want: TOO_SHORT },
    { title: "more than 180 days", ...lasting("P181D"), want: `${POLICY}["ExpirationRule"]` },
    {
      title: "for ever",
      properties: { scheduleInfo: { expiration: { type: "NoExpiration" } } },
      want: `${POLICY}["ExpirationRule"]`,
    },
    { title: "no schedule", properties: { scheduleInfo: null }, want: `${POLICY}["ExpirationRule"]` },
    { title: "no reason", properties: { justification: "" }, want: `${POLICY}["JustificationRule"]` },
    {
      title: "neither schedule nor reason",
      properties: { justification: null, scheduleInfo: null },
      want: `${POLICY}["ExpirationRule","JustificationRule"]`,
    },
    { title: "no duration", ...lasting("30m"), want: INVALID_SCHEDULE },
    { title: "no duration at all", ...lasting("PT"), want: INVALID_SCHEDULE },
    { title: "no time", ...lasting("PT30M", { startDateTime: "soon" }), want: INVALID_SCHEDULE },
    { title: "what is over", ...lasting("PT30M", { startDateTime: "2026-01-01T00:00:00Z" }), want: INVALID_SCHEDULE },
    { title: "a role that the granter may not assign", role: OWNER, want: INSUFFICIENT },
    { title: "somebody who may assign nothing", who: "one", want: INSUFFICIENT },
    { title: "a role that is not there", who: "owner", role: randomUUID(), want: "400 RoleNotFound: " },
    { title: "somebody who is not there", properties: { principalId: randomUUID() }, want: "400 SubjectNotFound: " },
    {
      title: "a role's id without the subscription",
      properties: { roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${READER}` },
      want: "400 ScopeDoesNotMatchRoleDefinition: ",
    },
    { title: "a role's GUID", properties: { roleDefinitionId: READER }, want: "400 InvalidRoleDefinitionId: " },
    { title: "a condition that is none", properties: { condition: "(" }, want: "400 InvalidRoleAssignmentCondition: " },
    { title: "no kind of request", properties: { requestType: null }, want: "400 InvalidRoleAssignmentRequest: " },
    { title: "an unknown kind", properties: { requestType: "Assign" }, want: "400 InvalidRoleAssignmentRequest: " },
    {
      title: "to activate without being eligible",
      properties: { requestType: "SelfActivate" },
      want: `${POLICY}["EligibilityRule"]`,
    },
    {
      title: "to remove what is not assigned",
      ...REMOVE,
      want: "400 RoleAssignmentDoesNotExist: The Role assignment does not exist.",
    },
    { title: "to remove it at once", before: {}, ...REMOVE, want: TOO_SHORT },
    { title: "to remove another role", who: "granter", role: OWNER, ...REMOVE, want: INSUFFICIENT },
    {
      title: "a group that is not there",
      scope: `${SUBSCRIPTION}/resourceGroups/x`,
      want: "404 ResourceGroupNotFound: ",
    },
  ];
  it.each(rows)("asks for $title", async ({ who = "granter", before, want, ...given }) => {
    if (before !== undefined) expect((await request(stage, "owner", before)).status).toBe(201);
    const { refusal } = await request(stage, who, given);
    expect(refusal.slice(0, want.length)).toBe(want);
    const made = stage.sandbox.azureRoles.current().filter(({ createdBy }) => createdBy !== undefined);
    expect(made).toHaveLength(before === undefined ? 0 : 1);
  });

  it("takes what began a moment ago, by a clock that is behind", async () => {
    const startDateTime = new Date(Date.now() - 30_000).toISOString();
    expect((await request(stage, "granter", lasting("PT5M", { startDateTime }))).status).toBe(201);
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
    expect(await readsAfter(0)).toBe(403);
    expect(await readsAfter(2)).toBe(200);
    expect(await count()).toBe(before + KINDS.length);
    const read = await ask(stage, "granter", "GET", requestPath(SUBSCRIPTION, name));
    expect(read.body.properties["status"]).toBe("Provisioned");
    expect((await request(stage, "granter", ROLE)).refusal).toMatch(/^400 RoleAssignmentExists/);
  });
});

describe("taking an assignment back", () => {
  it("is too early for five minutes, and then counts", async () => {
    const name = randomUUID();
    await request(stage, "granter", { ...ROLE, name });
    expect(await readsAfter(4)).toBe(200);
    expect((await request(stage, "granter", { ...ROLE, ...REMOVE })).refusal).toMatch(/^400 ActiveDurationTooShort/);
    expect(await readsAfter(6)).toBe(200);
    const removed = await request(stage, "granter", { ...ROLE, ...REMOVE });
    expect(removed).toMatchObject({
      status: 201,
      body: { properties: { requestType: "AdminRemove", status: "Revoked", scheduleInfo: null } },
    });
    expect(await readsAfter(6)).toBe(403);
    const first = await ask(stage, "granter", "GET", requestPath(SUBSCRIPTION, name));
    expect(first.body.properties["status"]).toBe("Revoked");
    const again = await request(stage, "granter", { ...ROLE, ...REMOVE });
    expect(again.refusal).toMatch(/^400 RoleAssignmentDoesNotExist/);
    expect((await request(stage, "granter", ROLE)).status).toBe(201);
  });

  it("is never too early where the least age is none", async () => {
    stage.sandbox.azureRoles.setMinimumAge(0);
    await request(stage, "granter", ROLE);
    expect((await request(stage, "granter", { ...ROLE, ...REMOVE })).status).toBe(201);
    stage.sandbox.azureRoles.setMinimumAge(1000);
    await request(stage, "granter", ROLE);
    expect((await request(stage, "granter", { ...ROLE, ...REMOVE })).refusal).toMatch(/^400 ActiveDurationTooShort/);
  });

  it("takes back what has not begun, and what was assigned without Privileged Identity Management", async () => {
    const startDateTime = new Date(Date.now() + 60 * MINUTE_MS).toISOString();
    await request(stage, "granter", lasting("PT30M", { startDateTime }));
    expect((await request(stage, "granter", REMOVE)).status).toBe(201);
    await assign(stage, "granter", ROLE);
    stage.sandbox.clock.setOffset(6 * MINUTE_MS);
    expect((await request(stage, "granter", { ...ROLE, ...REMOVE })).status).toBe(201);
    expect(await readsAfter(6)).toBe(403);
  });

  it("stands in the way of the same assignment for as long as it is said to", async () => {
    await request(stage, "granter");
    stage.sandbox.azureRoles.setRelease(2 * MINUTE_MS);
    stage.sandbox.clock.setOffset(6 * MINUTE_MS);
    await request(stage, "granter", REMOVE);
    const { body } = await list(stage, "granter", ACCOUNT, "roleAssignmentSchedules", "atScope()");
    expect(body.value.filter(({ properties }) => properties["scope"] === ACCOUNT)).toEqual([]);
    expect((await request(stage, "granter")).refusal).toMatch(/^400 RoleAssignmentExists/);
    expect((await request(stage, "granter", { scope: OTHER_CONTAINER })).status).toBe(201);
    stage.sandbox.clock.setOffset(8.1 * MINUTE_MS);
    expect((await request(stage, "granter")).status).toBe(201);
  });
});

describe("schedules as listed", () => {
  beforeAll(() => stage.reset());
  const kinds = ["roleAssignmentSchedules", "roleAssignmentScheduleInstances"] as const;

  it.each(kinds)("tell what is assigned, by %s", async (kind) => {
    const name = randomUUID();
    const made = await request(stage, "granter", { name });
    const { body } = await list(stage, "granter", ACCOUNT, kind, `principalId eq '${stage.ids.one}'`);
    expect(body.value).toHaveLength(1);
    const { properties } = body.value[0] ?? made.body;
    expect(properties).toMatchObject({
      assignmentType: "Assigned",
      memberType: "Direct",
      status: "Provisioned",
      scope: ACCOUNT,
      roleDefinitionId: roleIdIn(BLOB_READER),
      principalId: stage.ids.one,
      principalType: "ServicePrincipal",
    });
    const lasts = Date.parse(String(properties["endDateTime"])) - Date.parse(String(properties["startDateTime"]));
    expect(lasts).toBe(30 * MINUTE_MS);
    const schedule = made.body.properties["targetRoleAssignmentScheduleId"];
    expect(JSON.stringify(body.value)).toContain(`RoleAssignmentSchedules/${schedule}`);
    if (kind === "roleAssignmentSchedules") expect(JSON.stringify(body.value)).toContain(`Requests/${name}`);
  });

  it.each([
    { name: "the caller's own", who: "one", filter: "asTarget()", want: [ACCOUNT] },
    { name: "at and above", who: "granter", filter: "atScope()", want: [SUBSCRIPTION, ACCOUNT] },
    { name: "of a principal", who: "granter", filter: "(principalId eq 'ONE')", want: [ACCOUNT, OTHER_CONTAINER] },
  ] as const)("are $name", async ({ who, filter, want }) => {
    await request(stage, "granter");
    if (who === "granter") await request(stage, "granter", { scope: OTHER_CONTAINER });
    for (const kind of kinds) {
      const { body } = await list(stage, who, ACCOUNT, kind, filter.replace("ONE", stage.ids.one));
      const scopes = new Set(body.value.map(({ properties }) => properties["scope"]));
      expect([...scopes].toSorted(), kind).toEqual(want);
      const kindsOfMember = body.value.map(({ properties }) => [
        properties["scope"] === ACCOUNT,
        properties["memberType"],
      ]);
      for (const [isHere, member] of kindsOfMember) expect(member).toBe(isHere ? "Direct" : "Inherited");
    }
  });

  it("tell requests to who made them and whom they are for", async () => {
    await request(stage, "granter");
    await request(stage, "owner", { scope: GROUP });
    const count = async (who: Who, filter?: string): Promise<number> => {
      const { body } = await list(stage, who, GROUP, "roleAssignmentScheduleRequests", filter);
      return body.value.filter(({ properties }) => properties["status"] === "Provisioned").length;
    };
    const all = await count("granter");
    expect(await count("one", "asTarget()")).toBe(all);
    expect(await count("granter", "atScope()")).toBeLessThan(all);
    expect((await count("granter", "asRequestor()")) + (await count("owner", "asRequestor()"))).toBe(all);
    expect(await count("one", "asRequestor()")).toBe(0);
  });

  it.each([...kinds, "roleAssignmentScheduleRequests"])("are not told to a stranger, by %s", async (kind) => {
    const { refusal } = await list(stage, "one", ACCOUNT, kind);
    expect(refusal).toMatch(
      /^400 InsufficientPermissions: The requestor .* Please use \$filter=asTarget\(\) to filter on the requestor's assignments\.$/,
    );
    expect((await list(stage, "granter", ACCOUNT, kind, "atScope() and principalId eq 'x'")).refusal).toMatch(
      /^400 UnsupportedQuery/,
    );
  });

  it("are not there for a request that nobody made", async () => {
    const path = requestPath(ACCOUNT, randomUUID());
    expect((await ask(stage, "granter", "GET", path)).refusal).toMatch(/^404 RoleAssignmentScheduleRequestNotFound/);
    expect((await ask(stage, "one", "GET", path)).refusal).toMatch(/^400 InsufficientPermissions/);
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
