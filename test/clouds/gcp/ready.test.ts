import { describe, expect, it } from "vitest";
import { answersJson } from "../exchange/fake-service.js";
import { failureOf } from "../exchange/identity.js";
import { gcpSettings } from "./fake-google.js";
import { denied, startFakeRights } from "./fake-rights.js";
import { MEMBER, open, PROJECT, settingsFor, VIEWER } from "./opening.js";

describe("ready", () => {
  const ready = { permissions: ["storage.objects.get", "storage.objects.list"], timeoutSeconds: 60 };

  it("waits until the lease's own principal has all of it three times in a row", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    const seen: string[] = [];
    google.granted = (_holder, who, count) => {
      seen.push(who);
      // The first is before anything is given.
      const lacking = [1, 2, 3, 6];
      return lacking.includes(count) ? ["storage.objects.get"] : ready.permissions;
    };
    const { opened, progress, notices } = open(google, { settings: settingsFor(PROJECT, { ready }) });
    const { steps } = await opened;
    expect(seen).toEqual(Array.from({ length: 9 }, () => MEMBER));
    expect(progress).toContainEqual(expect.stringMatching(/^waiting for storage.objects.list on .* \(of \d+s\)$/));
    expect(steps.at(-1)?.text).toMatch(/ work for/);
    expect(notices).toEqual([]);
  });

  it.each([
    {
      name: "is not granted",
      granted: () => ["storage.objects.get"],
      said: /does not have storage.objects.list on .* after 1m$/,
    },
    {
      name: "is refused",
      granted: () => answersJson(403, { error: { code: 403, status: "PERMISSION_DENIED", message: "not you" } }),
      said: /not you/,
    },
  ])("is NOT_READY, with what is missing, where it $name in time", async ({ granted, said }) => {
    const google = await startFakeRights({ "projects/my-project": [] });
    google.granted = granted;
    const error = await failureOf(open(google, { settings: settingsFor(PROJECT, { ready }) }).opened);
    expect(error).toMatchObject({ code: "NOT_READY", message: expect.stringMatching(said) });
    expect(error.message).toContain("after 1m");
    expect(error.message).toContain(MEMBER.replace("serviceAccount:", ""));
  });

  it("outlasts what may pass, and its own tokens", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    google.granted = (_holder, _who, count) => {
      if (count <= 4) return answersJson(503, { error: { code: 503, status: "UNAVAILABLE", message: "away" } });
      return count <= 200 ? [] : ready.permissions;
    };
    const settings = settingsFor(PROJECT, { ready: { ...ready, timeoutSeconds: 1_800 } });
    await open(google, { settings }).opened;
    const impersonated = google.asked.filter(({ path }) => path.includes(`${MEMBER.replace("serviceAccount:", "")}:`));
    // Ten minutes each.
    expect(impersonated).toHaveLength(2);
  });

  it("is tried where it says", async () => {
    const google = await startFakeRights({ "projects/my-project": [], "b/site": [] });
    google.granted = (holder) => (holder === "b/site" ? ready.permissions : []);
    const at = "//storage.googleapis.com/projects/_/buckets/site";
    await open(google, { settings: settingsFor(PROJECT, { ready: { ...ready, at } }) }).opened;
    expect(
      google.asked.filter(({ path }) => path.includes("/testPermissions?permissions=storage.objects.get")),
    ).toHaveLength(4);
  });

  it.each([
    { name: "one permission", permissions: ["storage.objects.get"], said: /^storage.objects.get on \S+ works for / },
    {
      name: "several",
      permissions: ready.permissions,
      said: /^storage.objects.get, storage.objects.list on \S+ work for /,
    },
  ])("tells that $name worked", async ({ permissions, said }) => {
    const google = await startFakeRights({ "projects/my-project": [] });
    const { steps } = await open(google, { settings: settingsFor(PROJECT, { ready: { ...ready, permissions } }) })
      .opened;
    expect(steps.at(-1)?.text).toMatch(said);
  });

  it.each([
    {
      name: "Resource Manager's",
      resource: PROJECT,
      error: { status: "INVALID_ARGUMENT", message: "Permission storage.object.get is not valid for this resource." },
    },
    {
      name: "Cloud Storage's",
      resource: "//storage.googleapis.com/projects/_/buckets/site",
      error: { message: "Permission storage.object.get is unknown.", errors: [{ reason: "invalid" }] },
    },
  ])("is refused at once where the permission is none of $name", async ({ resource, error }) => {
    const google = await startFakeRights({ "projects/my-project": [], "b/site": [] });
    google.granted = () => answersJson(400, { error: { code: 400, ...error } });
    const misspelt = { ...ready, permissions: ["storage.object.get"] };
    const failure = await failureOf(open(google, { settings: settingsFor(resource, { ready: misspelt }) }).opened);
    expect(failure).toMatchObject({
      code: "CLOUD_DENIED",
      message: expect.stringContaining("storage.object.get is"),
      hint: expect.stringContaining("check gcp.ready"),
    });
    // One before anything was given.
    expect(google.asked.filter(({ path }) => path.includes("Permissions"))).toHaveLength(2);
  });

  it("says that a permission may be misspelt, or in none of the roles", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    const misspelt = { ...ready, permissions: ["storage.object.get"] };
    const error = await failureOf(open(google, { settings: settingsFor(PROJECT, { ready: misspelt }) }).opened);
    expect(error.hint).toMatch(/misspelt, or not in the roles given: .*gcp\.ready\.timeout/);
  });
});

