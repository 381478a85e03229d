import { callArm } from "./azure-clients.js";
import { authorizationPath, type NewAssignment, READER, type RolesStage, SUBSCRIPTION } from "./azure-roles.js";

export const MINUTE_MS = 60_000;
/** A role that shows: with it, its holder can list resource groups. */
export const ROLE = { role: READER, scope: SUBSCRIPTION };
/** What makes a request one for the end of an assignment. */
export const REMOVE = { properties: { requestType: "AdminRemove", scheduleInfo: undefined, justification: undefined } };

const GROUPS = `${SUBSCRIPTION}/resourcegroups?api-version=2024-11-01`;

/** The status of listing resource groups as jit-one, when so many minutes have passed on every service's clock. */
export async function readsAfter({ sandbox, tokens }: RolesStage, minutes: number): Promise<number> {
  sandbox.clock.setOffset(minutes * MINUTE_MS);
  return (await callArm(sandbox, GROUPS, tokens.one)).status;
}

/** A request for so long, with `more` of its schedule. */
export function lasting(duration: string, more: Readonly<Record<string, unknown>> = {}): NewAssignment {
  return { properties: { scheduleInfo: { expiration: { type: "AfterDuration", duration }, ...more } } };
}

/** One request to Privileged Identity Management. */
export function requestPath(scope: string, name: string): string {
  return authorizationPath(scope, `roleAssignmentScheduleRequests/${name}`, "2020-10-01");
}
