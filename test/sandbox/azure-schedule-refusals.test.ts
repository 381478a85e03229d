import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  GROUP,
  type NewAssignment,
  OWNER,
  openRoles,
  READER,
  type RolesStage,
  request,
  SUBSCRIPTION,
  type Who,
} from "./azure-roles.js";
import { lasting, REMOVE } from "./azure-schedules.js";

let stage: RolesStage;
beforeAll(async () => {
  stage = await openRoles();
});
afterEach(() => stage.reset());
afterAll(() => stage.sandbox.close());

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
