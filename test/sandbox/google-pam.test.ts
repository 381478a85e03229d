import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Sandbox } from "../../src/sandbox/index.js";
import { type Caller, get, member, outcome, PROJECT, parse } from "./google-clients.js";
import {
  APPROVED,
  create,
  created,
  DEMO,
  eventsOf,
  type Grant,
  justification,
  LOCATION,
  look,
  openPam,
  readOther,
  revoke,
} from "./google-grants.js";

const MINUTE_MS = 60_000;

let sandbox: Sandbox;
let jit: Caller;
let granter: Caller;
let demo: Caller;
beforeEach(async () => {
  ({ sandbox, jit, granter, demo } = await openPam());
});
afterEach(() => sandbox.close());

const read = () => readOther(jit);

describe("a grant", () => {
  it("comes, gives its roles, and ends at its end", async () => {
    sandbox.gcp.setGrantDelays({ activationMs: 2 * MINUTE_MS });
    const grant = await created(jit);
    expect(grant).toMatchObject({ state: "SCHEDULED", requestedDuration: "1800s", justification });
    expect(grant.name).toMatch(new RegExp(`^${DEMO}/grants/[0-9a-f-]{36}$`));
    expect(grant.requester).toBe("jit@agentctl-demo.iam.gserviceaccount.com");
    const seen: string[] = [];
    for (const _minute of Array(3)) {
      seen.push(`${(await look(jit, grant)).state} ${await read()}`);
      sandbox.clock.advance(MINUTE_MS);
    }
    expect(seen).toEqual(["SCHEDULED 403", "ACTIVATING 403", "ACTIVE 200"]);
    const [binding] = sandbox.gcp.policyOf(PROJECT).bindings.filter(({ condition }) => condition !== undefined);
    expect(binding).toMatchObject({
      role: "roles/storage.objectViewer",
      members: [member("jit")],
      condition: { title: "Created by: PAM", expression: expect.stringMatching(/^request\.time < timestamp\("/) },
    });
    sandbox.clock.advance(28 * MINUTE_MS);
    expect(await read()).toBe(200);
    sandbox.clock.advance(2 * MINUTE_MS);
    expect(await read()).toBe(403);
    const ended = await look(jit, grant);
    expect(ended.state).toBe("ENDED");
    expect(eventsOf(ended)).toEqual(["requested", "scheduled", "activated", "ended"]);
    expect(sandbox.gcp.policyOf(PROJECT).bindings.every(({ condition }) => condition === undefined)).toBe(true);
  });

  it("is taken back by who may, over an operation that takes its time", async () => {
    sandbox.gcp.setGrantDelays({ revocationMs: MINUTE_MS });
    const grant = await created(jit);
    expect(await read()).toBe(200);
    expect(outcome(await revoke(jit, grant)).is).toBe("403 PERMISSION_DENIED");
    const operation = parse<{ name: string; done: boolean }>(await revoke(granter, grant));
    expect(operation).toMatchObject({ done: false, metadata: { target: grant.name } });
    expect((await look(granter, grant)).state).toBe("REVOKING");
    expect(outcome(await revoke(granter, grant)).is).toBe("400 FAILED_PRECONDITION");
    expect(outcome(await create(jit)).is).toBe("400 FAILED_PRECONDITION");
    expect(await read()).toBe(200);
    sandbox.clock.advance(MINUTE_MS);
    expect(parse(await get(granter, `/v1/${operation.name}`))).toMatchObject({
      done: true,
      response: { name: grant.name, state: "REVOKED" },
    });
    expect(await read()).toBe(403);
    const { timeline } = await look(jit, grant);
    expect(timeline.events.at(-1)).toMatchObject({
      revoked: { reason: "done", actor: "agentctl-granter@agentctl-demo.iam.gserviceaccount.com" },
    });
    expect(outcome(await revoke(granter, grant)).is).toBe("400 FAILED_PRECONDITION");
    expect(outcome(await create(jit)).is).toBe("200");
  });

  it("can be taken back before it is active, and then never is", async () => {
    sandbox.gcp.setGrantDelays({ activationMs: MINUTE_MS });
    const grant = await created(jit);
    await revoke(granter, grant);
    sandbox.clock.advance(2 * MINUTE_MS);
    expect(await look(jit, grant)).toMatchObject({ state: "REVOKED" });
    expect(await look(jit, grant)).not.toHaveProperty("auditTrail");
    expect(await read()).toBe(403);
  });

  it("is one for each requester, and the same for the same request", async () => {
    const id = randomUUID();
    const grant = parse<Grant>(await create(jit, {}, { id }));
    expect(parse<Grant>(await create(jit, {}, { id })).name).toBe(grant.name);
    const second = outcome(await create(jit));
    expect(second).toEqual({ is: "400 FAILED_PRECONDITION", says: expect.stringContaining(grant.name) });
    expect(outcome(await create(granter)).is).toBe("200");
    const search = await get(jit, `/v1/${DEMO}/grants:search?callerRelationship=HAD_CREATED`);
    expect(parse<{ grants: Grant[] }>(search).grants.map(({ name }) => name)).toEqual([grant.name]);
    expect(parse<{ grants: Grant[] }>(await get(granter, `/v1/${DEMO}/grants`)).grants).toHaveLength(2);
    expect(outcome(await get(jit, `/v1/${DEMO}/grants`)).is).toBe("403 PERMISSION_DENIED");
  });

  it("waits for approval where that is needed", async () => {
    const grant = await created(jit, APPROVED);
    expect(grant.state).toBe("APPROVAL_AWAITED");
    expect(await read()).toBe(403);
    sandbox.gcp.decideGrant(grant.name, "approve");
    expect((await look(jit, grant)).state).toBe("ACTIVE");
    expect(await read()).toBe(200);
    const elsewhere = await get(jit, "/storage/v1/b/demo/o/hello.txt");
    expect(elsewhere.status).toBe(403);
  });

  it("is denied, or expires, where nobody approves", async () => {
    const denied = await created(jit, APPROVED);
    sandbox.gcp.decideGrant(denied.name, "deny");
    expect((await look(jit, denied)).state).toBe("DENIED");
    const late = await created(jit, APPROVED);
    sandbox.clock.setOffset(86_400_000, "pam");
    expect(sandbox.gcp.grants().find(({ name }) => name === late.name)?.state).toBe("EXPIRED");
  });

  it("notices that others took its bindings away", async () => {
    const grant = await created(jit);
    expect((await look(jit, grant)).externallyModified).toBeUndefined();
    sandbox.gcp.changePolicy(PROJECT, (bindings) => bindings.filter(({ condition }) => condition === undefined));
    const seen = await look(jit, grant);
    expect(seen).toMatchObject({ state: "ACTIVE", externallyModified: true });
    expect(await read()).toBe(403);
  });
});

describe("a request that is refused", () => {
  it.each([
    { name: "for less than half an hour", body: { requestedDuration: "1799s" }, want: "400 INVALID_ARGUMENT" },
    {
      name: "for longer than the entitlement gives",
      body: { requestedDuration: "14401s" },
      want: "400 INVALID_ARGUMENT",
    },
    { name: "for no time", body: { requestedDuration: undefined }, want: "400 INVALID_ARGUMENT" },
    { name: "for what is no duration", body: { requestedDuration: "30m" }, want: "400 INVALID_ARGUMENT" },
    { name: "with an id that is none", id: "1", want: "400 INVALID_ARGUMENT" },
    { name: "with the id of zeros", id: "00000000-0000-0000-0000-000000000000", want: "400 INVALID_ARGUMENT" },
    { name: "with a field that is none", body: { duration: "1800s" }, want: "400 INVALID_ARGUMENT" },
    {
      name: "without the reason that is asked for",
      entitlement: APPROVED,
      body: { justification: undefined },
      want: "400 INVALID_ARGUMENT",
    },
    { name: "for what is not there", entitlement: `${LOCATION}/entitlements/gone`, want: "404 NOT_FOUND" },
  ])("$name: $want", async ({ body, want, ...options }) => {
    expect(outcome(await create(jit, body, options)).is).toBe(want);
  });

  it("from whom the entitlement does not name, or without a token", async () => {
    expect(outcome(await create(demo)).is).toBe("403 PERMISSION_DENIED");
    expect(outcome(await create({ sandbox, token: undefined })).is).toBe("401 UNAUTHENTICATED");
    const grant = await created(jit);
    expect(outcome(await get(demo, `/v1/${grant.name}`)).is).toBe("403 PERMISSION_DENIED");
    expect(outcome(await get(granter, `/v1/${DEMO}/grants/${randomUUID()}`)).is).toBe("404 NOT_FOUND");
  });
});

describe("an entitlement", () => {
  it("is described to who may request it, by the project's id or number", async () => {
    const byNumber = DEMO.replace("agentctl-demo", "123456789012");
    for (const name of [DEMO, byNumber]) {
      expect(parse(await get(jit, `/v1/${name}`))).toMatchObject({ name: DEMO, maxRequestDuration: "14400s" });
    }
    expect(outcome(await get(demo, `/v1/${DEMO}`)).is).toBe("403 PERMISSION_DENIED");
  });
});

describe("the remote control", () => {
  it("sets the delays, tells the policies and grants, and writes and decides for others", async () => {
    const control = async (method: string, route: string, body?: object) => {
      const text = body && JSON.stringify(body);
      const answer = await fetch(`${sandbox.env["AGENTCTL_SANDBOX_CONTROL_URL"]}/${route}`, {
        method,
        ...(text !== undefined && { body: text }),
      });
      return { status: answer.status, body: answer.status === 204 ? undefined : await answer.json() };
    };
    expect(await control("POST", "gcp", { propagationMs: 5, service: "gcs", activationMs: 7 })).toMatchObject({
      status: 204,
    });
    const foreign = { role: "roles/browser", members: ["user:a@example.com"] };
    await control("POST", "gcp-policy", { holder: PROJECT, add: [foreign] });
    const grant = await created(jit, APPROVED);
    expect(await control("POST", "gcp-grant", { name: grant.name, decision: "deny" })).toMatchObject({ status: 204 });
    const { body } = await control("GET", "gcp");
    expect(body).toMatchObject({
      propagationMs: { gcs: 5, cloudresourcemanager: 0 },
      activationMs: 7,
      revocationMs: 0,
      grants: [{ name: grant.name, state: "DENIED" }],
    });
    expect((body as { policies: Record<string, { bindings: object[] }> }).policies[PROJECT]?.bindings).toContainEqual(
      foreign,
    );
    await control("POST", "gcp-policy", { holder: PROJECT, remove: [foreign] });
    expect(sandbox.gcp.policyOf(PROJECT).bindings).not.toContainEqual(foreign);
    expect(await control("POST", "gcp-policy", { holder: "projects/other" })).toMatchObject({
      status: 400,
      body: { message: "there is no projects/other" },
    });
    expect(await control("POST", "gcp-grant", { name: grant.name, decision: "deny" })).toMatchObject({ status: 400 });
  });
});
