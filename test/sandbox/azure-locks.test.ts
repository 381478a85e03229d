import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  ACCOUNT,
  type ArmAnswer,
  ask,
  assign,
  assignmentPath,
  authorizationPath,
  GROUP,
  openRoles,
  type RolesStage,
  request,
  SUBSCRIPTION,
  type Who,
} from "./azure-roles.js";
import { MINUTE_MS, REMOVE, requestPath } from "./azure-schedules.js";

let stage: RolesStage;
beforeAll(async () => {
  stage = await openRoles();
});
afterEach(async () => {
  for (const scope of [SUBSCRIPTION, GROUP, ACCOUNT]) await ask(stage, "owner", "DELETE", lockPath(scope, "keep"));
  await stage.reset();
});
afterAll(() => stage.sandbox.close());

function lockPath(scope: string, name: string): string {
  return authorizationPath(scope, `locks/${name}`, "2016-09-01");
}

function lock(scope: string, level = "CanNotDelete", who: Who = "owner"): Promise<ArmAnswer> {
  return ask(stage, who, "PUT", lockPath(scope, "keep"), { properties: { level } });
}

async function locksAt(scope: string, filter = ""): Promise<(string | undefined)[]> {
  const query = filter === "" ? "" : `?$filter=${filter}`;
  const { body } = await ask(stage, "granter", "GET", authorizationPath(scope, `locks${query}`, "2016-09-01"));
  return body.value.map(({ id }) => id.split("/providers/Microsoft.Authorization/")[0]);
}

describe("a management lock", () => {
  it("is seen from what is below it, and from above where that is asked for", async () => {
    expect((await lock(GROUP)).status).toBe(201);
    expect((await lock(GROUP, "ReadOnly")).status).toBe(200);
    expect(await locksAt(ACCOUNT, "atScope()")).toEqual([GROUP]);
    expect(await locksAt(GROUP, "atScope()")).toEqual([GROUP]);
    expect(await locksAt(SUBSCRIPTION, "atScope()")).toEqual([]);
    expect(await locksAt(SUBSCRIPTION)).toEqual([GROUP]);
  });

  it("is put there by who may, and of a known level", async () => {
    expect((await lock(GROUP, "ReadOnly", "granter")).refusal).toMatch(/^403 AuthorizationFailed: /);
    expect((await lock(GROUP, "Forever")).refusal).toMatch(/^400 InvalidRequestContent: /);
    expect(await locksAt(SUBSCRIPTION)).toEqual([]);
  });

  it.each([
    { level: "CanNotDelete", given: 201 },
    { level: "ReadOnly", given: 409 },
  ])("$level above a scope keeps assignments there", async ({ level, given }) => {
    const name = randomUUID();
    expect((await assign(stage, "granter", { name })).status).toBe(201);
    await lock(GROUP, level);
    expect((await assign(stage, "granter", { scope: GROUP })).status).toBe(given);
    const path = assignmentPath(ACCOUNT, name);
    expect((await ask(stage, "granter", "DELETE", path)).refusal).toBe(
      `409 ScopeLocked: The scope '${path.split("?")[0]}' cannot perform delete operation because following scope(s) are locked: '${GROUP}'. Please remove the lock and try again.`,
    );
    await ask(stage, "owner", "DELETE", lockPath(GROUP, "keep"));
    expect((await ask(stage, "granter", "DELETE", path)).status).toBe(200);
  });

  it("lets a request for the end of an assignment come to nothing", async () => {
    const name = randomUUID();
    await request(stage, "granter", { name });
    await lock(SUBSCRIPTION);
    stage.sandbox.clock.setOffset(6 * MINUTE_MS);
    const status = async (answer: Promise<ArmAnswer>) => (await answer).body.properties["status"];
    expect(await status(request(stage, "granter", REMOVE))).toBe("FailedAsResourceIsLocked");
    expect(await status(ask(stage, "granter", "GET", requestPath(ACCOUNT, name)))).toBe("Provisioned");
    await ask(stage, "owner", "DELETE", lockPath(SUBSCRIPTION, "keep"));
    expect(await status(request(stage, "granter", REMOVE))).toBe("Revoked");
    expect(await status(ask(stage, "granter", "GET", requestPath(ACCOUNT, name)))).toBe("Revoked");
  });

  it.each(["CanNotDelete", "ReadOnly"])(
    "of level %s lets nothing be asked for that could not be removed",
    async (level) => {
      await lock(GROUP, level);
      expect((await request(stage, "granter")).refusal).toMatch(/^400 ResourceIsLocked: /);
      expect(stage.sandbox.azureRoles.current().filter(({ schedule }) => schedule !== undefined)).toEqual([]);
    },
  );
});
