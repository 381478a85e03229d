import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { callArm, callBlob, signIn } from "./azure-clients.js";
import {
  ACCOUNT,
  type ArmAnswer,
  ask,
  assign,
  assignmentPath,
  authorizationPath,
  BLOB_READER,
  BLOB_WRITER,
  GROUP,
  list,
  type NewAssignment,
  OTHER_CONTAINER,
  OWNER,
  openRoles,
  READER,
  type RolesStage,
  roleIdIn,
  SUBSCRIPTION,
  type Who,
} from "./azure-roles.js";

let stage: RolesStage;
let storage: string;
beforeAll(async () => {
  stage = await openRoles();
  storage = await signIn(stage.sandbox, { clientId: "22223333-cccc-4444-dddd-5555eeee6666" });
});
afterEach(() => stage.reset());
afterAll(() => stage.sandbox.close());

const GROUPS = `${SUBSCRIPTION}/resourcegroups?api-version=2024-11-01`;

async function readGroups(): Promise<number> {
  return (await callArm(stage.sandbox, GROUPS, stage.tokens.one)).status;
}

async function readBlob(): Promise<number> {
  return (await callBlob(stage.sandbox, "/other/private.txt", storage)).status;
}

describe("role definitions", () => {
  it.each([
    { name: "a name", filter: "roleName eq 'Storage Blob Data Reader'", want: [BLOB_READER] },
    { name: "a name in other letters", filter: "roleName eq 'reader'", want: [READER] },
    { name: "a name, below too", filter: "atScopeAndBelow() and roleName eq 'Owner'", want: [OWNER] },
    { name: "a name that nothing has", filter: "roleName eq 'No such role'", want: [] },
  ])("are listed by $name", async ({ filter, want }) => {
    const { body } = await list(stage, "granter", GROUP, "roleDefinitions", filter);
    expect(body.value.map(({ name, id }) => ({ name, id }))).toEqual(
      want.map((name) => ({ name, id: roleIdIn(name) })),
    );
  });

  it("are listed all, with what they grant", async () => {
    const { body } = await list(stage, "granter", SUBSCRIPTION, "roleDefinitions");
    const contributor = body.value.find(({ properties }) => properties["roleName"] === "Contributor");
    expect(body.value.length).toBeGreaterThan(7);
    expect(contributor?.properties).toMatchObject({
      type: "BuiltInRole",
      permissions: [{ actions: ["*"], notActions: expect.arrayContaining(["Microsoft.Authorization/*/Write"]) }],
    });
  });

  it.each([
    { name: "one by its id", path: authorizationPath("", `roleDefinitions/${READER}`), who: "one", want: "" },
    { name: "one at a scope", path: authorizationPath(GROUP, `roleDefinitions/${READER}`), who: "granter", want: "" },
    {
      name: "none of that id",
      path: authorizationPath("", `roleDefinitions/${randomUUID()}`),
      who: "one",
      want: "404 RoleDefinitionDoesNotExist: The specified role definition with ID",
    },
    {
      name: "one at a scope without a right",
      path: authorizationPath(GROUP, `roleDefinitions/${READER}`),
      who: "one",
      want: "403 AuthorizationFailed",
    },
    {
      name: "a list filtered by what it cannot be",
      path: authorizationPath(GROUP, "roleDefinitions?$filter=description%20eq%20'x'"),
      who: "granter",
      want: "400 UnsupportedQuery: The filter 'description eq 'x'' is not supported.",
    },
  ] as const)("give $name: $want", async ({ path, who, want }) => {
    const { refusal, body } = await ask(stage, who, "GET", path);
    expect(refusal).toMatch(want === "" ? /^$/ : new RegExp(`^${want.replaceAll(/[()$']/g, "\\$&")}`));
    if (want === "") expect(body).toMatchObject({ name: READER, properties: { roleName: "Reader" } });
  });
});

