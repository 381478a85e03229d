import { describe, expect, it } from "vitest";
import { answersJson, cutsConnection } from "../exchange/fake-service.js";
import { failureOf } from "../exchange/identity.js";
import { type FakeBinding, startFakeRights } from "./fake-rights.js";
import { FOREIGN, open, oursOf, PROJECT, settingsFor, VIEWER } from "./opening.js";

describe("giving bindings beside others", () => {
  it("reads and writes all of it again when somebody else was first, with nothing of theirs lost", async () => {
    const google = await startFakeRights({ "projects/my-project": FOREIGN, "b/site": FOREIGN });
    const resources = [PROJECT, "//storage.googleapis.com/projects/_/buckets/site"];
    google.beforeSet = (holder, count) => {
      if (count <= 8)
        google.write(holder, (all) => [...all, { role: "roles/browser", members: [`user:u${count}@x.y`] }]);
      return undefined;
    };
    const bindings = resources.map((resource) => ({ role: VIEWER, resource }));
    await open(google, { settings: settingsFor(PROJECT, { bindings }) }).opened;
    for (const holder of ["projects/my-project", "b/site"]) {
      expect(oursOf(google.bindings(holder))).toHaveLength(1);
      expect(google.bindings(holder)).toEqual(expect.arrayContaining([...FOREIGN]));
    }
    const browsers = [...google.bindings("projects/my-project"), ...google.bindings("b/site")];
    expect(browsers.filter(({ role }) => role === "roles/browser")).toHaveLength(8);
  });

  it("of thirty leases at once, beside a foreign writer, loses nothing of anybody", async () => {
    const google = await startFakeRights({ "projects/my-project": FOREIGN });
    let foreign = 0;
    google.beforeSet = (holder, count) => {
      if (count % 3 !== 0) return undefined;
      foreign += 1;
      google.write(holder, (all) => [...all, { role: "roles/browser", members: [`user:u${foreign}@x.y`] }]);
      return undefined;
    };
    const leases = Array.from({ length: 30 }, (_, index) => `l-${String(index).padStart(16, "0")}`);
    const opened = leases.map((leaseId, index) => {
      const serviceAccount = `sa-${index % 3}@my-project.iam.gserviceaccount.com`;
      return open(google, { settings: settingsFor(PROJECT, { serviceAccount }), terms: { leaseId }, pace: 0.1 }).opened;
    });
    await Promise.all(opened);
    const bindings = google.bindings("projects/my-project");
    for (const leaseId of leases) expect(oursOf(bindings, leaseId)).toHaveLength(1);
    expect(bindings.filter(({ role }) => role === "roles/browser")).toHaveLength(foreign);
    expect(bindings).toEqual(expect.arrayContaining([...FOREIGN]));
  }, 30_000);

  it("goes on where Google wants fewer requests", async () => {
    const google = await startFakeRights({ "projects/my-project": FOREIGN });
    google.beforeSet = (_holder, count) =>
      count <= 9
        ? answersJson(429, { error: { code: 429, status: "RESOURCE_EXHAUSTED", message: "slow" } })
        : undefined;
    await open(google).opened;
    expect(oursOf(google.bindings("projects/my-project"))).toHaveLength(1);
  });

  it.each([
    {
      name: "on a bucket that takes no conditions",
      message: "IAM conditions need uniform bucket-level access.",
      hint: /uniform bucket-level access/,
    },
    {
      name: "against an organization's policy",
      message: "Request violates constraint 'constraints/iam.allowedPolicyMemberDomains'",
      hint: /organization/,
    },
    {
      name: "with a member whom the organization does not allow",
      message: "One or more users named in the policy do not belong to a permitted customer.",
      hint: /a member that was in its policy before/,
    },
    {
      name: "on a bucket of which everybody was a member",
      message: "The member bindings allUsers are not allowed since public access prevention is enforced.",
      hint: /a member that was in its policy before/,
    },
  ])("$name is refused, and not tried for minutes", async ({ message, hint }) => {
    const google = await startFakeRights({ "b/site": [] });
    google.beforeSet = () =>
      answersJson(412, { error: { code: 412, message, errors: [{ reason: "conditionNotMet" }] } });
    const settings = settingsFor("//storage.googleapis.com/projects/_/buckets/site");
    const error = await failureOf(open(google, { settings }).opened);
    expect(error).toMatchObject({ code: "CLOUD_DENIED", hint: expect.stringMatching(hint) });
    expect(google.asked.filter(({ method }) => method === "PUT")).toHaveLength(1);
  });

  it("on a bucket with a name like that is only overtaken", async () => {
    const google = await startFakeRights({ "b/uniform": [] });
    const message = "The policy of uniform was changed by others.";
    google.beforeSet = (_holder, count) =>
      count === 1
        ? answersJson(412, { error: { code: 412, message, errors: [{ reason: "conditionNotMet" }] } })
        : undefined;
    await open(google, { settings: settingsFor("//storage.googleapis.com/projects/_/buckets/uniform") }).opened;
    expect(google.bindings("b/uniform")).toHaveLength(1);
  });

  it("gives up where others are first every time, and says so", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    google.beforeSet = (holder) => void google.write(holder, (all) => all) as undefined;
    const error = await failureOf(open(google).opened);
    expect(error).toMatchObject({
      code: "SERVICE_FAILED",
      message: expect.stringContaining("concurrent policy changes"),
    });
    expect(google.written).toEqual([]);
  });

  it("is not done twice when the answer to the write was lost", async () => {
    const google = await startFakeRights({ "projects/my-project": FOREIGN });
    google.beforeSet = (holder, count) => {
      if (count > 1) return undefined;
      const written = JSON.parse(google.asked.at(-1)?.body ?? "") as { policy: { bindings: FakeBinding[] } };
      google.write(holder, () => written.policy.bindings);
      return cutsConnection;
    };
    const { steps } = await open(google).opened;
    expect(oursOf(google.bindings("projects/my-project"))).toHaveLength(1);
    expect(steps[0]?.text).toMatch(/already/);
  });
});
