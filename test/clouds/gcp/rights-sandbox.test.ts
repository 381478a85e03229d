import { readFileSync } from "node:fs";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { gcpCloud } from "../../../src/clouds/gcp/index.js";
import type { EndOrder, Grant } from "../../../src/core/lease.js";
import type { GcpSettings } from "../../../src/core/profile.js";
import type { Fetch, Runtime } from "../../../src/core/runtime.js";
import { Secret } from "../../../src/core/secret.js";
import type { Sandbox } from "../../../src/sandbox/index.js";
import { fakeRuntime } from "../../fake-runtime.js";
import { startSandbox } from "../../start-sandbox.js";
import { endContext } from "../end-order.js";
import { failureOf, grantTerms, idToken } from "../exchange/identity.js";

const PROJECT_ID = "agentctl-demo";
const account = (name: string): string => `${name}@${PROJECT_ID}.iam.gserviceaccount.com`;
const JIT = account("jit");
const GRANTER = account("agentctl-granter");
const PROJECT = `//cloudresourcemanager.googleapis.com/projects/${PROJECT_ID}`;
const BUCKET = "//storage.googleapis.com/projects/_/buckets/other";
const ACCOUNT = `//iam.googleapis.com/projects/${PROJECT_ID}/serviceAccounts/${account("demo")}`;
const VIEWER = "roles/storage.objectViewer";
const OBJECT = { bucket: "other", name: "private.txt" };

let sandbox: Sandbox;
let settings: GcpSettings;
let initial: string;
beforeAll(async () => {
  sandbox = await startSandbox();
  settings = {
    workloadIdentityProvider: Object.keys(sandbox.world.gcp.providers).find((name) => name.endsWith("/github")) ?? "",
    serviceAccount: JIT,
    scopes: ["https://www.googleapis.com/auth/cloud-platform"],
    accessBoundary: [],
    granter: { serviceAccount: GRANTER },
    bindings: [{ role: VIEWER, resource: BUCKET }],
    ready: { permissions: ["storage.objects.get"], timeoutSeconds: 30 },
    metadata: false,
  };
  initial = snapshot();
});
beforeEach(() => sandbox.gcp.setPropagation(0));
afterEach(() => {
  sandbox.clock.setOffset(0);
  expect(snapshot()).toBe(initial);
});
afterAll(() => sandbox.close());

function snapshot(): string {
  return JSON.stringify(Object.entries(sandbox.gcp.policies()).map(([holder, { bindings }]) => [holder, bindings]));
}

/** Over TLS by the sandbox's own authority. */
const fetchFromSandbox: Fetch = ({ url, method, headers, body }) =>
  new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, ca: readFileSync(sandbox.caFile) }, async (incoming) => {
      const answered = incoming.headers as Record<string, string>;
      resolve({ status: incoming.statusCode ?? 0, headers: answered, body: await text(incoming) });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });

