import { afterEach } from "vitest";
import {
  type Asked,
  answers,
  answersJson,
  type FakeService,
  type Reply,
  startFakeService,
} from "../../exchange/fake-service.js";
import { discovery, grants, refuses, TENANT } from "../fake-entra.js";

export const SUBSCRIPTION = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001";
export const GROUP = `${SUBSCRIPTION}/resourceGroups/web`;
export const GRANTER = "99999999-0000-0000-0000-000000000001";
export const ONE = "11111111-0000-0000-0000-000000000001";
export const TWO = "22222222-0000-0000-0000-000000000002";
/** What every token of the fake ends in. */
export const CANARY = "arm-canary";
export const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
export const BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";

const MINUTE_MS = 60_000;
interface FakeRole {
  readonly name: string;
  readonly actions: readonly string[];
  readonly notActions?: readonly string[];
  readonly dataActions: readonly string[];
}

const ROLES: Readonly<Record<string, FakeRole>> = {
  [READER]: { name: "Reader", actions: ["*/read"], dataActions: [] },
  [BLOB_READER]: {
    name: "Storage Blob Data Reader",
    actions: ["Microsoft.Storage/storageAccounts/blobServices/containers/read"],
    dataActions: ["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"],
  },
};

interface Assignment {
  readonly scope: string;
  readonly roleDefinitionId: string;
  readonly principalId: string;
  readonly startsAt: number;
  readonly endsAt?: number;
  /** Of one by Privileged Identity Management. */
  readonly requestName?: string;
  readonly name: string;
  readonly description?: string;
}

interface KeptRequest {
  readonly path: string;
  readonly body: Record<string, unknown>;
  readonly at: number;
  readonly scheduleId: string;
  status: string;
}

interface FakeLock {
  readonly name: string;
  readonly level: string;
  readonly scope: string;
}

export interface Question extends Asked {
  /** Without the query, decoded. */
  readonly where: string;
  readonly query: URLSearchParams;
}

/** Microsoft Entra and the part of Azure Resource Manager that assigns roles, with a clock of their own. */
export class FakeAzure {
  now = Date.parse("2026-11-22T12:00:00Z");
  /** Azure's clock is ahead by this. */
  skewMs = 0;
  isLicensed = true;
  /** Until Resource Manager has learned of a change. */
  delayMs = 0;
  /** Besides Reader and Storage Blob Data Reader, by id. */
  readonly customRoles = new Map<string, FakeRole>();
  /** Those that Microsoft Entra does not let in. */
  readonly strangers = new Set<string>();
  readonly requests: KeptRequest[] = [];
  assignments: Assignment[] = [];
  locks: readonly FakeLock[] = [];
  /** Taken away, and by when Resource Manager has learned of it. */
  private readonly lingering: (Assignment & { readonly untilMs: number })[] = [];
  /** Answers before anything else does, where it gives one. */
  intercept: (question: Question) => Reply | undefined = () => undefined;
  service!: FakeService;
  private count = 0;

  get azureNow(): number {
    return this.now + this.skewMs;
  }

  get armAsked(): readonly string[] {
    return this.service.asked
      .filter(({ path }) => path.includes("/providers/"))
      .map(({ method, path }) => `${method} ${decodeURIComponent(path.split("?")[0] ?? "")}`);
  }

  route(asked: Asked): Reply {
    const url = new URL(asked.path, "http://127.0.0.1");
    const question = { ...asked, where: decodeURIComponent(url.pathname), query: url.searchParams };
    this.assignments = this.assignments.filter(({ endsAt }) => endsAt === undefined || endsAt > this.azureNow);
    const reply = this.intercept(question) ?? this.answer(question);
    return (one, response) => {
      response.setHeader("date", new Date(this.azureNow).toUTCString());
      reply(one, response);
    };
  }

  /** What it does and answers where nothing intercepts. */
  answer(question: Question): Reply {
    return question.where.includes("/providers/") ? this.arm(question) : this.entra(question);
  }

  private entra({ method, form, where }: Question): Reply {
    if (method === "GET") return discovery("https://entra.example");
    const clientId = form.get("client_id") ?? "";
    if (this.strangers.has(clientId)) return refuses(401, 700213, "No matching federated identity record found.");
    if (!where.includes(TENANT)) return refuses(400, 90002, "Tenant not found.");
    return grants(3_599, tokenOf(clientId));
  }