describe("what is granted before anything is given", () => {
  const permissions = ["storage.objects.get", "storage.objects.list"];
  const settings = settingsFor(PROJECT, { ready: { permissions, timeoutSeconds: 60 } });
  const told = `${permissions.join(", ")} on ${PROJECT} were granted before anything was given: ready cannot tell when this lease's role works`;

  it("is told by a step and by one line", async () => {
    const standing = [{ role: VIEWER, members: [MEMBER] }];
    const google = await startFakeRights({ "projects/my-project": standing });
    const { opened, notices } = open(google, { settings });
    const { steps } = await opened;
    expect(notices).toEqual([`gcp: ${told}`]);
    expect(steps[0]?.text).toBe(told);
    expect(google.written).toHaveLength(1);
  });

  it("is looked at before the policy is written, also where an entitlement gives it", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    google.granted = () => permissions;
    const entitlement = "projects/my-project/locations/global/entitlements/deploy";
    const { ready } = settings;
    const { opened, notices } = open(google, { settings: gcpSettings({ entitlement, ...(ready && { ready }) }) });
    await opened;
    expect(notices).toEqual([`gcp: ${told}`]);
  });

  it("is asked about with no more than one request, of which the lease's own token is used again", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    await open(google, { settings }).opened;
    const kinds = google.asked.map(({ path }) => /[^/:]*$/.exec(path.split("?")[0] ?? "")?.[0]);
    expect(kinds.filter((kind) => kind === "generateAccessToken")).toHaveLength(2);
    expect(kinds.indexOf("testIamPermissions")).toBeLessThan(kinds.indexOf("setIamPolicy"));
    expect(kinds.filter((kind) => kind === "testIamPermissions")).toHaveLength(4);
  });

  it.each([
    { name: "in part", first: () => ["storage.objects.get"] },
    { name: "refused", first: () => denied() },
    { name: "away", first: () => answersJson(503, { error: { code: 503, status: "UNAVAILABLE", message: "away" } }) },
  ])("is not told where the look is answered $name", async ({ first }) => {
    const google = await startFakeRights({ "projects/my-project": [] });
    google.granted = (_holder, _who, count) => (count === 1 ? first() : permissions);
    const { opened, notices } = open(google, { settings });
    const { steps } = await opened;
    expect(notices).toEqual([]);
    expect(steps.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^gave /),
      expect.stringMatching(/ work for /),
    ]);
  });

  it("is not asked about without ready", async () => {
    const google = await startFakeRights({ "projects/my-project": [{ role: VIEWER, members: [MEMBER] }] });
    const { opened, notices } = open(google);
    await opened;
    expect(google.asked.filter(({ path }) => path.includes("testIamPermissions"))).toEqual([]);
    expect(notices).toEqual([]);
  });
});
