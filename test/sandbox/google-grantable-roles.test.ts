import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { account, type Caller, outcome, parse, post, tokenFor } from "./google-clients.js";

const PATH = "/v1/roles:queryGrantableRoles";
const BUCKET = "//storage.googleapis.com/projects/_/buckets/demo";
const PROJECT = "//cloudresourcemanager.googleapis.com/projects/agentctl-demo";
const ACCOUNT = `//iam.googleapis.com/projects/agentctl-demo/serviceAccounts/${account("demo")}`;

interface Page {
  readonly roles: readonly { readonly name: string }[];
  readonly nextPageToken?: string;
}

let sandbox: Sandbox;
let [granter, jit]: Caller[] = [];
beforeAll(async () => {
  sandbox = await startSandbox();
  [granter, jit] = await Promise.all(
    ["agentctl-granter", "jit"].map(async (name) => ({ sandbox, token: await tokenFor(sandbox, name) })),
  );
});
afterAll(() => sandbox.close());

const ask = (caller: Caller | undefined, body: unknown) => post(caller as Caller, PATH, body);

describe("the roles that can be given", () => {
  it.each([
    { on: BUCKET, has: "roles/storage.legacyBucketReader", lacks: "roles/logging.viewer" },
    { on: PROJECT, has: "roles/logging.viewer", lacks: "roles/storage.legacyBucketReader" },
    { on: ACCOUNT, has: "roles/iam.serviceAccountUser", lacks: "roles/storage.objectViewer" },
  ])("on $on are told to whoever may read its policy", async ({ on, has, lacks }) => {
    const names = parse<Page>(await ask(granter, { fullResourceName: on })).roles.map(({ name }) => name);
    expect(names).toContain(has);
    expect(names).not.toContain(lacks);
  });

  it("come in pages", async () => {
    const first = parse<Page>(await ask(granter, { fullResourceName: PROJECT, pageSize: 3 }));
    expect(first.roles).toHaveLength(3);
    const rest = parse<Page>(await ask(granter, { fullResourceName: PROJECT, pageToken: first.nextPageToken }));
    const all = parse<Page>(await ask(granter, { fullResourceName: PROJECT }));
    expect(rest.nextPageToken).toBeUndefined();
    expect([...first.roles, ...rest.roles]).toEqual(all.roles);
  });

  it.each([
    { name: "whoever may not read the policy", who: () => jit, on: PROJECT, want: "403 PERMISSION_DENIED" },
    { name: "a bucket that is not there", who: () => granter, on: `${BUCKET}-not`, want: "404 NOT_FOUND" },
    { name: "what has no policy", who: () => granter, on: "//compute.googleapis.com/x", want: "400 INVALID_ARGUMENT" },
  ])("are not told to or of $name", async ({ who, on, want }) => {
    expect(outcome(await ask(who(), { fullResourceName: on })).is).toBe(want);
  });
});