  private arm(question: Question): Reply {
    const [, scope = "", kind = "", name = ""] =
      /^(.*)\/providers\/Microsoft\.Authorization\/(\w+)(?:\/([^/]+))?$/.exec(question.where) ?? [];
    const caller = callerOf(question);
    if (caller === undefined) return fails(401, "InvalidAuthenticationToken", "The access token is invalid.");
    if (kind === "permissions") return answersJson(200, { value: this.permissionsOf(objectIdOf(caller), scope) });
    if (caller !== GRANTER)
      return fails(403, "AuthorizationFailed", `The client '${caller}' does not have authorization.`);
    const isPim = kind.startsWith("roleAssignmentSchedule");
    if (isPim && !this.isLicensed)
      return fails(400, "AadPremiumLicenseRequired", "The tenant needs an AAD Premium 2 license.");
    switch (`${question.method} ${kind}`) {
      case "GET roleDefinitions":
        return name === "" ? this.listRoles(question, scope) : this.getRole(name);
      case "GET locks":
        return answersJson(200, { value: this.locks.map(presentLock) });
      case "GET roleAssignmentSchedules":
        return this.listSchedules(question, scope);
      case "GET roleAssignmentScheduleRequests":
        return this.getRequest(question);
      case "PUT roleAssignmentScheduleRequests":
        return this.putRequest(question, scope, name);
      case "GET roleAssignments":
        return name === "" ? this.listPlain(question) : this.getPlain(scope, name);
      case "PUT roleAssignments":
        return this.putPlain(question, scope, name);
      case "DELETE roleAssignments":
        if (this.locks.length > 0) return fails(409, "ScopeLocked", "The scope cannot perform delete operation.");
        this.remove((one) => one.name === name);
        return (_asked, response) => response.writeHead(204).end();
      default:
        return fails(404, "NotFound", "No HTTP resource was found.");
    }
  }

  private listRoles({ query }: Question, scope: string): Reply {
    const wanted = /^roleName eq '(.*)'$/.exec(query.get("$filter") ?? "")?.[1]?.replaceAll("''", "'");
    const all = [...Object.entries(ROLES), ...this.customRoles];
    const found = all.filter(([, { name }]) => name === wanted);
    return answersJson(200, { value: found.map(([id]) => ({ name: id, id: roleIdAt(scope, id) })) });
  }

  private getRole(id: string): Reply {
    const role = ROLES[id.toLowerCase()] ?? this.customRoles.get(id.toLowerCase());
    if (role === undefined)
      return fails(404, "RoleDefinitionDoesNotExist", `The specified role definition with ID '${id}' does not exist.`);
    const { actions, notActions = [], dataActions } = role;
    return answersJson(200, { name: id, properties: { permissions: [{ actions, notActions, dataActions }] } });
  }

