import { randomUUID } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect } from "vitest";
import { findApp, findPrincipal, objectIdOf } from "../../../src/sandbox/azure/principals.js";
import { findRole, roleIdOf } from "../../../src/sandbox/azure/roles.js";
import { DEFAULT_SUBSCRIPTION, DEMO_ACCOUNT, GRANTER_CLIENT, POOL_CLIENTS } from "../../../src/sandbox/azure/world.js";
import { isRunning, poll } from "../../run/harness.js";
import { callArm, callBlob, MANAGEMENT, signIn } from "../../sandbox/azure-clients.js";
import { eventually, type Stage } from "../agentctl.js";
import { endHeldRuns } from "../endings/held-run.js";
import { ledgerIds, readEntry } from "../endings/ledger-view.js";
import { findProcesses } from "../endings/processes.js";
import { AZURE, type Block } from "../three-clouds.js";
import { endWaitingRuns, openRightsStage, type RightsStageOptions } from "./stage.js";

export const [FIRST, SECOND] = POOL_CLIENTS;
export const SUBSCRIPTION = `/subscriptions/${DEFAULT_SUBSCRIPTION}`;
export const ACCOUNT = `${SUBSCRIPTION}/resourceGroups/demo/providers/Microsoft.Storage/storageAccounts/${DEMO_ACCOUNT}`;
export const CONTAINER = `${ACCOUNT}/blobServices/default/containers/other`;
export const BLOB_READ = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read";
const GROUPS_READ = "Microsoft.Resources/subscriptions/resourceGroups/read";

/** Two assignments; `jit-one`, whom they are for, may do nothing without them. */
export const JIT: Block = {
  ...AZURE,
  client_id: FIRST,
  granter: { client_id: GRANTER_CLIENT },
  assignments: [
    { role: "Reader", scope: SUBSCRIPTION },
    { role: "Storage Blob Data Reader", scope: CONTAINER },
  ],
};
export const READY: Block = { permissions: [GROUPS_READ, BLOB_READ], at: CONTAINER };

/** A profile whose child has its tokens as variables. */
export function profileOf(azure: Block, rest: Block = {}): Block {
  return { ttl: "15m", deliver: "env", ...rest, azure };
}

const PROFILES: Readonly<Record<string, Block>> = {
  bound: profileOf(JIT),
  seen: profileOf({ ...JIT, ready: READY }),
  required: profileOf({ ...JIT, ready: READY }, { revoke: "required" }),
};

/** Privileged Identity Management takes nothing back that was given less than this ago, with agentctl's own margin. */
export const EARLY_MS = 5 * 60_000 + 11_000;

const CLOCK = path.resolve(import.meta.dirname, "../programs/clock.cjs");

export interface AzureStage extends Stage {
  /** Moves the time on, for the sandbox and for every agentctl, those that are running too. */
  passTime(ms: number): void;
}

/** A stage in which the time can be moved on, with profiles that give rights in Azure. */
export async function openAzureStage(
  profiles: Readonly<Record<string, Block>> = {},
  { env = {}, ...options }: RightsStageOptions = {},
): Promise<AzureStage> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-e2e-clock-"));
  const file = path.join(dir, "ahead");
  let ahead = 0;
  const passTime = (ms: number): void => {
    ahead += ms;
    fs.writeFileSync(`${file}.new`, String(ahead));
    fs.renameSync(`${file}.new`, file);
  };
  passTime(0);
  const clock = { NODE_OPTIONS: `--require ${CLOCK}`, CLOCK_AHEAD: file };
  const stage = await openRightsStage({ ...PROFILES, ...profiles }, { ...options, env: { ...clock, ...env } });
  return {
    ...stage,
    passTime: (ms) => {
      stage.sandbox.clock.advance(ms);
      passTime(ms);
    },
    close: async () => {
      // A watchdog waits for minutes, and what is queued outlives its test.
      for (const id of ledgerIds(stage)) {
        for (const pid of findSuccessors(id)) if (isRunning(pid)) process.kill(pid, "SIGKILL");
      }
      await stage.close();
      fs.rmSync(dir, { recursive: true, force: true });
    },
  };
}

/**
 * Opens a stage for each test that asks for one, so that tests which mostly wait can do so side by side; all are closed
 * after the last one, with what failed tests have left running.
 */
export function azureStages(
  profiles: Readonly<Record<string, Block>> = {},
  options: RightsStageOptions = {},
): (more?: RightsStageOptions) => Promise<AzureStage> {
  const opened: AzureStage[] = [];
  afterAll(async () => {
    endHeldRuns();
    endWaitingRuns();
    await Promise.all(opened.map((stage) => stage.close()));
  });
  return async (more) => {
    const stage = await openAzureStage(profiles, { ...options, ...more });
    opened.push(stage);
    return stage;
  };
}

