import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { AgentctlError } from "../../../../src/core/errors.js";
import { cutsConnection } from "../../exchange/fake-service.js";
import { failureOf } from "../../exchange/identity.js";
import {
  BLOB_READER,
  CANARY,
  type FakeAzure,
  fails,
  GRANTER,
  GROUP,
  isUnwell,
  ONE,
  objectIdOf,
  type Question,
  READER,
  roleIdAt,
  SUBSCRIPTION,
  startFakeAzure,
  TWO,
} from "./fake-azure.js";
import { BLOB_READ, openLease } from "./opening.js";

const BLOBS = { role: "Storage Blob Data Reader", scope: GROUP };
const isAssigning = ({ method, where }: Question) => method === "PUT" && /ScheduleRequests|roleAssignments/.test(where);
const isRequesting = ({ method, where }: Question) =>
  method === "PUT" && where.includes("roleAssignmentScheduleRequests");

function requestsOf(azure: FakeAzure) {
  return azure.requests.map(({ body }) => body);
}

describe("rights for a lease", () => {
  it("are a time-bound assignment that the granter asks for, and that ends with the lease by itself", async () => {
    const azure = await startFakeAzure();
    const lease = openLease(azure);
    const opened = await lease.open();
    const [request] = azure.requests;
    expect(request?.path).toMatch(
      new RegExp(`^${GROUP}/providers/Microsoft\\.Authorization/roleAssignmentScheduleRequests/[0-9a-f-]{36}$`),
    );
    expect(request?.body).toEqual({
      principalId: objectIdOf(ONE),
      roleDefinitionId: roleIdAt(GROUP, READER),
      requestType: "AdminAssign",
      justification: `agentctl lease ${lease.leaseId} until 2026-11-22T12:30:00Z`,
      scheduleInfo: {
        startDateTime: "2026-11-22T12:00:00.000Z",
        expiration: { type: "AfterDuration", endDateTime: null, duration: "PT30M" },
      },
    });
    expect(opened.settings).toEqual(lease.settings);
    expect(opened.steps.map(({ text }) => text)).toEqual([
      `signed in as the granter, application ${GRANTER}`,
      `gave Reader on ${GROUP} to application ${ONE}: agentctl lease ${lease.leaseId} until 2026-11-22T12:30:00Z`,
    ]);
    expect(azure.assignments).toHaveLength(1);
  });

  it.each([
    { name: "are rounded up to whole minutes", ms: 10 * 60_000 + 1, want: "PT11M" },
    { name: "last five minutes at least, for Azure gives no less", ms: 60_000, want: "PT5M" },
  ])("$name", async ({ ms, want }) => {
    const azure = await startFakeAzure();
    await openLease(azure, {}, { latestEndsAt: azure.now + ms }).open();
    expect(requestsOf(azure)[0]).toMatchObject({ scheduleInfo: { expiration: { duration: want } } });
  });

  it("begin by Azure's clock", async () => {
    const azure = await startFakeAzure();
    azure.skewMs = -120_000;
    await openLease(azure).open();
    expect(requestsOf(azure)[0]).toMatchObject({ scheduleInfo: { startDateTime: "2026-11-22T11:58:00.000Z" } });
  });

  it.each([
    { name: "a role's name", role: "Reader", want: READER, looked: 1 },
    { name: "a role's id", role: READER.toUpperCase(), want: READER.toUpperCase(), looked: 0 },
    { name: "a definition's resource id", role: roleIdAt(SUBSCRIPTION, BLOB_READER), want: BLOB_READER, looked: 0 },
  ])("are given by $name", async ({ role, want, looked }) => {
    const azure = await startFakeAzure();
    await openLease(azure, { assignments: [{ role, scope: GROUP }] }).open();
    expect(requestsOf(azure)[0]?.["roleDefinitionId"]).toBe(roleIdAt(GROUP, want));
    expect(azure.armAsked.filter((one) => one.includes("roleDefinitions"))).toHaveLength(looked);
  });

  it("by the name of no role are a mistake of the profile's, and nothing is given", async () => {
    const azure = await startFakeAzure();
    const { open } = openLease(azure, { assignments: [{ role: "Reader's", scope: GROUP }] });
    expect(await failureOf(open())).toMatchObject({ code: "CONFIG_INVALID", facts: { role: "Reader's" } });
    expect(azure.requests).toHaveLength(0);
  });

  it.each([
    { name: "was given, and its answer lost", isGiven: true, again: undefined },
    {
      name: "was given, which Azure says in another way",
      isGiven: true,
      again: fails(400, "RoleAssignmentExists", "The Role assignment already exists."),
    },
    { name: "was not given, and the connection cut", isGiven: false, again: undefined },
  ])("are asked for again where a request $name", async ({ isGiven, again }) => {
    const azure = await startFakeAzure();
    let count = 0;
    azure.intercept = (question) => {
      count += isRequesting(question) ? 1 : 0;
      if (!isRequesting(question) || count > 1) return isRequesting(question) ? again : undefined;
      if (isGiven) azure.answer(question);
      return cutsConnection;
    };
    const lease = openLease(azure);
    await lease.open();
    expect(azure.assignments).toHaveLength(1);
    expect(azure.requests).toHaveLength(1);
    expect(lease.said.notices).toEqual([]);
  });
});

