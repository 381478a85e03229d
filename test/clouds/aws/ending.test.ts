import { describe, expect, it } from "vitest";
import { awsCloud } from "../../../src/clouds/aws/index.js";
import type { Facts, Grant } from "../../../src/core/lease.js";
import { fakeRuntime } from "../../fake-runtime.js";
import { endContext, endOrder } from "../end-order.js";

const DEADLINE = Date.parse("2026-11-22T12:05:00Z");
const EXPIRY = Date.parse("2026-11-22T12:15:00Z");

function end(grant: Partial<Grant>, now: number, undoing: Facts = {}) {
  const undo: Facts = { derivedSessions: "denied", fenceForwarded: false, revoke: "auto", ...undoing };
  const whole: Grant = {
    cloud: "aws",
    channel: "env",
    secrets: {},
    principal: "arn:aws:sts::111122223333:assumed-role/r/s",
    issuedAt: DEADLINE - 300_000,
    usableUntil: DEADLINE,
    expiresAt: EXPIRY,
    variables: {},
    facts: { fencedAt: "2026-11-22T12:05:00Z" },
    ...grant,
  };
  const order = { ...endOrder(whole), undo };
  return awsCloud.end(order, endContext(), fakeRuntime({ now: () => now }));
}

describe("the ending of an AWS grant", () => {
  it("is fenced at the deadline, and gives the keys' own expiry", async () => {
    expect(await end({}, DEADLINE - 60_000)).toEqual({
      cloud: "aws",
      word: "fenced",
      at: "2026-11-22T12:05:00Z",
      until: "2026-11-22T12:15:00Z",
      detail:
        "the session's own policy denies every authorized call after this time; GetCallerIdentity, and logins that " +
        "rest on it, work until the keys expire; what AWS does on the session's behalf may go on until then too",
    });
  });

  it("says that the fence has passed once it has", async () => {
    expect((await end({}, DEADLINE + 1_000)).detail).toContain("has denied every authorized call");
  });

  it("says nothing of forwarded calls where those are fenced too", async () => {
    expect((await end({}, DEADLINE, { fenceForwarded: true })).detail).not.toContain("behalf");
  });

  it("is fenced where the fence and AWS's own expiry fall together", async () => {
    const ending = await end({ expiresAt: DEADLINE }, DEADLINE - 60_000);
    expect(ending).toMatchObject({ word: "fenced", at: "2026-11-22T12:05:00Z", until: "2026-11-22T12:05:00Z" });
  });

  it("expires where AWS ends the keys before the fence", async () => {
    const expiresAt = DEADLINE - 20_000;
    const ending = await end({ expiresAt, usableUntil: expiresAt }, DEADLINE - 60_000);
    expect(ending).toMatchObject({ word: "expires", at: "2026-11-22T12:04:40Z" });
    expect(ending).not.toHaveProperty("until");
  });

  it("counts the hour of a session that the child may assume further", async () => {
    const ending = await end({}, DEADLINE, { derivedSessions: "listed" });
    expect(ending.until).toBe("2026-11-22T13:05:00Z");
    expect(ending.detail).toContain("lasts up to an hour more");
  });

  it("does not claim to end what the child made where everything was allowed", async () => {
    const ending = await end({}, DEADLINE, { derivedSessions: "allowed" });
    expect(ending.detail).toContain("sessions, keys and policies made with it are not ended with it");
  });
});
