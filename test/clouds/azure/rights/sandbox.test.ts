import { readFileSync } from "node:fs";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { azureCloud } from "../../../../src/clouds/azure/index.js";
import type { EndOrder, EndStep, Grant, GrantTerms } from "../../../../src/core/lease.js";
import type { AzureSettings } from "../../../../src/core/profile.js";
import type { Fetch, Runtime } from "../../../../src/core/runtime.js";
import { Secret } from "../../../../src/core/secret.js";
import type { Sandbox } from "../../../../src/sandbox/index.js";
import { fakeRuntime } from "../../../fake-runtime.js";
import { startSandbox } from "../../../start-sandbox.js";
import { endContext } from "../../end-order.js";
import { failureOf, idToken } from "../../exchange/identity.js";
import { ARM_SCOPE, AUDIENCE } from "../fake-entra.js";
import { BLOB_READ } from "./opening.js";

const MINUTE_MS = 60_000;
let sandbox: Sandbox;
let granter: string;
let pool: readonly string[];
let scope: string;
let initial: number;
let aheadMs = 0;
let leases = 0;

beforeAll(async () => {
  sandbox = await startSandbox();
  const { apps, subscriptionId } = sandbox.world.azure;
  const called = (name: string) => Object.entries(apps).find(([, app]) => app.name === name)?.[0] ?? "";
  granter = called("agentctl-granter");
  pool = [called("jit-one"), called("jit-two")];
  scope = `/subscriptions/${subscriptionId}/resourceGroups/demo`;
  initial = sandbox.azureRoles.current().length;
});
afterEach(() => {
  expect(sandbox.azureRoles.current()).toHaveLength(initial);
  sandbox.azureRoles.setPropagation(0);
});
afterAll(() => sandbox.close());

/** Over TLS by the sandbox's own authority. */
const fetchFromSandbox: Fetch = ({ url, method, headers, body }) =>
  new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, ca: readFileSync(sandbox.caFile) }, async (incoming) => {
      const answered = incoming.headers as Record<string, string>;
      resolve({ status: incoming.statusCode ?? 0, headers: answered, body: await text(incoming) });
    });
    outgoing.on("error", reject).end(body);
  });

/** The clocks of both go on together, and never back: what has ended would be there again. */
function goOn(ms: number): void {
  aheadMs += Math.ceil(ms);
  sandbox.clock.setOffset(aheadMs);
}

function lease(overrides: Partial<AzureSettings> = {}) {
  leases += 1;
  const env = {
    AZURE_AUTHORITY_HOST: sandbox.env["AZURE_AUTHORITY_HOST"],
    AZURE_RESOURCE_MANAGER_ENDPOINT: sandbox.env["AGENTCTL_SANDBOX_ARM_URL"],
  };
  const now = () => Date.now() + aheadMs;
  const runtime: Runtime = fakeRuntime({ env, fetch: fetchFromSandbox, now, sleep: async (ms) => goOn(ms) });
  const settings: AzureSettings = {
    tenantId: sandbox.world.azure.tenantId,
    clientId: pool[0] ?? "",
    otherClientIds: [],
    granter: { clientId: granter },
    assignments: [{ role: "Storage Blob Data Reader", scope }],
    allowUnbounded: false,
    ready: { permissions: [BLOB_READ], timeoutSeconds: 60 },
    scopes: [ARM_SCOPE],
    audiences: [AUDIENCE],
    ...overrides,
  };
  const endsAt = now() + 30 * MINUTE_MS;
  const terms: GrantTerms = {
    leaseId: `l-5andb0x${String(leases).padStart(9, "0")}`,
    profileName: "deploy-web",
    channel: "env",
    endsAt,
    latestEndsAt: endsAt,
    lifetimeSeconds: 1_800,
    revoke: "auto",
  };
  const mintToken = async ([audience = ""]: readonly string[]) =>
    idToken(audience, { token: new Secret(await sandbox.mintToken({ audience })) });
  const notices: string[] = [];
  const steps: EndStep[] = [];
  const signal = new AbortController().signal;
  const context = {
    mintToken,
    signal,
    onAsking: () => {},
    onProgress: () => {},
    onNotice: (line: string) => void notices.push(line),
    onStep: (step: EndStep) => void steps.push(step),
  };
  const plan = azureCloud.plan(settings, terms, runtime);
  const order: EndOrder = { ...plan, leaseId: terms.leaseId, isIssued: false, usableUntil: endsAt };
  return {
    notices,
    open: async () => {
      const chosen = await azureCloud.openRights?.(settings, terms, context, runtime);
      if (chosen === undefined) throw new Error("the room gives no rights");
      return { settings: chosen, steps };
    },
    issue: (chosen: AzureSettings) => azureCloud.issue(chosen, terms, context, runtime),
    end: (grant?: Grant) => {
      const held = grant && { isIssued: true, grant, usableUntil: grant.usableUntil, expiresAt: grant.expiresAt };
      return azureCloud.end({ ...order, ...held }, endContext({ mintToken }), runtime);
    },
  };
}

describe("rights at the sandbox", () => {
  it("arrive after Azure's delay, work, and are seen to go", async () => {
    sandbox.azureRoles.setPropagation(5_000);
    const { open, issue, end } = lease();
    const { settings, steps } = await open();
    expect(steps.at(-1)?.text).toMatch(/ after \d+s$/);
    expect(sandbox.azureRoles.current()).toHaveLength(initial + 1);
    const grant = await issue(settings);
    goOn(6 * MINUTE_MS);
    expect(await end(grant)).toMatchObject({ word: "revoked" });
    expect(await end()).toMatchObject({ word: "removed" });
  });

  it("are taken back when Azure lets them be", async () => {
    const { open, end } = lease();
    await open();
    const early = await end();
    expect(early).toMatchObject({ word: "expires", isUnfinished: true });
    goOn(Date.parse(String(early.retryAt)) - Date.now() - aheadMs);
    expect(await end()).toMatchObject({ word: "removed" });
  });

  it("are one lease's at a time, and of a pool the next one's", async () => {
    const both = { otherClientIds: pool.slice(1) };
    const [first, second, third] = [
      lease(both),
      lease(both),
      lease({ ...both, ready: { permissions: [BLOB_READ], timeoutSeconds: 30 } }),
    ];
    const opened = [await first.open(), await second.open()];
    expect(opened.map(({ settings }) => settings.clientId)).toEqual(pool);
    expect(await failureOf(third.open())).toMatchObject({ code: "ASSIGNMENT_BUSY" });
    expect(third.notices[0]).toMatch(/^azure: waiting for lease l-5andb0x/);
    goOn(6 * MINUTE_MS);
    expect(await Promise.all([first.end(), second.end()])).toMatchObject([{ word: "removed" }, { word: "removed" }]);
  });

  it("that the granter may not give are refused, and nothing is left", async () => {
    const { open, end } = lease({
      assignments: [{ role: "Contributor", scope }],
      ready: { permissions: ["x/read"], timeoutSeconds: 5 },
    });
    const error = await failureOf(open());
    expect(error).toMatchObject({ code: "CLOUD_DENIED", facts: { azureCode: "InsufficientPermissions" } });
    expect(await end()).toMatchObject({ word: "expires" });
  });
});