describe("a refusal", () => {
  it.each([
    { code: "AuthorizationFailed", status: 403, hint: /Role Based Access Control Administrator/ },
    { code: "InsufficientPermissions", status: 400, hint: /Role Based Access Control Administrator/ },
    { code: "AadPremiumLicenseRequired", status: 400, hint: /Microsoft Entra ID P2.*allow_unbounded/ },
    { code: "SubjectNotFound", status: 400, hint: /only just created/ },
    { code: "RoleNotFound", status: 400, hint: /check the role/ },
    { code: "SubscriptionNotFound", status: 404, hint: /check the scope/ },
    { code: "RoleAssignmentLimitExceeded", status: 400, hint: /as many role assignments as fit/ },
    { code: "SomethingNew", status: 400, hint: /activity log/ },
  ])("with $code is told, with what to change", async ({ code, status, hint }) => {
    const azure = await startFakeAzure();
    azure.intercept = (question) => (isRequesting(question) ? fails(status, code, "It is so.") : undefined);
    const error = await failureOf(openLease(azure).open());
    expect(error).toMatchObject({ code: "CLOUD_DENIED", exitCode: 77, facts: { azureCode: code } });
    expect(error.message).toBe(
      `Azure did not let application ${GRANTER} assign Reader on ${GROUP} to application ${ONE}: It is so. (${code})`,
    );
    expect(error.hint).toMatch(hint);
  });

  it.each([
    { rules: '["ExpirationRule"]', hint: /shorten ttl/ },
    { rules: '["TicketingRule"]', hint: /such as a ticket/ },
  ])("by the role's settings says which: $rules", async ({ rules, hint }) => {
    const azure = await startFakeAzure();
    const text = `The following policy rules failed: ${rules}`;
    azure.intercept = (question) =>
      isRequesting(question) ? fails(400, "RoleAssignmentRequestPolicyValidationFailed", text) : undefined;
    expect((await failureOf(openLease(azure).open())).hint).toMatch(hint);
  });

  it("that repeats the token does not repeat it to the user", async () => {
    const azure = await startFakeAzure();
    azure.intercept = (question) =>
      isRequesting(question)
        ? fails(403, "AuthorizationFailed", `${question.headers.authorization} may not`)
        : undefined;
    const error = await failureOf(openLease(azure).open());
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(CANARY);
  });

  it("may come as a status of a request that was taken", async () => {
    const azure = await startFakeAzure();
    azure.intercept = (question) => {
      if (!isRequesting(question)) return undefined;
      return (_asked, response) => response.writeHead(201).end(JSON.stringify({ properties: { status: "Failed" } }));
    };
    const error = await failureOf(openLease(azure).open());
    expect(error).toMatchObject({ code: "CLOUD_DENIED", facts: { status: "Failed" } });
  });

  it("of the granter by Microsoft Entra comes before anything is given", async () => {
    const azure = await startFakeAzure();
    azure.strangers.add(GRANTER);
    const lease = openLease(azure);
    expect(await failureOf(lease.open())).toMatchObject({ code: "CLOUD_DENIED", facts: { azureCode: "AADSTS700213" } });
    expect(await lease.end()).toMatchObject({ word: "expires", steps: [{ text: /nothing that was assigned/ }] });
    expect(azure.armAsked).toEqual([]);
  });

  it("that may pass is asked again", async () => {
    const azure = await startFakeAzure();
    let count = 0;
    azure.intercept = (question) => {
      count += isAssigning(question) ? 1 : 0;
      return isAssigning(question) && count === 1 ? isUnwell : undefined;
    };
    await openLease(azure).open();
    expect(azure.assignments).toHaveLength(1);
  });
});

