// Google Cloud, for `npm run endings`: a service account that may do nothing of its own, and is given rights by a granter
// (`env`, `endpoint`) or by an entitlement (`grant`) for the time of a lease. Asked in plain REST.
import { isDeepStrictEqual } from "node:util";
import { control, mintToken } from "../clouds.mjs";

const { env } = process;
const PROJECT = "agentctl-demo";
const PROVIDER = "projects/123456789012/locations/global/workloadIdentityPools/demo-pool/providers/github";
const accountOf = (name) => `${name}@${PROJECT}.iam.gserviceaccount.com`;
export const LEASE = "jit";
export const GRANTER = "agentctl-granter";
export const HOLDER = `projects/${PROJECT}`;
export const BUCKET = "projects/_/buckets/demo";
const ENTITLEMENT = `${HOLDER}/locations/global/entitlements/demo-entitlement`;
export const MEMBER = `serviceAccount:${accountOf(LEASE)}`;
/** Those of leases; somebody else's may look alike. */
const OURS = /^agentctl-l-[0-9A-Za-z]{16}-\d+$/;
const OVER = ["DENIED", "ACTIVATION_FAILED", "EXPIRED", "REVOKED", "ENDED", "WITHDRAWN"];
const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";

const WHO = `workload_identity_provider: ${PROVIDER}, service_account: ${accountOf(LEASE)}, project_id: ${PROJECT}, granter: { service_account: ${accountOf(GRANTER)} }`;
const READY = `ready: { permissions: [storage.objects.get], at: ${HOLDER}, timeout: 2m }`;
const bind = (role, resource) => `{ role: roles/storage.${role}, resource: ${resource} }`;
const BINDINGS = `bindings: [${bind("objectViewer", HOLDER)}, ${bind("objectUser", "buckets/demo")}]`;
const given = (rights, more = "deliver: env") => `{ ${more}, gcp: { ${WHO}, ${rights}, ${READY} } }`;

export const cloud = {
  profiles: {
    env: given(BINDINGS),
    endpoint: given(BINDINGS, "deliver: endpoint"),
    "env-required": given(BINDINGS, "deliver: env, revoke: required"),
    grant: given(`entitlement: ${ENTITLEMENT}`),
    "grant-required": given(`entitlement: ${ENTITLEMENT}`, "deliver: env, revoke: required"),
    "one-role": given(`bindings: [${bind("objectViewer", HOLDER)}]`),
    "another-role": given(`bindings: [${bind("objectUser", HOLDER)}]`),
  },
  otherProfiles: ["grant"],
  upstream: {
    from: "AGENTCTL_SANDBOX_GCS_URL",
    variables: {
      CLOUDSDK_API_ENDPOINT_OVERRIDES_STS: "/",
      CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: "/",
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER: "/",
      CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: "/",
      CLOUDSDK_API_ENDPOINT_OVERRIDES_PRIVILEGEDACCESSMANAGER: "/",
      CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: "/storage/v1/",
    },
  },
  nameCall,
  readIssued(name, _, text) {
    if (name !== `generateAccessToken:${LEASE}`) return undefined;
    const token = readJson(text).accessToken;
    return token === undefined ? undefined : { name: LEASE, keys: { token } };
  },
  refusalOf,
  isTakenBack: (refusal) => /^403: .* does not have storage\.objects\.get access/.test(refusal),
  isPast: (refusal) => /^(403: .* does not have storage\.objects\.get access|401: Invalid Credentials)/.test(refusal),
  judge: "gcs",
  openSide,
};

/** By Google's method, and what it is asked of: `setIamPolicy:projects/agentctl-demo`, `createGrant`. */
function nameCall({ method, path }) {
  if (path === "/v1/token") return "token";
  const account = /serviceAccounts\/([^@]+)@[^:]+:(\w+)$/.exec(path);
  if (account !== null) return `${account[2]}:${account[1]}`;
  const policy = /^\/v\d\/((?:projects|folders|organizations)\/[^/:]+):(\w+)$/.exec(path);
  if (policy !== null) return `${policy[2]}:${policy[1]}`;
  const bucket = /\/b\/([^/]+)\/iam(\/testPermissions)?$/.exec(path);
  if (bucket !== null) {
    const verb = bucket[2] === undefined ? `${method === "PUT" ? "set" : "get"}IamPolicy` : "testIamPermissions";
    return `${verb}:buckets/${bucket[1]}`;
  }
  const grant = /\/grants(?:\/[^/:]+)?(?::(\w+))?$/.exec(path);
  if (grant === null) return `${method} ${path}`;
  const isOne = /\/grants\/[^/]+$/.test(path);
  return `${grant[1] ?? (method === "POST" ? "create" : isOne ? "get" : "list")}Grant`;
}