  private putRequest({ where, body }: Question, scope: string, name: string): Reply {
    const properties = JSON.parse(body).properties as Record<string, string> & { scheduleInfo?: never };
    if (this.requests.some((one) => one.path === where)) {
      return fails(409, "RoleAssignmentRequestExists", `A role assignment request with Id: ${name} already exists.`);
    }
    const key = {
      scope,
      roleDefinitionId: properties["roleDefinitionId"] ?? "",
      principalId: properties["principalId"] ?? "",
    };
    const existing = this.assignments.find((one) => isSame(one, key));
    const keep = (scheduleId: string, status: string): Reply => {
      this.requests.push({ path: where, body: properties, at: this.azureNow, scheduleId, status });
      return this.getRequest({ where }, 201);
    };
    if (properties["requestType"] === "AdminAssign") {
      if (existing !== undefined) return fails(400, "RoleAssignmentExists", "The Role assignment already exists.");
      const { startDateTime, expiration } = properties.scheduleInfo as unknown as {
        startDateTime: string;
        expiration: { duration: string };
      };
      const lasts = Number(/^PT(\d+)M$/.exec(expiration.duration)?.[1]) * MINUTE_MS;
      if (!(lasts >= 5 * MINUTE_MS))
        return fails(400, "InvalidRoleAssignmentRequestSchedule", "The schedule is invalid.");
      const startsAt = Date.parse(startDateTime);
      const scheduleId = this.add({ ...key, startsAt, endsAt: startsAt + lasts, requestName: name });
      return keep(scheduleId, "Provisioned");
    }
    if (existing === undefined) return fails(400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.");
    if (this.azureNow - existing.startsAt < 5 * MINUTE_MS) {
      return fails(400, "ActiveDurationTooShort", "The Active duration is too short. Miniumum Required is 5 minutes.");
    }
    if (this.locks.length > 0) return keep(existing.name, "FailedAsResourceIsLocked");
    this.remove((one) => one === existing);
    for (const request of this.requests) if (request.scheduleId === existing.name) request.status = "Revoked";
    return keep(existing.name, "Revoked");
  }

  private getRequest({ where }: Pick<Question, "where">, status = 200): Reply {
    const found = this.requests.find(({ path }) => path.toLowerCase() === where.toLowerCase());
    if (found === undefined) return fails(404, "RoleAssignmentScheduleRequestNotFound", "The request does not exist.");
    const { body, at, scheduleId } = found;
    const createdOn = new Date(at).toISOString();
    return answersJson(status, {
      name: where.split("/").at(-1),
      properties: { ...body, status: found.status, createdOn, targetRoleAssignmentScheduleId: scheduleId },
    });
  }

  private listSchedules({ query }: Question, scope: string): Reply {
    const value = this.assignmentsOf(query).map((one) => ({
      name: one.name,
      properties: {
        scope: one.scope,
        roleDefinitionId: one.roleDefinitionId,
        principalId: one.principalId,
        roleAssignmentScheduleRequestId:
          one.requestName === undefined
            ? null
            : `${scope}/providers/Microsoft.Authorization/RoleAssignmentScheduleRequests/${one.requestName}`,
        endDateTime: one.endsAt === undefined ? null : new Date(one.endsAt).toISOString(),
      },
    }));
    return answersJson(200, { value });
  }

  private listPlain({ query }: Question): Reply {
    return answersJson(200, { value: this.assignmentsOf(query).map(presentPlain) });
  }

  private getPlain(scope: string, name: string): Reply {
    const found = this.assignments.find((one) => one.name === name && one.scope === scope);
    if (found === undefined) return fails(404, "RoleAssignmentNotFound", "The role assignment is not found.");
    return answersJson(200, presentPlain(found));
  }

  private putPlain({ body }: Question, scope: string, name: string): Reply {
    const { roleDefinitionId, principalId, description } = JSON.parse(body).properties;
    if (this.assignments.some((one) => isSame(one, { scope, roleDefinitionId, principalId }))) {
      return fails(409, "RoleAssignmentExists", "The role assignment already exists.");
    }
    this.add({ scope, roleDefinitionId, principalId, description, startsAt: this.azureNow, name });
    return answersJson(201, { name });
  }

  private permissionsOf(principalId: string, scope: string): unknown[] {
    const known = this.assignments.filter(({ startsAt }) => startsAt + this.delayMs <= this.azureNow);
    const lingering = this.lingering.filter(({ untilMs }) => untilMs > this.azureNow);
    const own = [...known, ...lingering].filter(
      (one) => one.principalId === principalId && scope.startsWith(one.scope),
    );
    return own.map(({ roleDefinitionId }) => {
      const { actions = [], dataActions = [] } = ROLES[roleDefinitionId.split("/").at(-1) ?? ""] ?? {};
      return { actions, notActions: [], dataActions, notDataActions: [] };
    });
  }

  private assignmentsOf(query: URLSearchParams): readonly Assignment[] {
    const principalId = /^principalId eq '(.*)'$/.exec(query.get("$filter") ?? "")?.[1];
    return this.assignments.filter((one) => one.principalId === principalId);
  }

  add(assignment: Omit<Assignment, "name"> & { readonly name?: string }): string {
    this.count += 1;
    const name = assignment.name ?? `00000000-0000-0000-0000-${String(this.count).padStart(12, "0")}`;
    this.assignments.push({ ...assignment, name });
    return name;
  }

  remove(which: (one: Assignment) => boolean): void {
    const gone = this.assignments.filter(which);
    this.lingering.push(...gone.map((one) => ({ ...one, untilMs: this.azureNow + this.delayMs })));
    this.assignments = this.assignments.filter((one) => !gone.includes(one));
  }
}

const started: FakeService[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((service) => service.close()));
});

/** On loopback, until the test's end. */
export async function startFakeAzure(): Promise<FakeAzure> {
  const azure = new FakeAzure();
  azure.service = await startFakeService((asked) => azure.route(asked));
  started.push(azure.service);
  return azure;
}

export function fails(status: number, code: string, message: string): Reply {
  return answersJson(status, { error: { code, message } });
}

export const isUnwell: Reply = answers(503, "");

export function objectIdOf(clientId: string): string {
  return clientId.replace(/^.{8}/, "0b1ec700");
}

export function roleIdAt(scope: string, id: string): string {
  return `${scope.split("/").slice(0, 3).join("/")}/providers/Microsoft.Authorization/roleDefinitions/${id}`;
}

function tokenOf(clientId: string): string {
  const encode = (claims: object) => Buffer.from(JSON.stringify(claims)).toString("base64url");
  return `${encode({ alg: "none" })}.${encode({ oid: objectIdOf(clientId), appid: clientId })}.${CANARY}`;
}

function callerOf({ headers }: Question): string | undefined {
  const [, payload = ""] = /^Bearer [\w-]+\.([\w-]+)\./.exec(headers.authorization ?? "") ?? [];
  if (payload === "") return undefined;
  return JSON.parse(Buffer.from(payload, "base64url").toString()).appid;
}

function isSame(one: Assignment, other: Pick<Assignment, "scope" | "roleDefinitionId" | "principalId">): boolean {
  const keyOf = ({ scope, roleDefinitionId, principalId }: typeof other) =>
    `${scope} ${roleDefinitionId} ${principalId}`;
  return keyOf(one).toLowerCase() === keyOf(other).toLowerCase();
}

function presentLock({ name, level, scope }: FakeLock): unknown {
  return { name, id: `${scope}/providers/Microsoft.Authorization/locks/${name}`, properties: { level } };
}

function presentPlain({ name, scope, roleDefinitionId, principalId, description }: Assignment): unknown {
  return { name, properties: { scope, roleDefinitionId, principalId, description: description ?? null } };
}