describe("one lease at a time", () => {
  it("waits for the other to give back, says for whom and until when, and is given it then", async () => {
    const azure = await startFakeAzure();
    const first = openLease(azure);
    await first.open();
    azure.intercept = ({ where }) => {
      if (where.includes("ScheduleRequests") && azure.now >= Date.parse("2026-11-22T12:02:00Z"))
        azure.remove(() => true);
      return undefined;
    };
    const second = openLease(azure);
    await second.open();
    expect(second.said.notices).toEqual([
      `azure: waiting for lease ${first.leaseId} (application ${ONE}) to give Reader on ${GROUP} back, until 2026-11-22T12:30:00Z at the latest`,
    ]);
    expect(second.said.progress).toContainEqual(expect.stringMatching(/^waiting for lease .*\(\d+s\)$/));
    expect(azure.assignments).toHaveLength(1);
    expect(requestsOf(azure).at(-1)?.["justification"]).toContain(second.leaseId);
  });

  it.each([
    { name: "5 minutes", ready: undefined, waited: 300 },
    { name: "the time-out of ready", ready: { permissions: ["x/read"], timeoutSeconds: 60 }, waited: 60 },
  ])("gives up after $name, and says whose it is", async ({ ready, waited }) => {
    const azure = await startFakeAzure();
    const first = openLease(azure);
    await first.open();
    const error = await failureOf(openLease(azure, { ...(ready && { ready }) }).open());
    expect(error).toMatchObject({
      code: "ASSIGNMENT_BUSY",
      facts: { lease: first.leaseId, until: "2026-11-22T12:30:00Z", client: ONE, scope: GROUP, waitedSeconds: waited },
    });
    expect(error.message).toContain(`for lease ${first.leaseId}, until 2026-11-22T12:30:00Z; waited ${waited / 60}m`);
    expect(error.hint).toMatch(/azure\.client_ids.*lease revoke/);
    expect(azure.assignments).toHaveLength(1);
  });

  it("does not wait for what an administrator assigned for good", async () => {
    const azure = await startFakeAzure();
    azure.add({ scope: GROUP, roleDefinitionId: roleIdAt(GROUP, READER), principalId: objectIdOf(ONE), startsAt: 0 });
    const { open, said } = openLease(azure);
    const error = await failureOf(open());
    expect(error).toMatchObject({ code: "ASSIGNMENT_BUSY", facts: { waitedSeconds: 0 } });
    expect(error.hint).toMatch(/there without a lease/);
    expect(said.notices).toEqual([]);
  });

  it.each(["PendingRoleAssignmentRequest", "RoleAssignmentExists"])(
    "waits on %s too, while nobody can tell whose it is",
    async (code) => {
      const azure = await startFakeAzure();
      azure.intercept = (question) =>
        isRequesting(question) && azure.now < Date.parse("2026-11-22T12:01:00Z") ? fails(400, code, "So.") : undefined;
      const { open, said } = openLease(azure);
      await open();
      expect(said.notices).toEqual([`azure: waiting for application ${ONE} to be free of its Reader on ${GROUP}`]);
    },
  );

  it("of all that start together one has it, and of a pool each another application", async () => {
    const azure = await startFakeAzure();
    const pool = { otherClientIds: [TWO] };
    const leases = [openLease(azure, pool), openLease(azure, pool), openLease(azure, pool)];
    const outcomes = await Promise.allSettled(leases.map(({ open }) => open()));
    const chosen = outcomes.flatMap((one) => (one.status === "fulfilled" ? [one.value.settings.clientId] : []));
    expect(chosen.sort()).toEqual([ONE, TWO]);
    const refused = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(refused).toEqual([expect.objectContaining({ code: "ASSIGNMENT_BUSY" })]);
    expect(refused[0].message).toContain("as each of the 2 in azure.client_ids has");
    expect(azure.assignments.map(({ principalId }) => principalId).sort()).toEqual([ONE, TWO].map(objectIdOf));
  });

  it("takes what it needs in one order, and stays with the application that has some of it", async () => {
    const azure = await startFakeAzure();
    const both = [{ role: "Reader", scope: GROUP }, BLOBS];
    const first = openLease(azure, { assignments: [BLOBS] });
    await first.open();
    const second = openLease(azure, { assignments: both.toReversed(), otherClientIds: [TWO] });
    azure.intercept = () => {
      if (azure.now > Date.parse("2026-11-22T12:01:00Z"))
        azure.remove(
          ({ requestName }) => requestName !== undefined && azure.requests[0]?.path.endsWith(requestName) === true,
        );
      return undefined;
    };
    const { settings } = await second.open();
    expect(settings).toMatchObject({ clientId: ONE, otherClientIds: [] });
    expect(second.said.notices).toHaveLength(1);
    expect(azure.assignments).toHaveLength(2);
    expect(new Set(azure.assignments.map(({ principalId }) => principalId))).toEqual(new Set([objectIdOf(ONE)]));
  });
});