/** Undefined while one of two objects can be read: by a bucket's own binding, or by the project's alone. */
async function refusalOf({ token }) {
  const objects = ["b/demo/o/hello.txt", "b/other/o/private.txt"];
  const answers = await Promise.all(
    objects.map(async (object) => {
      const answer = await ask(`${env.AGENTCTL_SANDBOX_GCS_URL}/storage/v1/${object}`, token);
      if (answer.ok) return undefined;
      return `${answer.status}: ${readJson(await answer.text()).error?.message}`;
    }),
  );
  return answers.includes(undefined) ? undefined : answers[0];
}

/** A token of a service account, by the two exchanges that Google documents. */
export async function be(name) {
  const subjectToken = await mintToken(`https://iam.googleapis.com/${PROVIDER}`);
  const exchange = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience: `//iam.googleapis.com/${PROVIDER}`,
    scope: CLOUD_PLATFORM,
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    subject_token: subjectToken,
  });
  const google = env.AGENTCTL_SANDBOX_GCS_URL;
  const federated = await (await fetch(`${google}/v1/token`, { method: "POST", body: exchange })).json();
  const url = `${google}/v1/projects/-/serviceAccounts/${accountOf(name)}:generateAccessToken`;
  const answer = await ask(url, federated.access_token, { scope: [CLOUD_PLATFORM] });
  return (await answer.json()).accessToken;
}

/** Beside the leases there are bindings of somebody else, one of them to the very same member and much like ours. */
async function openSide() {
  const title = "agentctl-of-somebody-else";
  const lookalike = {
    title,
    description: "not a lease",
    expression: 'request.time < timestamp("2000-01-01T00:00:00Z")',
  };
  const foreign = [
    { role: "roles/logging.viewer", members: ["user:somebody@example.com"] },
    { role: "roles/storage.objectViewer", members: [MEMBER], condition: lookalike },
  ];
  for (const holder of [HOLDER, BUCKET]) {
    const add = holder === BUCKET ? foreign.slice(1) : foreign;
    await control("POST", "gcp-policy", { holder, add });
  }
  const before = await foreignBindings();
  return {
    left: async () => {
      const { policies, grants } = await control("GET", "gcp");
      const bound = Object.entries(policies).flatMap(([holder, { bindings }]) =>
        bindings.filter(isOurs).map(({ condition }) => `the binding ${condition.title} is left on ${holder}`),
      );
      const open = grants.filter(({ state }) => !OVER.includes(state));
      const isUntouched = isDeepStrictEqual(await foreignBindings(), before);
      return [
        ...bound,
        ...open.map(({ name, state }) => `${name} is ${state}`),
        ...(isUntouched ? [] : ["a binding of somebody else has changed"]),
      ];
    },
    clear,
    close: () => {},
  };
}

const isOurs = ({ condition }) => OURS.test(condition?.title);

/** By the policy that they are in; the order of bindings says nothing. */
async function foreignBindings() {
  const { policies } = await control("GET", "gcp");
  const entries = Object.entries(policies).map(([holder, { bindings }]) => {
    const others = bindings.filter((binding) => !isOurs(binding));
    return [holder, others.map((one) => JSON.stringify({ ...one, members: [...one.members].sort() })).sort()];
  });
  return Object.fromEntries(entries);
}

async function clear() {
  const { policies, grants } = await control("GET", "gcp");
  for (const [holder, { bindings }] of Object.entries(policies)) {
    const remove = bindings.filter(isOurs);
    if (remove.length > 0) await control("POST", "gcp-policy", { holder, remove });
  }
  const open = grants.filter(({ state }) => !OVER.includes(state));
  if (open.length === 0) return;
  const token = await be(GRANTER);
  for (const { name } of open)
    await ask(`${env.AGENTCTL_SANDBOX_GCS_URL}/v1/${name}:revoke`, token, { reason: "cleared up" });
}

function ask(url, token, body) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return fetch(url, { headers, ...(body && { method: "POST", body: JSON.stringify(body) }) });
}

function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
