// Azure, for `npm run endings`: applications that have no role, and are assigned some by a granter for the time of a lease,
// by assignments that end by themselves (`env`, `endpoint`) or, in a tenant without the licence, do not (`plain`). Asked in
// plain REST.
import { isDeepStrictEqual } from "node:util";
import { control, mintToken } from "../clouds.mjs";
import { unlicensed } from "./weather.mjs";

const { env } = process;
const TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const SUBSCRIPTION = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e";
const ACCOUNT = `${SUBSCRIPTION}/resourceGroups/demo/providers/Microsoft.Storage/storageAccounts/agentctldemo`;
const CONTAINER = `${ACCOUNT}/blobServices/default/containers/demo`;
const GRANTER = "11112222-bbbb-3333-cccc-4444dddd5555";
const POOL = ["22223333-cccc-4444-dddd-5555eeee6666", "33334444-dddd-5555-eeee-6666ffff7777"];
const NAMES = { [GRANTER]: "granter", [POOL[0]]: "jit-one", [POOL[1]]: "jit-two" };
const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const SCHEDULES = "providers/Microsoft.Authorization/roleAssignmentScheduleRequests";
const ARM_SCOPE = "https://management.azure.com/.default";
const STORAGE_SCOPE = "https://storage.azure.com/.default";

const assign = (role, scope) => `{ role: ${role}, scope: "${scope}" }`;
const ASSIGNMENTS = `assignments: [${assign("Reader", SUBSCRIPTION)}, ${assign("Storage Blob Data Reader", CONTAINER)}]`;
const READY = `ready: { permissions: [Microsoft.Resources/subscriptions/resourceGroups/read], at: "${SUBSCRIPTION}", timeout: 10m }`;
const WHO = `tenant_id: ${TENANT}, scopes: ["${ARM_SCOPE}", "${STORAGE_SCOPE}"], granter: { client_id: ${GRANTER} }`;
const given = (more, azure = `client_id: ${POOL[0]}`) =>
  `{ ${more}, azure: { ${WHO}, ${azure}, ${ASSIGNMENTS}, ${READY} } }`;

export const cloud = {
  profiles: {
    env: given("deliver: env"),
    endpoint: given("deliver: endpoint"),
    "env-required": given("deliver: env, revoke: required"),
    plain: given("deliver: env", `client_id: ${POOL[0]}, allow_unbounded: true`),
    "plain-required": given("deliver: env, revoke: required", `client_id: ${POOL[0]}, allow_unbounded: true`),
    pool: given("deliver: env", `client_ids: [${POOL.join(", ")}]`),
    bare: `{ deliver: env, azure: { tenant_id: ${TENANT}, client_id: ${POOL[1]}, scopes: ["${ARM_SCOPE}"] } }`,
  },
  otherProfiles: ["plain"],
  weatherOf: { plain: unlicensed, "plain-required": unlicensed },
  upstream: {
    from: "AZURE_AUTHORITY_HOST",
    variables: { AZURE_AUTHORITY_HOST: "", AZURE_RESOURCE_MANAGER_ENDPOINT: "" },
    tls: true,
  },
  nameCall,
  readIssued(name, { form }, text) {
    const [, application] = /^token:(jit-.*)$/.exec(name) ?? [];
    const token = application === undefined ? undefined : readJson(text).access_token;
    if (token === undefined) return undefined;
    return { name: application, keys: { [form.get("scope").startsWith("https://storage") ? "blob" : "arm"]: token } };
  },
  refusalOf,
  isTakenBack: (refusal) => /^403: Authorization(Failed|PermissionMismatch)/.test(refusal),
  isPast: (refusal) => /^(403: Authorization(Failed|PermissionMismatch)|401: )/.test(refusal),
  judge: "arm",
  openSide,
};

