import { describe, expect, it } from "vitest";
import { answersJson } from "../exchange/fake-service.js";
import { failureOf } from "../exchange/identity.js";
import { ACCOUNT, gcpSettings } from "./fake-google.js";
import { refuse } from "./fake-pam.js";
import { denied, type FakeRights, startFakeRights } from "./fake-rights.js";
import { GRANTER, MEMBER, open, VIEWER } from "./opening.js";

const HOLDER = "projects/my-project";
const full = Array.from({ length: 20 }, (_, index) => ({
  role: VIEWER,
  members: [MEMBER],
  condition: { title: `c${index}`, expression: "true" },
}));
const unauthenticated = answersJson(401, { error: { code: 401, status: "UNAUTHENTICATED", message: "who are you" } });

describe("what has been asked for, so that it is ended", () => {
  it.each<{ name: string; policies?: Parameters<typeof startFakeRights>[0]; prepare?: (google: FakeRights) => void }>([
    { name: "the granter cannot be had", prepare: (google) => void Object.assign(google, { refuseToBe: GRANTER }) },
    { name: "there is no such resource", policies: {} },
    {
      name: "reading the policy is refused",
      prepare: (google) => void Object.assign(google, { insteadOfPolicy: denied() }),
    },
    {
      name: "the granter's token is refused",
      prepare: (google) => void Object.assign(google, { insteadOfPolicy: unauthenticated }),
    },
    { name: "the policy is full", policies: { [HOLDER]: full } },
  ])("is nothing where $name", async ({ policies = { [HOLDER]: [] }, prepare }) => {
    const google = await startFakeRights(policies);
    prepare?.(google);
    const { opened, asking } = open(google);
    await failureOf(opened);
    expect(asking.times).toBe(0);
    expect(google.written).toEqual([]);
  });

  it.each([
    { name: "taken", reply: undefined },
    { name: "refused", reply: denied() },
  ])("is there before a write arrives, be it $name or not", async ({ reply }) => {
    const google = await startFakeRights({ [HOLDER]: [] });
    const seen: number[] = [];
    const opening = open(google);
    google.beforeSet = () => {
      seen.push(opening.asking.times);
      return reply;
    };
    await opening.opened.catch(() => {});
    expect(seen).toEqual([1]);
  });

  const settings = gcpSettings({ entitlement: "projects/my-project/locations/global/entitlements/deploy" });

  it("is nothing where the lease's own principal cannot be had to ask for an entitlement", async () => {
    const google = await startFakeRights({});
    google.refuseToBe = ACCOUNT;
    const { opened, asking } = open(google, { settings });
    await failureOf(opened);
    expect(asking.times).toBe(0);
  });

  it("is nothing where it was interrupted before an entitlement was asked for", async () => {
    const google = await startFakeRights({ [HOLDER]: [] });
    const stop = new AbortController();
    google.granted = () => {
      stop.abort();
      return [];
    };
    const at = "//cloudresourcemanager.googleapis.com/projects/my-project";
    const ready = { permissions: ["storage.objects.get"], at, timeoutSeconds: 60 };
    const { opened, asking } = open(google, { settings: { ...settings, ready }, signal: stop.signal });
    await failureOf(opened);
    expect(asking.times).toBe(0);
    expect(google.pam.grants).toEqual([]);
  });

  it.each([
    { name: "taken", reply: undefined },
    { name: "refused", reply: refuse(403, "PERMISSION_DENIED", "no") },
  ])("is there before the request for an entitlement's grant arrives, be it $name or not", async ({ reply }) => {
    const google = await startFakeRights({});
    const seen: number[] = [];
    const opening = open(google, { settings });
    google.pam.beforeCreate = () => {
      seen.push(opening.asking.times);
      return reply;
    };
    await opening.opened.catch(() => {});
    expect(seen).toEqual([1]);
  });
});
