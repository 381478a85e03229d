import { describe, expect, it } from "vitest";
import { addGift } from "../../../src/clouds/gcp/rights/give-bindings.js";
import { readPolicy, writtenPolicy } from "../../../src/clouds/gcp/rights/policy.js";
import { removeLease } from "../../../src/clouds/gcp/rights/remove-bindings.js";
import { AgentctlError } from "../../../src/core/errors.js";
import { answersJson } from "../exchange/fake-service.js";
import { failureOf, SUBJECT, TOKEN } from "../exchange/identity.js";
import { ACCOUNT, federatedSettings, POOL } from "./fake-google.js";
import { type FakeBinding, startFakeRights, takesLong, tokenOf } from "./fake-rights.js";
import { FOREIGN, GRANTER, LEASE, MEMBER, open, oursOf, PROJECT, settingsFor, VIEWER } from "./opening.js";

describe("giving bindings", () => {
  it.each([
    { name: "a project", resource: PROJECT, holder: "projects/my-project" },
    { name: "a folder", resource: "//cloudresourcemanager.googleapis.com/folders/222", holder: "folders/222" },
    {
      name: "an organization",
      resource: "//cloudresourcemanager.googleapis.com/organizations/333",
      holder: "organizations/333",
    },
    { name: "a bucket", resource: "//storage.googleapis.com/projects/_/buckets/site.data_1", holder: "b/site.data_1" },
    {
      name: "a service account",
      resource: `//iam.googleapis.com/projects/my-project/serviceAccounts/${ACCOUNT}`,
      holder: `projects/my-project/serviceAccounts/${ACCOUNT}`,
    },
  ])(
    "adds one with a condition to the policy of $name, by the granter, and leaves the others as they are",
    async ({ resource, holder }) => {
      const google = await startFakeRights({ [holder]: FOREIGN });
      const endsAt = Math.ceil(Date.now() / 1000) * 1000 + 900_000;
      const { opened } = open(google, { settings: settingsFor(resource), terms: { latestEndsAt: endsAt } });
      const { steps } = await opened;
      const end = new Date(endsAt).toISOString().replace(".000", "");
      expect(google.bindings(holder)).toEqual([
        ...FOREIGN,
        {
          role: VIEWER,
          members: [MEMBER],
          condition: {
            title: `agentctl-${LEASE}-${endsAt / 1000}`,
            description: `agentctl, lease ${LEASE} of profile deploy-web`,
            expression: `request.time < timestamp("${end}")`,
          },
        },
      ]);
      expect(google.written).toMatchObject([{ who: `serviceAccount:${GRANTER}`, policy: { version: 3, etag: "1" } }]);
      expect(steps.map(({ text }) => text)).toEqual([`gave ${MEMBER} ${VIEWER} on ${resource}, as ${GRANTER}`]);
    },
  );

  it("of two roles on one resource is one write", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    const bindings = [VIEWER, "roles/logging.viewer", VIEWER].map((role) => ({ role, resource: PROJECT }));
    await open(google, { settings: settingsFor(PROJECT, { bindings }) }).opened;
    expect(google.bindings("projects/my-project").map(({ role }) => role)).toEqual([VIEWER, "roles/logging.viewer"]);
    expect(google.written).toMatchObject([{ policy: { version: 3, auditConfigs: [{ service: "allServices" }] } }]);
  });

  it("to a federated identity names its subject", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    const settings = federatedSettings({ ...settingsFor(PROJECT) });
    await open(google, { settings }).opened;
    const member = `principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}`;
    expect(google.bindings("projects/my-project")[0]?.members).toEqual([member]);
  });

  it("to every identity of the pool is refused", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    const settings = federatedSettings({ ...settingsFor(PROJECT) });
    expect(await failureOf(open(google, { settings, subject: "*" }).opened)).toMatchObject({ code: "TOKEN_MALFORMED" });
    expect(google.written).toEqual([]);
  });

  it.each([
    { name: "that Google takes", length: 127, code: undefined },
    { name: "that is longer is refused, since nobody knows what it is mapped to", length: 128, code: "CONFIG_INVALID" },
  ])("to a federated identity with a subject $name", async ({ length, code }) => {
    const google = await startFakeRights({ "projects/my-project": [] });
    const settings = federatedSettings({ ...settingsFor(PROJECT) });
    const { opened } = open(google, { settings, subject: "s".repeat(length) });
    const outcome = await opened.then(() => undefined).catch((error: { code: string }) => error.code);
    expect(outcome).toBe(code);
    expect(google.written).toHaveLength(code === undefined ? 1 : 0);
  });

  it("writes back all of a policy that is not ours, also what nobody here knows, in the version that has conditions", () => {
    const foreign = [
      {
        role: VIEWER,
        members: ["user:a+b@example.com", "deleted:serviceAccount:x@y.iam.gserviceaccount.com?uid=1"],
        note: { a: 1 },
      },
      { role: VIEWER, members: [], condition: { expression: "true", location: "line 3" } },
    ];
    const whole = {
      version: 1,
      kind: "storage#policy",
      etag: "CAE=",
      auditConfigs: [{ service: "s" }],
      future: [null, 1.5],
      bindings: foreign,
    };
    const policy = readPolicy(structuredClone(whole));
    const gift = {
      resource: PROJECT,
      roles: [VIEWER],
      member: MEMBER,
      leaseId: LEASE,
      profileName: "p",
      endsAt: Date.now(),
    };
    const { bindings = [] } = addGift(gift, policy.bindings, Date.now(), Date.now());
    expect(writtenPolicy(policy, bindings)).toEqual({
      ...whole,
      version: 3,
      bindings: [...foreign, expect.anything()],
    });
    const { told, ...back } = removeLease({ leaseId: LEASE, roles: [VIEWER] }, bindings, Date.now());
    expect(told.pruned).toEqual([]);
    expect(back.bindings).toEqual(foreign);
  });

  it("by two names of one resource gives what each of them says", async () => {
    const google = await startFakeRights({ "projects/my-project": FOREIGN });
    const gift = { resource: PROJECT, member: MEMBER, leaseId: LEASE, profileName: "deploy-web", endsAt: Date.now() };
    const first = addGift({ ...gift, roles: [VIEWER] }, google.bindings("projects/my-project"), Date.now(), Date.now());
    const roles = [VIEWER, "roles/logging.viewer"];
    const second = addGift({ ...gift, roles }, first.bindings ?? [], Date.now(), Date.now());
    expect(oursOf(second.bindings as readonly FakeBinding[]).map(({ role }) => role)).toEqual(roles);
    expect(addGift({ ...gift, roles }, second.bindings ?? [], Date.now(), Date.now()).bindings).toBeUndefined();
  });

  it.each([
    { name: "that may not write the policy", status: 403, code: "PERMISSION_DENIED", hint: /setIamPolicy on/ },
    { name: "on what is not there", status: 404, code: "NOT_FOUND", hint: /there is no/ },
    { name: "of a role that fits nothing", status: 400, code: "INVALID_ARGUMENT", hint: /each role may be given/ },
  ])("is CLOUD_DENIED for a granter $name", async ({ status, code, hint }) => {
    const google = await startFakeRights({ "projects/my-project": [] });
    google.beforeSet = () => answersJson(status, { error: { code: status, status: code, message: "no" } });
    const error = await failureOf(open(google).opened);
    expect(error).toMatchObject({ code: "CLOUD_DENIED", hint: expect.stringMatching(hint) });
  });

  it("is CLOUD_DENIED where the granter cannot be impersonated, and names its key", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    google.refuseToBe = GRANTER;
    const error = await failureOf(open(google).opened);
    expect(error).toMatchObject({ code: "CLOUD_DENIED", hint: expect.stringContaining(GRANTER) });
  });

  it.each([
    { name: "is interrupted", other: undefined },
    { name: "has failed on another resource", other: "b/site" },
  ])("waits for every write that is under way when it $name", async ({ other }) => {
    const google = await startFakeRights({ "projects/my-project": [], "b/site": [] });
    const stop = new AbortController();
    let hasLanded = false;
    const refusal = { error: { code: 400, message: "no", errors: [{ reason: "invalid" }] } };
    google.beforeSet = (holder) => {
      if (holder === other) return answersJson(400, refusal);
      if (other === undefined) stop.abort(new AgentctlError("INTERRUPTED", "enough"));
      return takesLong(() => {
        hasLanded = true;
      });
    };
    const resources = [PROJECT, ...(other === undefined ? [] : ["//storage.googleapis.com/projects/_/buckets/site"])];
    const bindings = resources.map((resource) => ({ role: VIEWER, resource }));
    const ready = { permissions: ["storage.objects.get"], at: PROJECT, timeoutSeconds: 10 };
    const settings = settingsFor(PROJECT, { bindings, ready });
    const error = await failureOf(open(google, { settings, signal: stop.signal }).opened);
    expect(error.code).toBe(other === undefined ? "INTERRUPTED" : "CLOUD_DENIED");
    expect(hasLanded).toBe(true);
  });
});

describe("secrets", () => {
  it("are in no step, no line and no error, whatever Google repeats", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    const said = `you sent ${tokenOf(GRANTER)} and ${TOKEN}`;
    google.beforeSet = () => answersJson(400, { error: { code: 400, status: "INVALID_ARGUMENT", message: said } });
    const { opened, progress, notices } = open(google);
    const error = await failureOf(opened);
    const all = JSON.stringify([error.message, error.hint, error.facts, progress, notices]);
    for (const secret of [tokenOf(GRANTER), TOKEN, "canary"]) expect(all).not.toContain(secret);
  });
});