describe("an application that was given a part", () => {
  it("is waited for, also when another becomes free before it", async () => {
    const azure = await startFakeAzure();
    const reader = { role: "Reader", scope: GROUP };
    await openLease(azure, { assignments: [reader] }).open();
    await openLease(azure, { clientId: TWO, assignments: [BLOBS] }).open();
    azure.intercept = () => {
      const isFree = (minutes: number) => azure.now > Date.parse("2026-11-22T12:00:00Z") + minutes * 60_000;
      if (isFree(1)) azure.remove(({ requestName = "" }) => azure.requests[0]?.path.endsWith(requestName) === true);
      if (isFree(2)) azure.remove(({ requestName = "" }) => azure.requests[1]?.path.endsWith(requestName) === true);
      return undefined;
    };
    const { settings } = await openLease(azure, { otherClientIds: [TWO], assignments: [reader, BLOBS] }).open();
    expect(settings.clientId).toBe(TWO);
    expect(azure.assignments.map(({ principalId }) => principalId)).toEqual([TWO, TWO].map(objectIdOf));
  });
});

describe("where the tenant has no licence for time-bound assignments", () => {
  it("plain ones are given only where the profile allows it", async () => {
    const azure = await startFakeAzure();
    azure.isLicensed = false;
    expect(await failureOf(openLease(azure).open())).toMatchObject({
      code: "CLOUD_DENIED",
      facts: { azureCode: "AadPremiumLicenseRequired" },
    });
    expect(azure.assignments).toEqual([]);
    const allowed = openLease(azure, { allowUnbounded: true });
    const { steps } = await allowed.open();
    expect(azure.assignments).toMatchObject([
      { principalId: objectIdOf(ONE), description: `agentctl lease ${allowed.leaseId} until 2026-11-22T12:30:00Z` },
    ]);
    expect(steps.at(-1)?.text).toContain("does not end by itself");
  });

  it("they are not given where time-bound ones can be, or for any other refusal", async () => {
    const azure = await startFakeAzure();
    await openLease(azure, { allowUnbounded: true }).open();
    expect(azure.assignments[0]?.endsAt).toBeDefined();
    azure.intercept = (question) => (isRequesting(question) ? fails(403, "AuthorizationFailed", "No.") : undefined);
    await failureOf(openLease(azure, { allowUnbounded: true, clientId: TWO }).open());
    expect(azure.assignments).toHaveLength(1);
  });

  it("one lease waits for another likewise; what a dead one left is taken away", async () => {
    const azure = await startFakeAzure();
    azure.isLicensed = false;
    const first = openLease(azure, { allowUnbounded: true });
    await first.open();
    const error = await failureOf(openLease(azure, { allowUnbounded: true }).open());
    expect(error).toMatchObject({ code: "ASSIGNMENT_BUSY", facts: { lease: first.leaseId } });
    azure.now = Date.parse("2026-11-22T12:36:00Z");
    const third = openLease(azure, { allowUnbounded: true });
    await third.open();
    expect(azure.assignments).toMatchObject([{ description: expect.stringContaining(third.leaseId) }]);
  });
});

