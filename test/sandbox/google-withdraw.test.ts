import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Sandbox } from "../../src/sandbox/index.js";
import type { Answer } from "./clients.js";
import { type Caller, get, outcome, PROJECT, parse, post } from "./google-clients.js";
import {
  APPROVED,
  create,
  created,
  DEMO,
  eventsOf,
  type Grant,
  look,
  openPam,
  readOther,
  revoke,
} from "./google-grants.js";

const MINUTE_MS = 60_000;

let sandbox: Sandbox;
let jit: Caller;
let granter: Caller;
beforeEach(async () => {
  ({ sandbox, jit, granter } = await openPam());
});
afterEach(() => sandbox.close());

function withdraw(caller: Caller, { name }: Pick<Grant, "name">, body: object = {}): Promise<Answer> {
  return post(caller, `/v1beta/${name}:withdraw`, body);
}

describe("a withdrawal", () => {
  it("ends an active grant, by whoever asked for it and may not revoke, over an operation that takes its time", async () => {
    sandbox.gcp.setGrantDelays({ revocationMs: MINUTE_MS });
    const grant = await created(jit);
    expect(await readOther(jit)).toBe(200);
    expect(outcome(await revoke(jit, grant)).is).toBe("403 PERMISSION_DENIED");
    const operation = parse<{ name: string; done: boolean }>(await withdraw(jit, grant));
    expect(operation).toMatchObject({
      done: false,
      metadata: { target: grant.name, verb: "withdraw", apiVersion: "v1beta" },
    });
    expect(operation).not.toHaveProperty("response");
    expect((await look(jit, grant)).state).toBe("WITHDRAWING");
    expect(await readOther(jit)).toBe(200);
    expect(outcome(await create(jit)).is).toBe("400 FAILED_PRECONDITION");
    sandbox.clock.advance(MINUTE_MS);
    expect(parse(await get(jit, `/v1beta/${operation.name}`))).toMatchObject({
      done: true,
      response: { name: grant.name, state: "WITHDRAWN" },
    });
    expect(await readOther(jit)).toBe(403);
    expect(sandbox.gcp.policyOf(PROJECT).bindings.every(({ condition }) => condition === undefined)).toBe(true);
    const withdrawn = await look(jit, grant);
    expect(eventsOf(withdrawn)).toEqual(["requested", "scheduled", "activated", "withdrawn"]);
    expect(withdrawn).toMatchObject({ auditTrail: { accessRemoveTime: expect.any(String) } });
    expect(outcome(await create(jit)).is).toBe("200");
  });

  it.each([
    { name: "that waits for its approval", entitlement: APPROVED, state: "APPROVAL_AWAITED" },
    { name: "that is not yet active", entitlement: DEMO, state: "SCHEDULED" },
  ])("of a grant $name lets it never be active", async ({ entitlement, state }) => {
    sandbox.gcp.setGrantDelays({ activationMs: MINUTE_MS });
    const grant = await created(jit, entitlement);
    expect(grant.state).toBe(state);
    expect(outcome(await withdraw(jit, grant)).is).toBe("200");
    sandbox.clock.advance(2 * MINUTE_MS);
    expect(await look(jit, grant)).toMatchObject({ state: "WITHDRAWN" });
    expect(await look(jit, grant)).not.toHaveProperty("auditTrail");
    expect(() => sandbox.gcp.decideGrant(grant.name, "approve")).toThrow("the grant is WITHDRAWN");
    expect(await readOther(jit)).toBe(403);
  });
});

describe("a withdrawal that is refused", () => {
  it("is another's, though they may revoke it", async () => {
    const grant = await created(jit);
    expect(outcome(await withdraw(granter, grant)).is).toBe("403 PERMISSION_DENIED");
    expect(outcome(await withdraw({ sandbox, token: undefined }, grant)).is).toBe("401 UNAUTHENTICATED");
    expect((await look(jit, grant)).state).toBe("ACTIVE");
    expect(await readOther(jit)).toBe(200);
  });

  it("is of what is not there, which is not told apart", async () => {
    const gone = { name: `${DEMO}/grants/${randomUUID()}` };
    expect(outcome(await withdraw(jit, gone)).is).toBe("403 PERMISSION_DENIED");
  });

  it("says something: it takes no reason", async () => {
    const grant = await created(jit);
    expect(outcome(await withdraw(jit, grant, { reason: "done" }))).toEqual({
      is: "400 INVALID_ARGUMENT",
      says: expect.stringContaining('Unknown name "reason"'),
    });
    expect((await look(jit, grant)).state).toBe("ACTIVE");
  });

  it("is not by the beta, which alone has it", async () => {
    const grant = await created(jit);
    expect(outcome(await post(jit, `/v1/${grant.name}:withdraw`)).is).toBe("404 NOT_FOUND");
    expect((await look(jit, grant)).state).toBe("ACTIVE");
  });

  it.each([
    { name: "revoked", end: (grant: Grant) => revoke(granter, grant), state: "REVOKED" },
    { name: "withdrawn", end: (grant: Grant) => withdraw(jit, grant), state: "WITHDRAWN" },
  ])("is of a grant that is $name already, or is being so", async ({ end, state }) => {
    sandbox.gcp.setGrantDelays({ revocationMs: MINUTE_MS });
    const grant = await created(jit);
    expect(outcome(await end(grant)).is).toBe("200");
    const refused = async () => [outcome(await withdraw(jit, grant)).is, outcome(await revoke(granter, grant)).is];
    expect(await refused()).toEqual(["400 FAILED_PRECONDITION", "400 FAILED_PRECONDITION"]);
    sandbox.clock.advance(MINUTE_MS);
    expect(await refused()).toEqual(["400 FAILED_PRECONDITION", "400 FAILED_PRECONDITION"]);
    expect((await look(jit, grant)).state).toBe(state);
  });

  it("is of a grant that has ended by itself", async () => {
    const grant = await created(jit);
    sandbox.clock.setOffset(31 * MINUTE_MS, "pam");
    expect(outcome(await withdraw(jit, grant)).is).toBe("400 FAILED_PRECONDITION");
    expect((await look(jit, grant)).state).toBe("ENDED");
  });
});