describe("a role assignment", () => {
  it("is put, got, listed and deleted, each with the same words", async () => {
    const name = randomUUID();
    const put = await assign(stage, "granter", { name, properties: { description: "for a lease" } });
    expect(put).toMatchObject({
      status: 201,
      body: {
        name,
        id: `${ACCOUNT}/providers/Microsoft.Authorization/roleAssignments/${name}`,
        properties: {
          scope: ACCOUNT,
          roleDefinitionId: roleIdIn(BLOB_READER),
          principalId: stage.ids.one,
          principalType: "ServicePrincipal",
          description: "for a lease",
          condition: null,
          createdBy: stage.ids.granter,
        },
      },
    });
    const path = assignmentPath(ACCOUNT, name);
    expect((await ask(stage, "granter", "GET", path)).body).toEqual(put.body);
    expect((await list(stage, "granter", ACCOUNT, "roleAssignments")).body.value).toContainEqual(put.body);
    const deleted = await ask(stage, "granter", "DELETE", path);
    expect(deleted).toMatchObject({ status: 200, body: put.body });
    expect(await ask(stage, "granter", "DELETE", path)).toMatchObject({ status: 204, body: undefined });
    expect((await ask(stage, "granter", "GET", path)).refusal).toMatch(/^404 RoleAssignmentNotFound: /);
  });

  it("is put twice under its name, and takes a new description and condition", async () => {
    const name = randomUUID();
    await assign(stage, "granter", { name });
    const condition = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'demo'";
    const properties = { description: "again", condition, conditionVersion: "2.0" };
    const again = await assign(stage, "granter", { name: name.toUpperCase(), properties });
    expect(again).toMatchObject({ status: 200, body: { name, properties } });
    expect(await readBlob()).toBe(403);
    expect((await callBlob(stage.sandbox, "/demo/hello.txt", storage)).status).toBe(200);
  });

  it("may be of somebody who may assign every role, and of a management group", async () => {
    expect(await assign(stage, "owner", { role: OWNER, scope: GROUP })).toMatchObject({ status: 201 });
    const scope = "/providers/Microsoft.Management/managementGroups/acme";
    const refused = await assign(stage, "owner", { role: READER, scope });
    expect(refused.refusal).toMatch(/^403 AuthorizationFailed: .* over scope '\/providers\/Microsoft\.Management\//);
  });

  interface Row extends NewAssignment {
    readonly title: string;
    readonly who?: Who;
    readonly before?: NewAssignment;
    readonly want: RegExp;
  }
  const NAME = "01234567-89ab-cdef-0123-456789abcdef";
  const rows: readonly Row[] = [
    {
      title: "the same under another name",
      before: { name: NAME },
      want: /^409 RoleAssignmentExists: The role assignment already exists\. The ID of the existing role assignment is 0123456789abcdef0123456789abcdef\.$/,
    },
    {
      title: "the same, its scope in other letters",
      before: { name: NAME },
      scope: ACCOUNT.toUpperCase().replace("SUBSCRIPTIONS", "subscriptions"),
      want: /^409 RoleAssignmentExists: /,
    },
    {
      title: "another role under the same name",
      before: { name: NAME },
      name: NAME,
      role: BLOB_WRITER,
      want: /^400 RoleAssignmentUpdateNotPermitted: Tenant ID, application ID, principal ID, and scope are not allowed/,
    },
    {
      title: "another scope under the same name",
      before: { name: NAME },
      name: NAME,
      scope: GROUP,
      want: /^400 RoleAssignmentUpdateNotPermitted: /,
    },
    { title: "a name that is no GUID", name: "x", want: /^400 InvalidRoleAssignmentId: .*'x' is not valid/ },
    {
      title: "somebody who is not there",
      properties: { principalId: randomUUID() },
      want: /^400 PrincipalNotFound: Principal [0-9a-f]{32} does not exist in the directory aaaabbbb-/,
    },
    {
      title: "an application for a user",
      properties: { principalType: "User" },
      want: /^400 UnmatchedPrincipalType: .* different from specified PrinciaplType 'User'\.$/,
    },
    {
      title: "a role that the granter may not assign",
      role: OWNER,
      want: /^403 AuthorizationFailed: .* has an authorization with ABAC condition that is not fulfilled to perform action 'Microsoft.Authorization\/roleAssignments\/write' over scope '\/subscriptions\/.*\/providers\/Microsoft\.Authorization\/roleAssignments\//,
    },
    {
      title: "a role of somebody who may assign none",
      who: "demo",
      want: /^403 AuthorizationFailed: .* does not have authorization to perform action/,
    },
    { title: "a role that is not there", who: "owner", role: randomUUID(), want: /^400 RoleDefinitionDoesNotExist: / },
    {
      title: "an id that is no role's",
      properties: { roleDefinitionId: READER },
      want: /^400 InvalidRoleDefinitionId: /,
    },
    {
      title: "a group that is not there",
      scope: `${SUBSCRIPTION}/resourceGroups/none`,
      want: /^404 ResourceGroupNotFound: /,
    },
    {
      title: "an account that is not there",
      scope: `${ACCOUNT}x`,
      want: /^404 ResourceNotFound: .*aka\.ms\/ARMResourceNotFoundFix$/,
    },
    {
      title: "no principal",
      properties: { principalId: undefined },
      want: /^400 InvalidRequestContent: .*principalId/,
    },
    {
      title: "a condition that is none",
      properties: { condition: "(", conditionVersion: "2.0" },
      want: /^400 InvalidRoleAssignmentCondition: /,
    },
    {
      title: "a condition of another version",
      properties: { condition: "ActionMatches{'x'}", conditionVersion: "1.0" },
      want: /^400 InvalidRoleAssignmentCondition: /,
    },
  ];
  it.each(rows)("is refused: $title", async ({ who = "granter", before, want, ...given }) => {
    if (before !== undefined) expect((await assign(stage, "owner", before)).status).toBe(201);
    expect((await assign(stage, who, given)).refusal).toMatch(want);
    expect(stage.sandbox.azureRoles.current().filter(({ createdBy }) => createdBy !== undefined)).toHaveLength(
      before === undefined ? 0 : 1,
    );
  });

  it("is not deleted by somebody whose condition is about other roles", async () => {
    const name = randomUUID();
    await assign(stage, "owner", { name, role: OWNER, scope: GROUP });
    const path = assignmentPath(GROUP, name);
    expect((await ask(stage, "granter", "DELETE", path)).refusal).toMatch(/ABAC condition .*roleAssignments\/delete'/);
    expect((await ask(stage, "granter", "DELETE", assignmentPath(GROUP, randomUUID()))).status).toBe(204);
    expect((await ask(stage, "demo", "DELETE", path)).refusal).toMatch(/^403 AuthorizationFailed: .* does not have/);
    expect((await ask(stage, "owner", "DELETE", path)).status).toBe(200);
  });

  it.each([
    { version: "2016-01-01", want: /^400 InvalidApiVersionParameter: The api-version '2016-01-01' is invalid/ },
    { version: "", want: /^400 InvalidApiVersionParameter/ },
  ])("is refused in version '$version'", async ({ version, want }) => {
    const path = authorizationPath(ACCOUNT, "roleAssignments", version);
    expect((await ask(stage, "granter", "GET", path)).refusal).toMatch(want);
  });

  it("is not posted, and there is nothing below it", async () => {
    const path = assignmentPath(ACCOUNT, randomUUID());
    expect((await ask(stage, "granter", "POST", path)).refusal).toMatch(/^404 NotFound/);
    expect((await ask(stage, "granter", "GET", assignmentPath(ACCOUNT, "a/b"))).refusal).toMatch(/^404 NotFound/);
  });
});

describe("role assignments as listed", () => {
  const names = ({ body }: ArmAnswer): unknown[] =>
    body.value.map(({ properties }) => properties["scope"]).filter((scope) => scope !== SUBSCRIPTION);

  it.each([
    { name: "at, above and below", filter: undefined, want: [GROUP, ACCOUNT, OTHER_CONTAINER] },
    { name: "at and above", filter: "atScope()", want: [GROUP, ACCOUNT] },
    { name: "of a principal", filter: "principalId eq 'ONE'", want: [GROUP, ACCOUNT, OTHER_CONTAINER] },
    { name: "assigned to a principal", filter: "assignedTo('ONE')", want: [GROUP, ACCOUNT, OTHER_CONTAINER] },
    { name: "at and above, of a principal", filter: "atScope() and assignedTo('ONE')", want: [GROUP, ACCOUNT] },
    { name: "in brackets", filter: "(principalId eq 'ONE')", want: [GROUP, ACCOUNT, OTHER_CONTAINER] },
  ])("$name", async ({ filter, want }) => {
    await assign(stage, "granter", { scope: OTHER_CONTAINER });
    await assign(stage, "granter", { scope: GROUP });
    await assign(stage, "granter");
    const all = await list(stage, "granter", ACCOUNT, "roleAssignments", filter?.replace("ONE", stage.ids.one));
    expect(names(all).toSorted()).toEqual(expect.arrayContaining(want));
    if (filter?.includes("ONE") || filter === "atScope()") expect(names(all)).toHaveLength(want.length);
  });

  it.each([
    "atScope() and principalId eq 'x'",
    "principalId eq 'x' and roleDefinitionId eq 'y'",
    "roleDefinitionId eq 'y'",
    "asTarget()",
  ])("are not filtered by %s", async (filter) => {
    const { refusal } = await list(stage, "granter", ACCOUNT, "roleAssignments", filter);
    expect(refusal).toBe(
      `400 UnsupportedQuery: The filter '${filter}' is not supported. Supported filters are either 'atScope()' or 'principalId eq '{value}' or assignedTo('{value}')'.`,
    );
  });

  it("are not for somebody without a right there", async () => {
    expect((await list(stage, "one", ACCOUNT, "roleAssignments")).refusal).toMatch(/^403 AuthorizationFailed/);
  });
});

describe("what an assignment grants", () => {
  it("counts in Resource Manager and in the blobs, and no longer when it is deleted", async () => {
    expect([await readGroups(), await readBlob()]).toEqual([403, 403]);
    const [reader, blobs] = [randomUUID(), randomUUID()];
    await assign(stage, "granter", { name: reader, role: READER, scope: SUBSCRIPTION });
    await assign(stage, "granter", { name: blobs, scope: OTHER_CONTAINER });
    expect([await readGroups(), await readBlob()]).toEqual([200, 200]);
    await ask(stage, "granter", "DELETE", assignmentPath(SUBSCRIPTION, reader));
    await ask(stage, "granter", "DELETE", assignmentPath(OTHER_CONTAINER, blobs));
    expect([await readGroups(), await readBlob()]).toEqual([403, 403]);
  });

  it("counts after the delay, comes and goes, while the list tells it at once", async () => {
    const { sandbox, ids } = stage;
    sandbox.azureRoles.setPropagation(60_000);
    const name = randomUUID();
    await assign(stage, "granter", { name, role: READER, scope: SUBSCRIPTION });
    const isListed = async (): Promise<boolean> =>
      (await list(stage, "granter", SUBSCRIPTION, "roleAssignments", `principalId eq '${ids.one}'`)).body.value.length >
      0;
    expect([await readGroups(), await isListed()]).toEqual([403, true]);
    sandbox.clock.setOffset(59_000);
    expect(await readGroups()).toBe(403);
    sandbox.clock.setOffset(61_000);
    expect(await readGroups()).toBe(200);
    await ask(stage, "granter", "DELETE", assignmentPath(SUBSCRIPTION, name));
    expect([await readGroups(), await isListed()]).toEqual([200, false]);
    sandbox.clock.setOffset(122_000);
    expect(await readGroups()).toBe(403);
  });

  it("is learned by each service in its own time, at once when the delay is gone, and stays when it grows", async () => {
    const { azureRoles } = stage.sandbox;
    azureRoles.setPropagation(60_000, "blob");
    await assign(stage, "granter", { role: READER, scope: SUBSCRIPTION });
    await assign(stage, "granter", { scope: OTHER_CONTAINER });
    expect([await readGroups(), await readBlob()]).toEqual([200, 403]);
    expect(azureRoles.propagation()).toEqual({ arm: 0, blob: 60_000 });
    azureRoles.setPropagation(0);
    expect(await readBlob()).toBe(200);
    azureRoles.setPropagation(60_000);
    expect([await readGroups(), await readBlob()]).toEqual([200, 200]);
  });

  it("is told to its holder as permissions, after the delay", async () => {
    const permissions = async (scope: string): Promise<unknown> =>
      (await list(stage, "one", scope, "permissions")).body;
    expect(await permissions(OTHER_CONTAINER)).toEqual({ value: [] });
    stage.sandbox.azureRoles.setPropagation(60_000);
    await assign(stage, "granter");
    expect(await permissions(OTHER_CONTAINER)).toEqual({ value: [] });
    stage.sandbox.clock.setOffset(61_000);
    expect(await permissions(OTHER_CONTAINER)).toMatchObject({
      value: [
        {
          actions: expect.arrayContaining(["Microsoft.Storage/storageAccounts/blobServices/containers/read"]),
          notActions: [],
          dataActions: ["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"],
          notDataActions: [],
        },
      ],
    });
    expect(await permissions(GROUP)).toEqual({ value: [] });
  });
});
