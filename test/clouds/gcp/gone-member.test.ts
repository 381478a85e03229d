import { describe, expect, it } from "vitest";
import { answersJson } from "../exchange/fake-service.js";
import { failureOf } from "../exchange/identity.js";
import { type FakeBinding, type FakeRights, startFakeRights } from "./fake-rights.js";
import { MEMBER, open, oursOf } from "./opening.js";
import { HOLDERS, scene, startWithPolicies } from "./scene.js";

describe("a member whom somebody deleted", () => {
  const gone = "worker@my-project.iam.gserviceaccount.com";
  const theirs = (member: string): FakeBinding => ({ role: "roles/browser", members: [member] });
  const refusal = (email: string) => {
    const message = `Service account ${email} does not exist.`;
    return answersJson(400, { error: { code: 400, status: "INVALID_ARGUMENT", message } });
  };
  const writesOf = (google: FakeRights) => google.asked.filter(({ path }) => path.endsWith(":setIamPolicy")).length;

  it("is seen as deleted when the policy is read again", async () => {
    const google = await startFakeRights({ "projects/my-project": [theirs(`serviceAccount:${gone}`)] });
    const deleted = theirs(`deleted:serviceAccount:${gone}?uid=1`);
    google.beforeSet = (holder, count) => {
      if (count > 3) return undefined;
      if (count === 3) google.write(holder, () => [deleted]);
      return refusal(gone);
    };
    await open(google).opened;
    const bindings = google.bindings("projects/my-project");
    expect(bindings).toContainEqual(deleted);
    expect(oursOf(bindings)).toHaveLength(1);
  });

  it("is given up where it does not become deleted", async () => {
    const google = await startFakeRights({ "projects/my-project": [theirs(`serviceAccount:${gone}`)] });
    google.beforeSet = () => refusal(gone);
    expect(await failureOf(open(google).opened)).toMatchObject({ code: "CLOUD_DENIED" });
    expect(writesOf(google)).toBe(13);
  });

  it("is not waited for where it is only the lease's own", async () => {
    const google = await startFakeRights({ "projects/my-project": [theirs(`serviceAccount:${gone}`)] });
    google.beforeSet = () => refusal(MEMBER.replace("serviceAccount:", ""));
    expect(await failureOf(open(google).opened)).toMatchObject({ code: "CLOUD_DENIED" });
    expect(writesOf(google)).toBe(1);
  });

  it("keeps nothing of a lease from being taken back", async () => {
    const google = await startWithPolicies([theirs(`serviceAccount:${gone}`)]);
    const made = scene(google);
    await made.open();
    const before = writesOf(google);
    google.beforeSet = (holder) => (holder !== "b/site" && writesOf(google) - before < 4 ? refusal(gone) : undefined);
    expect((await made.end()).word).toBe("removed");
    for (const holder of HOLDERS) expect(google.bindings(holder)).toEqual([theirs(`serviceAccount:${gone}`)]);
  });

  it("who was made again under the same name is told what is in the way", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    const message = `Inconsistent representation of deleted member: 'deleted:${MEMBER}?uid=1' and '${MEMBER}'`;
    google.beforeSet = () => answersJson(400, { error: { code: 400, status: "INVALID_ARGUMENT", message } });
    expect(await failureOf(open(google).opened)).toMatchObject({
      code: "CLOUD_DENIED",
      hint: expect.stringMatching(/^remove the bindings of the account .* was deleted from \/\//),
    });
  });
});