describe("ready", () => {
  const ready = { permissions: [BLOB_READ, "Microsoft.Web/sites/read"], timeoutSeconds: 120 };
  const assignments = [BLOBS, { role: "Reader", scope: GROUP }];

  it("waits, by the lease's own token, until all works three times in a row", async () => {
    const azure = await startFakeAzure();
    azure.delayMs = 45_000;
    const lease = openLease(azure, { assignments, ready });
    const { steps } = await lease.open();
    expect(azure.now - Date.parse("2026-11-22T12:00:00Z")).toBeGreaterThanOrEqual(45_000);
    expect(azure.armAsked.slice(-3)).toEqual(
      Array(3).fill(`GET ${GROUP}/providers/Microsoft.Authorization/permissions`),
    );
    expect(lease.said.progress).toContainEqual(expect.stringContaining(`waiting for ${BLOB_READ}`));
    expect(steps.at(-1)?.text).toMatch(
      /^application .* had .*blobs\/read, Microsoft\.Web\/sites\/read at .* after \d+s$/,
    );
  });

  it("counts anew when it comes and goes", async () => {
    const azure = await startFakeAzure();
    const seen: string[] = [];
    azure.intercept = ({ where }) => {
      if (!where.endsWith("/permissions")) return undefined;
      seen.push("asked");
      return seen.length === 3 ? fails(403, "AuthorizationFailed", "No.") : undefined;
    };
    await openLease(azure, { assignments, ready }).open();
    expect(seen).toHaveLength(6);
  });

  it("says at its end what is missing, and where", async () => {
    const azure = await startFakeAzure();
    const error = await failureOf(openLease(azure, { ready: { ...ready, at: SUBSCRIPTION } }).open());
    expect(error).toMatchObject({ code: "NOT_READY", facts: { missing: ready.permissions, at: SUBSCRIPTION } });
    expect(error.message).toContain("after 2m");
  });

  it("does not take the reading of everything for a right on data, which comes later", async () => {
    const azure = await startFakeAzure();
    azure.delayMs = 30_000;
    const principalId = objectIdOf(ONE);
    azure.add({ scope: SUBSCRIPTION, roleDefinitionId: roleIdAt(GROUP, READER), principalId, startsAt: 0 });
    await openLease(azure, { assignments: [BLOBS], ready }).open();
    expect(azure.now - Date.parse("2026-11-22T12:00:00Z")).toBeGreaterThanOrEqual(30_000);
  });

  it("is not held up by what may pass, and stopped by an interruption", async () => {
    const azure = await startFakeAzure();
    let count = 0;
    azure.intercept = ({ where }) => {
      if (!where.endsWith("/permissions")) return undefined;
      count += 1;
      return count <= 4 ? isUnwell : undefined;
    };
    const lease = openLease(azure, { assignments, ready });
    await lease.open();
    const other = openLease(azure, { clientId: TWO, ready });
    azure.intercept = ({ where }) => {
      if (where.endsWith("/permissions"))
        other.stop.abort(new AgentctlError("INTERRUPTED", "SIGINT", { exitCode: 130 }));
      return undefined;
    };
    expect(await failureOf(other.open())).toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
  });
});

describe("an interruption", () => {
  it("while it is given is not told before it is known what was given", async () => {
    const azure = await startFakeAzure();
    const lease = openLease(azure, { assignments: [BLOBS, { role: "Reader", scope: GROUP }] });
    azure.intercept = (question) => {
      if (!isRequesting(question)) return undefined;
      lease.stop.abort(new AgentctlError("INTERRUPTED", "SIGINT", { exitCode: 130 }));
      return (asked, response) => void setImmediate(() => setImmediate(() => azure.answer(question)(asked, response)));
    };
    expect(await failureOf(lease.open())).toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
    expect(azure.assignments).toHaveLength(1);
    azure.intercept = () => undefined;
    azure.now += 6 * 60_000;
    expect(await lease.end()).toMatchObject({ word: "removed" });
    expect(azure.assignments).toEqual([]);
  });
});
