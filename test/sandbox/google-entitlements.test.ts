import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, get, outcome, parse } from "./google-clients.js";
import { APPROVED, DEMO, LOCATION, openPam, type PamStage } from "./google-grants.js";

let stage: PamStage;
beforeAll(async () => {
  stage = await openPam();
});
afterAll(() => stage.sandbox.close());

const SEARCH = `/v1/${LOCATION}/entitlements:search`;

async function found(caller: Caller, access: string): Promise<readonly Record<string, unknown>[]> {
  const answer = await get(caller, `${SEARCH}?callerAccessType=${access}`);
  return parse<{ entitlements?: Record<string, unknown>[] }>(answer).entitlements ?? [];
}

describe("entitlements that somebody looks for", () => {
  it.each([
    { who: "jit", want: [DEMO, APPROVED] },
    { who: "granter", want: [DEMO] },
    { who: "demo", want: [] },
  ] as const)("are those that $who may ask for, without any permission", async ({ who, want }) => {
    expect((await found(stage[who], "GRANT_REQUESTER")).map(({ name }) => name)).toEqual(want);
  });

  it("tell how long they are given for, and who has to approve", async () => {
    const [demo, approved] = await found(stage.jit, "GRANT_REQUESTER");
    expect(demo).toMatchObject({ state: "AVAILABLE", maxRequestDuration: "14400s" });
    expect(demo).not.toHaveProperty("approvalWorkflow");
    expect(approved).toMatchObject({ approvalWorkflow: { manualApprovals: { steps: [{ approvalsNeeded: 1 }] } } });
  });

  it("are none for whoever approves nothing, and need a way to be looked for", async () => {
    expect(await found(stage.jit, "GRANT_APPROVER")).toEqual([]);
    expect(outcome(await get(stage.jit, SEARCH)).is).toBe("400 INVALID_ARGUMENT");
  });
});