/** One lease from its plan to its end, against the sandbox. */
function lease(overrides: Partial<GcpSettings> = {}, leaseId = "l-0123456789abcdef") {
  const chosen = { ...settings, ...overrides };
  const runtime: Runtime = fakeRuntime({
    env: sandbox.env,
    fetch: fetchFromSandbox,
    random: Math.random,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  const mintToken = async ([audience = ""]: readonly string[]) =>
    idToken(audience, { token: new Secret(await sandbox.mintToken({ audience })) });
  const terms = { ...grantTerms(900, Date.now()), leaseId };
  const context = {
    mintToken,
    signal: new AbortController().signal,
    onAsking: () => {},
    onProgress: () => {},
    onNotice: () => {},
    onStep: () => {},
  };
  const plan = gcpCloud.plan(chosen, terms, runtime);
  const order = (grant?: Grant): EndOrder => ({
    leaseId,
    cloud: "gcp",
    channel: "env",
    principal: plan.principal,
    undo: plan.undo,
    isIssued: grant !== undefined,
    ...(grant === undefined && { isHandedOut: false }),
    usableUntil: terms.endsAt,
    ...(grant !== undefined && { grant, expiresAt: grant.expiresAt }),
  });
  return {
    open: () => gcpCloud.openRights?.(chosen, terms, context, runtime),
    issue: () => gcpCloud.issue(chosen, terms, context, runtime),
    end: (grant?: Grant) => gcpCloud.end(order(grant), endContext({ mintToken }), runtime),
    read: async (grant: Grant) => {
      const path = `/storage/v1/b/${OBJECT.bucket}/o/${OBJECT.name}?alt=media`;
      const headers = { authorization: `Bearer ${grant.secrets["token"]?.value.reveal()}` };
      const url = `${sandbox.env["AGENTCTL_SANDBOX_GCS_URL"]}${path}`;
      return (await fetchFromSandbox({ url, headers })).status;
    },
  };
}

describe("against policies that are evaluated", () => {
  it.each([
    { name: "a bucket", overrides: {} },
    { name: "the project", overrides: { bindings: [{ role: VIEWER, resource: PROJECT }] } },
    {
      name: "two of them",
      overrides: {
        bindings: [BUCKET, PROJECT].map((resource) => ({ role: VIEWER, resource })),
        ready: { permissions: ["storage.objects.get"], at: BUCKET, timeoutSeconds: 30 },
      },
    },
  ])("what is given on $name works when it is opened, and is refused when it is revoked", async ({ overrides }) => {
    const { open, issue, end, read } = lease(overrides);
    const before = await issue();
    expect(await read(before)).toBe(403);
    await open();
    const grant = await issue();
    expect(await read(grant)).toBe(200);
    const ending = await end(grant);
    expect(ending.word, ending.detail).toBe("revoked");
    expect(await read(grant)).toBe(403);
  });

  it("what is given on a service account is taken off it", async () => {
    const bindings = [{ role: "roles/iam.serviceAccountUser", resource: ACCOUNT }];
    const ready = { permissions: ["iam.serviceAccounts.actAs"], timeoutSeconds: 30 };
    const { open, issue, end } = lease({ bindings, ready });
    await open();
    expect((await end(await issue())).word).toBe("revoked");
  });

  it("waits for what takes its time, before and after", async () => {
    sandbox.gcp.setPropagation(600, "gcs");
    const { open, issue, end, read } = lease();
    const startedAt = Date.now();
    await open();
    expect(Date.now() - startedAt).toBeGreaterThan(600);
    const grant = await issue();
    expect(await read(grant)).toBe(200);
    expect((await end(grant)).word).toBe("revoked");
    expect(await read(grant)).toBe(403);
  });

  it("is removed, and no more, where nobody holds the lease's token", async () => {
    const { open, end } = lease();
    await open();
    expect((await end()).word).toBe("removed");
    expect((await end()).word).toBe("expires");
  });

  it.each([3_600_000, -3_600_000])("is judged by Google's clock, which is %i ms ahead", async (offsetMs) => {
    sandbox.clock.setOffset(offsetMs);
    const { open, end, issue, read } = lease();
    await open();
    expect(await read(await issue())).toBe(200);
    expect((await end()).word).toBe("removed");
  });

  it("of two leases ends one without the other", async () => {
    const [one, other] = [lease({}, "l-00000000000000aa"), lease({}, "l-00000000000000bb")];
    await Promise.all([one.open(), other.open()]);
    await one.end();
    expect(await other.read(await other.issue())).toBe(200);
    await other.end();
  });

  it("an entitlement is given by a grant, and revoked by the granter", async () => {
    const entitlement = Object.keys(sandbox.world.gcp.entitlements)[0] ?? "";
    sandbox.gcp.setGrantDelays({ activationMs: 300, revocationMs: 300 });
    const { granter, ...rest } = settings;
    const given = { ...rest, ...(granter && { granter }), bindings: [], entitlement };
    const { open, issue, end, read } = lease({
      ...given,
      ready: { permissions: ["storage.objects.get"], at: BUCKET, timeoutSeconds: 30 },
    });
    await open();
    const grant = await issue();
    expect(await read(grant)).toBe(200);
    const other = lease(
      { ...given, ready: { permissions: ["storage.objects.get"], at: BUCKET, timeoutSeconds: 1 } },
      "l-00000000000000cc",
    );
    expect(await failureOf(other.open() ?? Promise.resolve())).toMatchObject({ code: "ASSIGNMENT_BUSY" });
    expect((await end(grant)).word).toBe("revoked");
    expect(sandbox.gcp.grants().map(({ state }) => state)).toEqual(["REVOKED"]);
    expect(await read(grant)).toBe(403);
  });
});
