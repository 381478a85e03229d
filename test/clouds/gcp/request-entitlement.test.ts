import { describe, expect, it } from "vitest";
import { failureOf } from "../exchange/identity.js";
import { gcpSettings } from "./fake-google.js";
import { startFakeRights } from "./fake-rights.js";
import { LEASE, MEMBER, open } from "./opening.js";

describe("an entitlement", () => {
  const entitlement = "projects/my-project/locations/global/entitlements/deploy";
  const settings = gcpSettings({ entitlement });

  it("is asked for by the lease's own principal, once, and waited for", async () => {
    const google = await startFakeRights(
      {},
      { states: ["APPROVAL_AWAITED", "APPROVAL_AWAITED", "SCHEDULED", "ACTIVE"] },
    );
    const { opened, notices } = open(google, { settings });
    const { steps } = await opened;
    expect(google.pam.grants).toMatchObject([
      {
        requester: MEMBER,
        // No grant is shorter.
        requestedDuration: "1800s",
        justification: { unstructuredJustification: `agentctl lease ${LEASE} of profile deploy-web` },
        requestId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      },
    ]);
    expect(notices).toEqual([expect.stringContaining("approve")]);
    expect(steps.at(-1)?.text).toMatch(/is active/);
    await open(google, { settings }).opened;
    expect(google.pam.grants).toHaveLength(1);
  });

  it("lasts as long as the lease may", async () => {
    const google = await startFakeRights({});
    const { runtime, opened } = open(google, { settings, terms: { latestEndsAt: Date.now() + 7_200_500 } });
    await opened;
    expect(runtime.now()).toBeGreaterThan(0);
    expect(Number.parseInt(google.pam.grants[0]?.requestedDuration ?? "", 10)).toBeGreaterThan(7_195);
  });

  it("of another lease is waited for, with a line that says whose", async () => {
    const google = await startFakeRights({});
    await open(google, { settings, terms: { leaseId: "l-00000000000other" } }).opened;
    const first = google.pam.grants[0];
    if (first !== undefined) first.auditTrail = { accessGrantTime: "2026-11-22T10:00:00Z" };
    const { opened, notices, progress } = open(google, { settings });
    while (progress.length === 0) await new Promise((resolve) => setImmediate(resolve));
    if (first !== undefined) first.state = "ENDED";
    await opened;
    expect(notices).toEqual([
      `Google Cloud: lease l-00000000000other has ${entitlement}, until 2026-11-22T10:30:00Z at the latest; waiting`,
    ]);
    expect(google.pam.grants).toHaveLength(2);
  });

  it("of another lease that does not end is ASSIGNMENT_BUSY", async () => {
    const google = await startFakeRights({});
    await open(google, { settings, terms: { leaseId: "l-00000000000other" } }).opened;
    const error = await failureOf(open(google, { settings }).opened);
    expect(error).toMatchObject({ code: "ASSIGNMENT_BUSY", message: expect.stringContaining("l-00000000000other") });
  });

  it.each([
    { name: "that is denied", states: ["APPROVAL_AWAITED", "DENIED"], want: "CLOUD_DENIED" },
    { name: "that cannot be activated", states: ["ACTIVATING", "ACTIVATION_FAILED"], want: "CLOUD_DENIED" },
    { name: "that nobody approves in time", states: ["APPROVAL_AWAITED"], want: "NOT_READY" },
    { name: "that takes too long", states: ["ACTIVATING"], want: "NOT_READY" },
  ])("$name is $want", async ({ states, want }) => {
    const google = await startFakeRights({}, { states });
    expect(await failureOf(open(google, { settings }).opened)).toMatchObject({ code: want });
  });
});