export interface Assigned {
  readonly role: string;
  readonly scope: string;
  /** A client id. */
  readonly to: string;
  readonly endsAt?: number;
  readonly isTimeBound: boolean;
}

/** What somebody was given since the beginning and has now, as Resource Manager tells it. */
export function assignedNow(stage: Stage): readonly Assigned[] {
  const given = stage.sandbox.azureRoles.current().filter(({ createdBy }) => createdBy !== undefined);
  return given.map(({ roleId, scope, principalId, endsAt, schedule }) => ({
    role: findRole(roleId)?.name ?? roleId,
    scope,
    to: findPrincipal(stage.sandbox.world.azure, principalId)?.id ?? principalId,
    ...(endsAt !== undefined && { endsAt }),
    isTimeBound: schedule !== undefined,
  }));
}

/** What `JIT` gives, to one application. */
export function jitAssigned(to: string = FIRST): readonly unknown[] {
  const both = [
    { role: "Reader", scope: SUBSCRIPTION },
    { role: "Storage Blob Data Reader", scope: CONTAINER },
  ];
  return both.map((one) => expect.objectContaining({ ...one, to }));
}

/** What was asked of Privileged Identity Management, in its order: such as `AdminAssign 201`. */
export function pimRequests(stage: Stage): readonly string[] {
  const asked = stage.sandbox.requests().filter(({ operation }) => operation === PIM_CREATE);
  return asked.map(({ parameters, status }) => `${parameters?.["requestType"]} ${status}`);
}

export const PIM_CREATE = "RoleAssignmentScheduleRequests_Create";

/** What Azure says to the tokens that a child was given: to read resource groups, and a blob. */
export async function tryTokens(
  stage: Stage,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly groups: number; readonly blob: number }> {
  const groups = await callArm(
    stage.sandbox,
    `${SUBSCRIPTION}/resourcegroups?api-version=2024-11-01`,
    env["AZURE_ACCESS_TOKEN"],
  );
  const blob = await callBlob(stage.sandbox, "/other/private.txt", env["AZURE_ACCESS_TOKEN_STORAGE_AZURE_COM"]);
  return { groups: groups.status, blob: blob.status };
}

export const MAY = { groups: 200, blob: 200 };
export const MAY_NOT = { groups: 403, blob: 403 };

/** Calls Resource Manager as an application of the sandbox's, beside agentctl. */
export async function askArmAs(stage: Stage, clientId: string, pathAndQuery: string): Promise<unknown> {
  const token = await signIn(stage.sandbox, { clientId, scope: MANAGEMENT });
  return JSON.parse((await callArm(stage.sandbox, pathAndQuery, token)).body);
}

/** A role that is assigned by somebody else than a lease, and does not end. */
export async function assignBeside(stage: Stage, { role, scope, to }: Omit<Assigned, "isTimeBound">): Promise<void> {
  const { azure } = stage.sandbox.world;
  const found = findApp(azure, to);
  const principalId = found === undefined ? "" : objectIdOf(found.id, found.app);
  const roleDefinitionId = `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${roleIdOf(role)}`;
  const body = { properties: { principalId, roleDefinitionId, principalType: "ServicePrincipal" } };
  const token = await signIn(stage.sandbox, { clientId: GRANTER_CLIENT, scope: MANAGEMENT });
  const url = `${scope}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}?api-version=2022-04-01`;
  const { status, body: answer } = await callArm(stage.sandbox, url, token, { method: "PUT", body });
  if (status !== 201) throw new Error(`the sandbox answered ${status}: ${answer}`);
}

/** Until it is in the ledger that Azure takes a lease's assignments back only later; the time may be moved on from then. */
export async function awaitQueued(stage: Stage, leaseId: string): Promise<void> {
  await eventually(() => readEntry(stage, leaseId)?.grants.some(({ ending }) => ending?.isUnfinished === true));
}

const LEASE_ID = /^l-[0-9A-Z]{16}$/i;

/** Whoever waits to end a lease in its agentctl's place. @throws {Error} for what is no lease's id: no process is to be taken for one by mistake */
export function findSuccessors(leaseId: string): readonly number[] {
  if (!LEASE_ID.test(leaseId)) throw new Error(`"${leaseId}" is no lease's id`);
  return findProcesses(leaseId);
}

/** Ends whoever waits to end a lease in its agentctl's place. */
export async function killSuccessors(leaseId: string): Promise<void> {
  const pids = await poll(() => {
    const found = findSuccessors(leaseId);
    return found.length > 0 && found;
  }, "the watchdog");
  for (const pid of pids) if (isRunning(pid)) process.kill(pid, "SIGKILL");
  for (const pid of pids) await poll(() => !isRunning(pid), `the end of process ${pid}`);
}