/** Such as `token:granter`, `PUT roleAssignmentScheduleRequests:AdminAssign` or `GET permissions`. */
function nameCall({ method, path, form, json }) {
  if (path.endsWith("/oauth2/v2.0/token")) return `token:${NAMES[form.get("client_id")]}`;
  const [, kind] = /\/providers\/Microsoft\.Authorization\/(\w+)(?:\/[^/]+)?$/i.exec(path) ?? [];
  if (kind === undefined) return `${method} ${path}`;
  const type = json.properties?.requestType;
  return `${method} ${kind}${type === undefined ? "" : `:${type}`}`;
}

/** Undefined while one of its tokens can do what the lease was given. */
async function refusalOf({ arm, blob }) {
  const answers = await Promise.all([
    arm && ask(`${env.AGENTCTL_SANDBOX_ARM_URL}${SUBSCRIPTION}/resourcegroups?api-version=2021-04-01`, arm),
    blob && ask(`${env.AGENTCTL_SANDBOX_BLOB_URL}/demo/hello.txt`, blob),
  ]);
  const refusals = await Promise.all(answers.filter(Boolean).map(wordOf));
  return refusals.includes(undefined) ? undefined : refusals[0];
}

async function wordOf(answer) {
  if (answer.ok) return undefined;
  const text = await answer.text();
  return `${answer.status}: ${answer.headers.get("x-ms-error-code") ?? readJson(text).error?.code ?? text}`;
}

/** A token of an application, by the exchange that Microsoft documents. */
async function be(clientId) {
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: clientId,
    scope: ARM_SCOPE,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: await mintToken("api://AzureADTokenExchange"),
  });
  const url = `${env.AZURE_AUTHORITY_HOST}/${TENANT}/oauth2/v2.0/token`;
  return (await (await fetch(url, { method: "POST", body: form })).json()).access_token;
}

/** Beside the leases there are assignments of the world, and one of somebody else to the second of the pool. */
async function openSide() {
  await control("POST", "azure", { minimumAgeMs: 0 });
  const granter = await be(GRANTER);
  const principalId = JSON.parse(atob((await be(POOL[1])).split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).oid;
  const scope = `${SUBSCRIPTION}/resourceGroups/other`;
  const url = `${env.AGENTCTL_SANDBOX_ARM_URL}${scope}/${SCHEDULES}/${crypto.randomUUID()}?api-version=2020-10-01`;
  const answer = await ask(url, granter, "PUT", {
    properties: {
      principalId,
      roleDefinitionId: `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${READER}`,
      requestType: "AdminAssign",
      justification: "somebody else",
      scheduleInfo: {
        startDateTime: new Date().toISOString(),
        expiration: { type: "AfterDuration", endDateTime: null, duration: "PT8H" },
      },
    },
  });
  if (!answer.ok) throw new Error(`somebody else is not assigned: ${answer.status} ${await answer.text()}`);
  const before = await assignments();
  return {
    left: async () => {
      const now = await assignments();
      const left = now.filter(({ name }) => !before.some((one) => one.name === name));
      const isUntouched = isDeepStrictEqual(
        now.filter(({ name }) => before.some((one) => one.name === name)),
        before,
      );
      return [
        ...left.map(({ name, scope: where }) => `the role assignment ${name} is left on ${where}`),
        ...(isUntouched ? [] : ["a role assignment of somebody else has changed"]),
      ];
    },
    clear: () => takeAway(before, granter),
    close: () => {},
  };
}

async function assignments() {
  return (await control("GET", "azure")).roleAssignments;
}

async function takeAway(before, granter) {
  const added = (await assignments()).filter(({ name }) => !before.some((one) => one.name === name));
  for (const { name, scope } of added) {
    const path = `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}?api-version=2022-04-01`;
    await ask(`${env.AGENTCTL_SANDBOX_ARM_URL}${path}`, granter, "DELETE");
  }
}

function ask(url, token, method = "GET", body = undefined) {
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    "x-ms-version": "2024-11-04",
  };
  return fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) });
}

function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
