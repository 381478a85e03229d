import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { defaultWorld, type Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { createForeignWriter } from "./foreign-writer.js";
import {
  type Binding,
  BUCKET,
  bucketPolicy,
  type Caller,
  member,
  outcome,
  type Policy,
  type PolicyApi,
  PROJECT,
  parse,
  resourceManager,
  serviceAccountPolicy,
  tokenFor,
} from "./google-clients.js";

const FOLDER = "folders/222222222222";
const ORGANIZATION = "organizations/333333333333";
const SECURITY = [{ role: "roles/iam.securityAdmin", members: [member("agentctl-granter")] }];
const UNTIL = 'request.time < timestamp("2030-01-01T00:00:00Z")';
const until = { title: "until 2030", description: "for a test", expression: UNTIL };

let sandbox: Sandbox;
let granter: Caller;
let initial: readonly (readonly [string, readonly Binding[]])[];
beforeAll(async () => {
  const { gcp } = defaultWorld();
  sandbox = await startSandbox({ gcp: { ...gcp, ancestors: { [FOLDER]: [], [ORGANIZATION]: SECURITY } } });
  granter = { sandbox, token: await tokenFor(sandbox, "agentctl-granter") };
  initial = Object.entries(sandbox.gcp.policies()).map(([holder, { bindings }]) => [holder, bindings]);
});
beforeEach(() => {
  for (const [holder, bindings] of initial) sandbox.gcp.changePolicy(holder, () => bindings);
});
afterAll(() => sandbox.close());

const HOLDERS: readonly { name: string; holder: string; api: PolicyApi; role: string; conflict: string }[] = [
  ...["/v1/projects/agentctl-demo", "/v3/projects/agentctl-demo", "/v3/projects/123456789012"].map((path) => ({
    name: `a project by ${path}`,
    holder: PROJECT,
    api: resourceManager(path),
    role: "roles/storage.objectViewer",
    conflict: "409 ABORTED",
  })),
  {
    name: "a folder",
    holder: FOLDER,
    api: resourceManager(`/v3/${FOLDER}`),
    role: "roles/storage.objectViewer",
    conflict: "409 ABORTED",
  },
  {
    name: "an organization",
    holder: ORGANIZATION,
    api: resourceManager(`/v3/${ORGANIZATION}`),
    role: "roles/storage.objectViewer",
    conflict: "409 ABORTED",
  },
  {
    name: "a bucket",
    holder: BUCKET,
    api: bucketPolicy("demo"),
    role: "roles/storage.objectViewer",
    conflict: "412 conditionNotMet",
  },
  {
    name: "a service account",
    holder: `projects/-/serviceAccounts/${member("demo").slice("serviceAccount:".length)}`,
    api: serviceAccountPolicy("demo"),
    role: "roles/iam.serviceAccountTokenCreator",
    conflict: "409 ABORTED",
  },
];

async function add(api: PolicyApi, binding: Binding, changes: Policy = {}) {
  const policy = parse<Policy>(await api.read(granter, 3));
  const bindings = [...(policy.bindings ?? []), binding];
  return api.write(granter, { ...policy, version: 3, bindings, ...changes });
}

describe.each(HOLDERS)("the policy of $name", ({ holder, api, role, conflict }) => {
  const given = { role, members: [member("jit")], condition: until };

  it("is read, changed with its etag, and read again", async () => {
    const before = parse<Policy>(await api.read(granter, 3));
    expect(before.version ?? 1).toBe(1);
    const written = await add(api, given);
    expect(outcome(written)).toEqual({ is: "200" });
    const { bindings, etag, version } = parse<Policy>(written);
    expect([version, etag]).toEqual([3, sandbox.gcp.policyOf(holder).etag]);
    expect(etag).not.toBe(before.etag);
    expect(bindings).toContainEqual(given);
    expect(bindings).toEqual(expect.arrayContaining([...(before.bindings ?? [])]));
    expect(parse(await api.read(granter, 3))).toMatchObject({ version: 3, etag, bindings });
  });

  it("is not written over what somebody else wrote meanwhile", async () => {
    const before = parse<Policy>(await api.read(granter, 3));
    const foreign = { role, members: ["user:foreign@example.com"] };
    sandbox.gcp.changePolicy(holder, (bindings) => [...bindings, foreign]);
    const late = await api.write(granter, { ...before, version: 3, bindings: [...(before.bindings ?? []), given] });
    expect(outcome(late).is).toBe(conflict);
    expect(sandbox.gcp.policyOf(holder).bindings).toContainEqual(foreign);
  });

  it("hides conditions from a reader of an older version, who cannot write it either", async () => {
    await add(api, given);
    const old = parse<Policy>(await api.read(granter));
    expect(old.version).toBe(1);
    expect(old.bindings).toContainEqual({
      role: expect.stringMatching(new RegExp(`^${role.replace(".", "\\.")}_withcond_[0-9a-f]{20}$`)),
      members: [member("jit")],
    });
    const kept = (old.bindings ?? []).filter((binding) => !binding.role.includes("_withcond_"));
    const refused = outcome(await api.write(granter, { ...old, bindings: kept }));
    expect(refused.is).toMatch(/^400 (INVALID_ARGUMENT|invalid)$/);
    expect(refused.says).toMatch(
      /^Specified policy version \(1\) cannot be less than the existing policy version \(3\)/,
    );
    const marked = outcome(await api.write(granter, { ...old, version: 3 }));
    expect(marked.says).toMatch(/^Role roles\/\S+_withcond_\w+ is not supported for this resource\.$/);
    expect(sandbox.gcp.policyOf(holder).bindings).toContainEqual(given);
  });

  it("is kept with each role, condition and member once, and none without members", async () => {
    const members = [member("jit"), member("demo"), member("jit")];
    const twice: Binding[] = [
      { role, members, condition: until },
      { role, members: [member("demo")], condition: { ...until } },
      { role, members: [], condition: { ...until, title: "nobody" } },
      { role, members: [member("demo")], condition: { ...until, title: "another" } },
    ];
    const { etag } = parse<Policy>(await api.read(granter, 3));
    const written = await api.write(granter, { version: 3, ...(etag && { etag }), bindings: twice });
    expect(parse<Policy>(written).bindings).toEqual([
      { role, members: [member("demo")], condition: { ...until, title: "another" } },
      { role, members: [member("demo"), member("jit")], condition: until },
    ]);
  });
});

describe("an etag with a letter that the URL's alphabet has otherwise", () => {
  it.each([
    ["as it was read", (etag: string) => etag],
    ["in the URL's alphabet, as gcloud does", (etag: string) => etag.replaceAll("+", "-").replaceAll("/", "_")],
  ])("is the policy's, written %s", async (_name, rewrite) => {
    let { etag } = sandbox.gcp.policyOf(PROJECT);
    for (let writes = 0; !/[+/]/.test(etag); writes++) {
      expect(writes).toBeLessThan(10_000);
      ({ etag } = sandbox.gcp.changePolicy(PROJECT, (bindings) => bindings));
    }
    const api = resourceManager(`/v3/${PROJECT}`);
    const before = parse<Policy>(await api.read(granter, 3));
    expect(before.etag).toBe(etag);
    const written = await api.write(granter, { ...before, version: 3, etag: rewrite(etag) });
    expect(outcome(written)).toEqual({ is: "200" });
  });
});

describe("a write without an etag", () => {
  it("overwrites whatever was there, as Google says it does", async () => {
    const api = bucketPolicy("demo");
    await add(api, { role: "roles/storage.objectViewer", members: [member("jit")], condition: until });
    const blind = await api.write(granter, { bindings: [{ role: "roles/storage.admin", members: [member("demo")] }] });
    expect(parse(blind)).toMatchObject({ version: 1, kind: "storage#policy", resourceId: BUCKET });
    expect(sandbox.gcp.policyOf(BUCKET).bindings).toEqual([{ role: "roles/storage.admin", members: [member("demo")] }]);
  });
});

describe("a policy that a foreign writer keeps changing", () => {
  it("loses nothing to one who reads, changes and writes with the etag, again where that was late", async () => {
    const api = resourceManager(`/v3/${PROJECT}`);
    const foreign = createForeignWriter(sandbox, PROJECT);
    const outcomes: number[] = [];
    for (const attempt of Array(24).keys()) {
      const policy = parse<Policy>(await api.read(granter, 3));
      if (attempt % 2 === 0) foreign.write();
      const condition = { ...until, title: `ours ${attempt}` };
      const ours = { role: "roles/browser", members: [member("jit")], condition };
      const bindings = [...(policy.bindings ?? []), ours];
      outcomes.push((await api.write(granter, { ...policy, version: 3, bindings })).status);
    }
    expect(outcomes).toEqual(Array(12).fill([409, 200]).flat());
    expect(foreign.lost()).toEqual([]);
    const kept = sandbox.gcp.policyOf(PROJECT).bindings.filter(({ condition }) => condition?.title.startsWith("ours"));
    expect(kept).toHaveLength(12);
  });

  it("shows what a blind write takes from it", async () => {
    const foreign = createForeignWriter(sandbox, PROJECT);
    foreign.start(5);
    await vi.waitFor(() => expect(foreign.writes()).toBeGreaterThan(2));
    foreign.stop();
    expect(foreign.lost()).toEqual([]);
    await resourceManager(`/v3/${PROJECT}`).write(granter, { bindings: [] });
    expect(foreign.lost()).toHaveLength(foreign.writes());
  });
});
