import { describe, expect, it } from "vitest";
import { answersJson } from "../exchange/fake-service.js";
import { failureOf } from "../exchange/identity.js";
import { startFakeRights } from "./fake-rights.js";
import { MEMBER, open, PROJECT, settingsFor } from "./opening.js";

describe("ready", () => {
  const ready = { permissions: ["storage.objects.get", "storage.objects.list"], timeoutSeconds: 60 };

  it("waits until the lease's own principal has all of it three times in a row", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    const seen: string[] = [];
    google.granted = (_holder, who, count) => {
      seen.push(who);
      const lacking = [1, 2, 5];
      return lacking.includes(count) ? ["storage.objects.get"] : ready.permissions;
    };
    const { opened, progress } = open(google, { settings: settingsFor(PROJECT, { ready }) });
    const { steps } = await opened;
    expect(seen).toEqual(Array.from({ length: 8 }, () => MEMBER));
    expect(progress).toContainEqual(expect.stringMatching(/^waiting for storage.objects.list on .* \(\d/));
    expect(steps.at(-1)?.text).toMatch(/work for/);
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
    ).toHaveLength(3);
  });
});
