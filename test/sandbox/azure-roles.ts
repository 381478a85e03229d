import { randomUUID } from "node:crypto";
import {
  type AzureWorld,
  DEFAULT_SUBSCRIPTION,
  defaultAzure,
  GRANTER_CLIENT,
  POOL_CLIENTS,
} from "../../src/sandbox/azure/world.js";
import type { Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { callArm, MANAGEMENT, signIn } from "./azure-clients.js";

export const SUBSCRIPTION = `/subscriptions/${DEFAULT_SUBSCRIPTION}`;
export const GROUP = `${SUBSCRIPTION}/resourceGroups/demo`;
export const ACCOUNT = `${GROUP}/providers/Microsoft.Storage/storageAccounts/agentctldemo`;
export const OTHER_CONTAINER = `${ACCOUNT}/blobServices/default/containers/other`;

export const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
export const BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";
export const BLOB_WRITER = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
export const OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
export const JUSTIFICATION = "lease l-0123456789abcdef";

const OWNER_CLIENT = "44445555-eeee-6666-ffff-777788889999";
const RBAC = "2022-04-01";
const PIM = "2020-10-01";

export type Who = "owner" | "granter" | "one" | "demo";

/** The default world with an owner in it, and a token for Resource Manager of each of its applications. */
export interface RolesStage {
  readonly sandbox: Sandbox;
  readonly tokens: Readonly<Record<Who, string>>;
  /** The service principals' object ids. */
  readonly ids: Readonly<Record<Who, string>>;
  /** As it was at the start, the time included. */
  reset(): Promise<void>;
}

export async function openRoles(changes: Partial<AzureWorld> = {}): Promise<RolesStage> {
  const azure = defaultAzure();
  const [[demo = "", app]] = Object.entries(azure.apps) as [[string, AzureWorld["apps"][string]]];
  const roles = [{ role: "Owner", scope: SUBSCRIPTION }];
  const apps = { ...azure.apps, [OWNER_CLIENT]: { ...app, roles } };
  const sandbox = await startSandbox({ azure: { ...azure, apps, ...changes } });
  const clients = { owner: OWNER_CLIENT, granter: GRANTER_CLIENT, one: POOL_CLIENTS[0], demo };
  const signedIn = Object.entries(clients).map(async ([who, clientId]) => {
    return [who, await signIn(sandbox, { clientId, scope: MANAGEMENT })] as const;
  });
  const tokens = Object.fromEntries(await Promise.all(signedIn)) as Record<Who, string>;
  const ids = Object.fromEntries(Object.entries(tokens).map(([who, token]) => [who, objectIdIn(token)]));
  const reset = async (): Promise<void> => {
    sandbox.clock.setOffset(0);
    sandbox.azureRoles.setPropagation(0);
    sandbox.azureRoles.setRelease(0);
    sandbox.azureRoles.setMinimumAge(5 * 60_000);
    sandbox.azureRoles.setProvisioning(0);
    for (const { name, scope, createdBy } of sandbox.azureRoles.current()) {
      if (createdBy !== undefined)
        await callArm(sandbox, assignmentPath(scope, name), tokens.owner, { method: "DELETE" });
    }
  };
  return { sandbox, tokens, ids: ids as Record<Who, string>, reset };
}

function objectIdIn(token: string): string {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).oid;
}

export function authorizationPath(scope: string, rest: string, version: string = RBAC): string {
  return `${scope}/providers/Microsoft.Authorization/${rest}${rest.includes("?") ? "&" : "?"}api-version=${version}`;
}

export function assignmentPath(scope: string, name: string): string {
  return authorizationPath(scope, `roleAssignments/${name}`);
}

export function roleIdIn(roleId: string): string {
  return `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${roleId}`;
}

/** One resource of Microsoft.Authorization's, as far as tests look into it. */
export interface Resource {
  readonly name: string;
  readonly id: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** What a service answered: the one, or the list; in the place of both `status code: message` of an error. */
export interface ArmAnswer {
  readonly status: number;
  readonly body: Resource & { readonly value: readonly Resource[] };
  readonly refusal: string;
}

export async function ask(
  { sandbox, tokens }: RolesStage,
  who: Who,
  method: string,
  path: string,
  body?: unknown,
): Promise<ArmAnswer> {
  const answer = await callArm(sandbox, path, tokens[who], { method, body });
  const parsed = answer.body === "" ? undefined : JSON.parse(answer.body);
  const { code, message } = parsed?.error ?? {};
  return {
    status: answer.status,
    body: parsed,
    refusal: code === undefined ? "" : `${answer.status} ${code}: ${message}`,
  };
}

export interface NewAssignment {
  readonly scope?: string;
  readonly name?: string;
  readonly role?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** A role assignment for jit-one: Storage Blob Data Reader on the account, where it is not said otherwise. */
export function assign(stage: RolesStage, who: Who, given: NewAssignment = {}): Promise<ArmAnswer> {
  const { scope = ACCOUNT, name = randomUUID(), role = BLOB_READER, properties = {} } = given;
  const body = {
    properties: {
      roleDefinitionId: roleIdIn(role),
      principalId: stage.ids.one,
      principalType: "ServicePrincipal",
      ...properties,
    },
  };
  return ask(stage, who, "PUT", assignmentPath(scope, name), body);
}

/** A request to Privileged Identity Management, likewise: AdminAssign for 30 minutes. */
export function request(stage: RolesStage, who: Who, given: NewAssignment = {}): Promise<ArmAnswer> {
  const { scope = ACCOUNT, name = randomUUID(), role = BLOB_READER, properties = {} } = given;
  const body = {
    properties: {
      roleDefinitionId: roleIdIn(role),
      principalId: stage.ids.one,
      requestType: "AdminAssign",
      justification: JUSTIFICATION,
      scheduleInfo: { expiration: { type: "AfterDuration", duration: "PT30M" } },
      ...properties,
    },
  };
  return ask(stage, who, "PUT", authorizationPath(scope, `roleAssignmentScheduleRequests/${name}`, PIM), body);
}

/** A list of Microsoft.Authorization's; the filter is as it goes on the wire. */
export async function list(
  stage: RolesStage,
  who: Who,
  scope: string,
  kind: string,
  filter?: string,
): Promise<ArmAnswer> {
  const version = kind.includes("Schedule") ? PIM : RBAC;
  const query = filter === undefined ? "" : `?$filter=${encodeURIComponent(filter)}`;
  return ask(stage, who, "GET", authorizationPath(scope, `${kind}${query}`, version));
}
