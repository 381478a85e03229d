import { describe, expect, it } from "vitest";
import { failureOf } from "../exchange/identity.js";
import { gcpSettings } from "./fake-google.js";
import { refuse } from "./fake-pam.js";
import { startFakeRights } from "./fake-rights.js";
import { LEASE, MEMBER, open, PROJECT } from "./opening.js";

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
        justification: {
          unstructuredJustification: expect.stringMatching(
            new RegExp(`^agentctl lease ${LEASE} of profile deploy-web until \\S+Z$`),
          ),
        },
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
      `gcp: waiting for lease l-00000000000other to give ${entitlement} back, until 2026-11-22T10:30:00Z at the latest`,
    ]);
    expect(google.pam.grants).toHaveLength(2);
  });

  it("that an earlier try got is its own, though Google says that there is one", async () => {
    const google = await startFakeRights({});
    await open(google, { settings }).opened;
    google.pam.beforeCreate = () => refuse(409, "ALREADY_EXISTS", "There is one.");
    await open(google, { settings }).opened;
    expect(google.pam.asked).toBe(2);
  });

  it.each([
    { name: "is asked for again", times: 3, want: undefined },
    { name: "is refused in the end", times: 99, want: "CLOUD_DENIED" },
  ])("where what was in the way is gone when it is looked for $name", async ({ times, want }) => {
    const google = await startFakeRights({});
    google.pam.beforeCreate = (count) =>
      count <= times ? refuse(400, "FAILED_PRECONDITION", "There is an open grant.") : undefined;
    const { opened } = open(google, { settings });
    if (want === undefined) await opened;
    else expect(await failureOf(opened)).toMatchObject({ code: want });
    expect(google.pam.asked).toBe(4);
  });

  it("is asked for what is left of the lease, and by tokens that last, however long others were waited for", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    google.pam.beforeCreate = (count) =>
      count < 200 ? refuse(400, "FAILED_PRECONDITION", "There is an open grant.") : undefined;
    const name = `${entitlement}/grants/0`;
    const justification = { unstructuredJustification: "by hand" };
    google.pam.grants.push({
      name,
      requester: MEMBER,
      requestId: "0",
      requestedDuration: "1s",
      justification,
      state: "ACTIVE",
      next: [],
    });
    const ready = { permissions: ["storage.objects.get"], at: PROJECT, timeoutSeconds: 1_800 };
    google.granted = () => ready.permissions;
    const waiting = gcpSettings({ entitlement, ready });
    const { opened, runtime } = open(google, { settings: waiting, terms: { latestEndsAt: Date.now() + 7_200_000 } });
    const startedAt = runtime.now();
    google.pam.onCreate = () => google.pam.grants.shift();
    await opened;
    const waitedSeconds = (runtime.now() - startedAt) / 1000;
    expect(waitedSeconds).toBeGreaterThan(900);
    const asked = Number.parseInt(google.pam.grants[0]?.requestedDuration ?? "", 10);
    expect(Math.abs(asked - (7_200 - waitedSeconds))).toBeLessThan(30);
    expect(google.asked.filter(({ path }) => path.endsWith(":generateAccessToken"))).toHaveLength(2);
  });

  it("of another lease that does not end is ASSIGNMENT_BUSY", async () => {
    const google = await startFakeRights({});
    await open(google, { settings, terms: { leaseId: "l-00000000000other" } }).opened;
    const error = await failureOf(open(google, { settings }).opened);
    expect(error).toMatchObject({
      code: "ASSIGNMENT_BUSY",
      message: expect.stringMatching(/l-00000000000other .*; waited 5m/),
    });
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
