import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { AgentctlError } from "../../../../src/core/errors.js";
import { cutsConnection } from "../../exchange/fake-service.js";
import { failureOf } from "../../exchange/identity.js";
import { refuses } from "../fake-entra.js";
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
} from "./fake-azure.js";
import { isRequesting, openLease } from "./opening.js";

const BLOBS = { role: "Storage Blob Data Reader", scope: GROUP };
const isAssigning = ({ method, where }: Question) => method === "PUT" && /ScheduleRequests|roleAssignments/.test(where);

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
      `gave Reader on ${GROUP} to application ${ONE}, with the justification 'agentctl lease ${lease.leaseId} until 2026-11-22T12:30:00Z'`,
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
    { name: "a role's name", role: "Reader", want: READER, looked: 2 },
    { name: "a role's id", role: READER.toUpperCase(), want: READER.toUpperCase(), looked: 1 },
    { name: "a definition's resource id", role: roleIdAt(SUBSCRIPTION, BLOB_READER), want: BLOB_READER, looked: 1 },
  ])("are given by $name", async ({ role, want, looked }) => {
    const azure = await startFakeAzure();
    await openLease(azure, { assignments: [{ role, scope: GROUP }] }).open();
    expect(requestsOf(azure)[0]?.["roleDefinitionId"]).toBe(roleIdAt(GROUP, want));
    expect(azure.armAsked.filter((one) => one.includes("roleDefinitions"))).toHaveLength(looked);
  });

  it("are given on a scope that a path has to be encoded for", async () => {
    const azure = await startFakeAzure();
    const scope = `${GROUP}/providers/Microsoft.Storage/storageAccounts/a/blobServices/default/containers/$web`;
    const lease = openLease(azure, { assignments: [{ role: "Reader", scope }] });
    await lease.open();
    expect(azure.requests[0]?.path).toContain(`${scope}/providers/`);
    expect(azure.service.asked.find(({ method }) => method === "PUT")?.path).toContain("/containers/%24web/providers/");
    expect(lease.order.undo).toMatchObject({ scopes: [scope] });
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
    { text: "No.", hint: /^application .* needs Role Based Access Control Administrator/ },
    {
      text: "does not have authorization to perform action 'x' over scope '/subscriptions/x' or the scope is invalid. If access was recently granted, please refresh your credentials.",
      hint: /^check the scope in azure\.assignments.*; or application .* needs Role Based Access Control Administrator/,
    },
  ])("says to check the scope where Azure does: $text", async ({ text, hint }) => {
    const azure = await startFakeAzure();
    azure.intercept = (question) => (isRequesting(question) ? fails(403, "AuthorizationFailed", text) : undefined);
    expect((await failureOf(openLease(azure).open())).hint).toMatch(hint);
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
    expect(lease.said.asked).toBe(0);
    expect(azure.armAsked).toEqual([]);
  });

  it.each([
    { name: "the granter", stranger: GRANTER, setting: "azure.granter.client_id" },
    { name: "the application", stranger: ONE, setting: "azure.client_id" },
  ])("of $name as unknown names its place in the profile", async ({ stranger, setting }) => {
    const azure = await startFakeAzure();
    azure.intercept = ({ form }) =>
      form.get("client_id") === stranger ? refuses(400, 700016, "Application not found.") : undefined;
    const error = await failureOf(openLease(azure).open());
    expect(error).toMatchObject({ code: "CLOUD_DENIED", facts: { client: stranger, azureCode: "AADSTS700016" } });
    expect(error.hint).toContain(`check ${setting}: `);
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
