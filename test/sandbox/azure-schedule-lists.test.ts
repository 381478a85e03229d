import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  ACCOUNT,
  ask,
  BLOB_READER,
  GROUP,
  list,
  OTHER_CONTAINER,
  openRoles,
  type RolesStage,
  request,
  roleIdIn,
  SUBSCRIPTION,
  type Who,
} from "./azure-roles.js";
import { MINUTE_MS, requestPath } from "./azure-schedules.js";

let stage: RolesStage;
beforeAll(async () => {
  stage = await openRoles();
});
afterEach(() => stage.reset());
afterAll(() => stage.sandbox.close());

describe("schedules as listed", () => {
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
