import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  ACCOUNT,
  ask,
  assign,
  list,
  OTHER_CONTAINER,
  openRoles,
  type RolesStage,
  request,
  SUBSCRIPTION,
} from "./azure-roles.js";
import { lasting, MINUTE_MS, REMOVE, ROLE, readsAfter, requestPath } from "./azure-schedules.js";

let stage: RolesStage;
beforeAll(async () => {
  stage = await openRoles();
});
afterEach(() => stage.reset());
afterAll(() => stage.sandbox.close());

describe("taking an assignment back", () => {
  it("is too early for five minutes, and then counts", async () => {
    const name = randomUUID();
    await request(stage, "granter", { ...ROLE, name });
    expect(await readsAfter(stage, 4)).toBe(200);
    expect((await request(stage, "granter", { ...ROLE, ...REMOVE })).refusal).toMatch(/^400 ActiveDurationTooShort/);
    expect(await readsAfter(stage, 6)).toBe(200);
    const removed = await request(stage, "granter", { ...ROLE, ...REMOVE });
    expect(removed).toMatchObject({
      status: 201,
      body: { properties: { requestType: "AdminRemove", status: "Revoked", scheduleInfo: null } },
    });
    expect(await readsAfter(stage, 6)).toBe(403);
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
    expect(await readsAfter(stage, 6)).toBe(403);
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
