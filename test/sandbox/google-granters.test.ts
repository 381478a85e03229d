import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { defaultWorld, type Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { callGoogle } from "./gcp-clients.js";
import {
  account,
  type Binding,
  bucketPolicy,
  type Caller,
  member,
  outcome,
  type Policy,
  PROJECT,
  parse,
  post,
  resourceManager,
  serviceAccountPolicy,
  tokenFor,
} from "./google-clients.js";

const FOLDER = "folders/222222222222";
const viewer: Binding = { role: "roles/storage.objectViewer", members: [member("jit")] };

let sandbox: Sandbox;
let jit: Caller;
let granter: Caller;
let initial: readonly (readonly [string, readonly Binding[]])[];
beforeAll(async () => {
  const { gcp } = defaultWorld();
  const limited = {
    role: "roles/resourcemanager.projectIamAdmin",
    members: [member("limited")],
    condition:
      "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/storage.objectViewer', 'roles/browser'])",
  };
  const trust = gcp.serviceAccounts[account("jit")] ?? [];
  sandbox = await startSandbox({
    gcp: {
      ...gcp,
      serviceAccounts: { ...gcp.serviceAccounts, [account("limited")]: trust },
      bindings: [...gcp.bindings, limited],
    },
  });
  jit = { sandbox, token: await tokenFor(sandbox, "jit") };
  granter = { sandbox, token: await tokenFor(sandbox, "agentctl-granter") };
  initial = Object.entries(sandbox.gcp.policies()).map(([holder, { bindings }]) => [holder, bindings]);
});
beforeEach(() => {
  for (const [holder, bindings] of initial) sandbox.gcp.changePolicy(holder, () => bindings);
});
afterAll(() => sandbox.close());

describe("who may read and write a policy", () => {
  const project = resourceManager(`/v3/${PROJECT}`);
  it.each([
    { name: "the granter reads the project's", who: "agentctl-granter", api: project, want: "200" },
    { name: "the granter reads a bucket's", who: "agentctl-granter", api: bucketPolicy("demo"), want: "200" },
    {
      name: "the granter reads the demo account's",
      who: "agentctl-granter",
      api: serviceAccountPolicy("demo"),
      want: "200",
    },
    {
      name: "the granter not its own",
      who: "agentctl-granter",
      api: serviceAccountPolicy("agentctl-granter"),
      want: "403 PERMISSION_DENIED",
    },
    {
      name: "the granter not the folder's",
      who: "agentctl-granter",
      api: resourceManager(`/v3/${FOLDER}`),
      want: "403 PERMISSION_DENIED",
    },
    {
      name: "the granter not a stranger's",
      who: "agentctl-granter",
      api: resourceManager("/v3/projects/other"),
      want: "403 PERMISSION_DENIED",
    },
    {
      name: "nobody a bucket that is not there",
      who: "agentctl-granter",
      api: bucketPolicy("gone"),
      want: "404 notFound",
    },
    { name: "jit nothing", who: "jit", api: project, want: "403 PERMISSION_DENIED" },
    { name: "jit no bucket's", who: "jit", api: bucketPolicy("demo"), want: "403 forbidden" },
    { name: "the demo account nothing", who: "demo", api: project, want: "403 PERMISSION_DENIED" },
  ])("$name: $want", async ({ who, api, want }) => {
    const caller = { sandbox, token: await tokenFor(sandbox, who) };
    expect(outcome(await api.read(caller, 3)).is).toBe(want);
    expect(outcome(await api.write(caller, { bindings: [] })).is).toBe(want);
  });

  it("says which permission is missing, on what", async () => {
    const { error } = parse<{ error: unknown }>(await project.read(jit));
    const resource = `//cloudresourcemanager.googleapis.com/${PROJECT}`;
    const permission = "resourcemanager.projects.getIamPolicy";
    expect(error).toMatchObject({
      message: `Permission '${permission}' denied on resource '${resource}' (or it may not exist).`,
      details: [{ reason: "IAM_PERMISSION_DENIED", metadata: { permission, resource } }],
    });
  });

  it.each([
    { name: "no token", token: () => undefined, want: "401 UNAUTHENTICATED", bucket: "401 required" },
    {
      name: "a token of too small a scope",
      scope: "devstorage.read_write",
      want: "403 PERMISSION_DENIED",
      bucket: "403 insufficientPermissions",
    },
    {
      name: "a token for reading, to read",
      scope: "cloud-platform.read-only",
      want: "200",
      bucket: "403 insufficientPermissions",
    },
  ])("asks for a scope: $name", async ({ scope, want, bucket }) => {
    const whole = `https://www.googleapis.com/auth/${scope}`;
    const token = scope === undefined ? undefined : await tokenFor(sandbox, "agentctl-granter", whole);
    expect(outcome(await project.read({ sandbox, token })).is).toBe(want);
    expect(outcome(await bucketPolicy("demo").read({ sandbox, token })).is).toBe(bucket);
  });

  it.each([
    { name: "grants what it may", change: [viewer], want: "200" },
    {
      name: "grants what it may not",
      change: [{ ...viewer, role: "roles/storage.admin" }],
      want: "403 PERMISSION_DENIED",
    },
    { name: "takes away what it may not", without: `${PROJECT}/roles/agentctlGranter`, want: "403 PERMISSION_DENIED" },
    { name: "reads", want: "200" },
  ])("limits by the roles that a write changes: $name: $want", async ({ change = [], without, want }) => {
    const limited = { sandbox, token: await tokenFor(sandbox, "limited") };
    const answer = await project.read(limited, 3);
    expect(outcome(answer).is).toBe("200");
    const policy = parse<Policy>(answer);
    const bindings = [...(policy.bindings ?? []).filter(({ role }) => role !== without), ...change];
    expect(outcome(await project.write(limited, { ...policy, version: 3, bindings })).is).toBe(want);
  });
});

describe("a path that is none", () => {
  it.each([`/v3/${PROJECT}:getIamPolicies`, `/v1/${PROJECT}/serviceAccounts/x:signIamPolicy`])("%s", async (path) => {
    expect((await post(granter, path)).status).toBe(404);
  });

  it("is found by GET neither", async () => {
    expect((await callGoogle(sandbox, `/v3/${PROJECT}:getIamPolicy`, granter.token)).status).toBe(404);
  });
});
