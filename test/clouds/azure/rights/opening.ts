import { azureCloud } from "../../../../src/clouds/azure/index.js";
import { issueAzureGrant } from "../../../../src/clouds/azure/issue.js";
import { openAzureRights } from "../../../../src/clouds/azure/rights/open-rights.js";
import { AgentctlError } from "../../../../src/core/errors.js";
import { fetchOverHttp } from "../../../../src/core/http.js";
import type {
  EndContext,
  Ending,
  EndOrder,
  EndStep,
  Grant,
  GrantTerms,
  RightsContext,
} from "../../../../src/core/lease.js";
import type { AzureSettings } from "../../../../src/core/profile.js";
import type { Runtime } from "../../../../src/core/runtime.js";
import { fakeRuntime } from "../../../fake-runtime.js";
import { endContext, withLimit } from "../../end-order.js";
import { idToken } from "../../exchange/identity.js";
import { ARM_SCOPE, AUDIENCE, TENANT } from "../fake-entra.js";
import {
  type FakeAzure,
  GRANTER,
  GROUP,
  ONE,
  objectIdOf,
  type Question,
  READER,
  roleIdAt,
  SUBSCRIPTION,
} from "./fake-azure.js";

export const BLOB_READ = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read";
let leases = 0;

/** A profile that gives Reader on a resource group. */
export function rightsSettings(overrides: Partial<AzureSettings> = {}): AzureSettings {
  return {
    tenantId: TENANT,
    clientId: ONE,
    otherClientIds: [],
    granter: { clientId: GRANTER },
    assignments: [{ role: "Reader", scope: GROUP }],
    allowUnbounded: false,
    scopes: [ARM_SCOPE],
    audiences: [AUDIENCE],
    ...overrides,
  };
}

/** One lease, by a machine whose clock is the fake's. */
export function openLease(
  azure: FakeAzure,
  overrides: Partial<AzureSettings> = {},
  more: Partial<GrantTerms> = {},
  here: Pick<RightsContext, "freedAt"> = {},
) {
  leases += 1;
  const settings = rightsSettings(overrides);
  const leaseId = `l-${String(leases).padStart(16, "0")}`;
  const runtime = runtimeOf(azure);
  const endsAt = azure.now + 30 * 60_000;
  const terms: GrantTerms = {
    leaseId,
    profileName: "deploy-web",
    channel: "env",
    endsAt,
    latestEndsAt: endsAt,
    lifetimeSeconds: 1_800,
    revoke: "auto",
    ...more,
  };
  const said = { notices: [] as string[], progress: [] as string[], steps: [] as EndStep[], asked: 0 };
  const stop = new AbortController();
  const context: RightsContext = {
    mintToken: async ([audience = ""]) => idToken(audience),
    signal: stop.signal,
    onProgress: (text, wait) => void said.progress.push(withLimit(text, wait)),
    onAsking: () => {
      said.asked += 1;
    },
    onNotice: (text) => void said.notices.push(text),
    onStep: (step) => void said.steps.push(step),
    ...here,
  };
  const limits = { attempts: 2, requestMs: 5_000 };
  const plan = azureCloud.plan(settings, terms, runtime);
  const order: EndOrder = {
    leaseId,
    cloud: "azure",
    channel: "env",
    principal: plan.principal,
    // As it comes from the ledger.
    undo: JSON.parse(JSON.stringify(plan.undo)),
    isIssued: false,
    usableUntil: endsAt,
  };
  return {
    leaseId,
    settings,
    terms,
    plan,
    said,
    stop,
    runtime,
    order,
    open: async () => {
      said.steps = [];
      return { settings: await openAzureRights(settings, terms, context, runtime, limits), steps: said.steps };
    },
    issue: (chosen: AzureSettings = settings) => issueAzureGrant(chosen, terms, context, runtime, limits),
    end: (grant?: Grant, end: Partial<EndContext> = {}): Promise<Ending> => {
      const held = grant && { isIssued: true, usableUntil: grant.usableUntil, expiresAt: grant.expiresAt, grant };
      const mintToken = context.mintToken;
      return azureCloud.end({ ...order, ...held }, endContext({ mintToken, ...end }), runtime);
    },
  };
}

export const START = Date.parse("2026-11-22T12:00:00Z");
export const MINUTE_MS = 60_000;

/** A lease with a grant, some minutes old. */
export async function heldLease(
  azure: FakeAzure,
  minutes: number,
  overrides: Partial<AzureSettings> = {},
  more: Partial<GrantTerms> = {},
) {
  const lease = openLease(azure, overrides, more);
  const { settings } = await lease.open();
  const grant = await lease.issue(settings);
  azure.now = START + minutes * MINUTE_MS;
  return { ...lease, grant };
}

/** Whether an assignment is asked for, or its end. */
export function isRequesting({ method, where }: Question): boolean {
  return method === "PUT" && where.includes("roleAssignmentScheduleRequests");
}

/** Whether it is asked what somebody may do. */
export function isLook({ where }: Question): boolean {
  return where.endsWith("/permissions");
}

/** The user interrupts the lease at the first question of that kind. */
export function interruptAt(azure: FakeAzure, stop: AbortController, isMoment: (question: Question) => boolean): void {
  azure.intercept = (question) => {
    if (isMoment(question)) stop.abort(new AgentctlError("INTERRUPTED", "SIGINT", { exitCode: 130 }));
    return undefined;
  };
}

/** Somebody lets the application read the whole subscription, outside of any lease. */
export function letRead(azure: FakeAzure, clientId: string): void {
  const roleDefinitionId = roleIdAt(SUBSCRIPTION, READER);
  azure.add({ scope: SUBSCRIPTION, roleDefinitionId, principalId: objectIdOf(clientId), startsAt: 0 });
}

/** Its sleep lets the fake's clock go on. */
export function runtimeOf(azure: FakeAzure, overrides: Partial<Runtime> = {}): Runtime {
  return fakeRuntime({
    env: { AZURE_AUTHORITY_HOST: "https://entra.example", AZURE_RESOURCE_MANAGER_ENDPOINT: "https://arm.example" },
    now: () => azure.now,
    sleep: async (ms) => {
      azure.now += ms;
    },
    fetch: (request) => fetchOverHttp({ ...request, url: request.url.replace(/^https:\/\/[^/]+/, azure.service.url) }),
    ...overrides,
  });
}
