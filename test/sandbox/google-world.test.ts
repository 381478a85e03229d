import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultWorld, readWorldFile } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-gcp-world-"));
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

function read(text: string): ReturnType<typeof readWorldFile> {
  const file = path.join(dir, "world.yaml");
  fs.writeFileSync(file, text);
  return readWorldFile(file, { fs });
}

const ROLE = "projects/agentctl-demo/roles/reader";
const ENTITLEMENT = "folders/1/locations/global/entitlements/read";

describe("the gcp block of a world file", () => {
  it("gives ancestors, custom roles, entitlements, and how long a policy's changes take", () => {
    const world = read(`
gcp:
  ancestors:
    folders/1: [{ role: ${ROLE}, members: [allUsers], condition: { title: t, description: d, expression: "true" } }]
    organizations/2: []
  roles: { ${ROLE}: [storage.objects.get] }
  entitlements:
    ${ENTITLEMENT}:
      max_request_seconds: 3600
      eligible_users: [user:a@example.com]
      roles: [{ role: ${ROLE}, condition: "true" }, { role: roles/browser }]
      approval: manual
      justification: required
  policy_propagation_ms: 2000
  buckets: { old: { objects: {}, bindings: [], uniform_bucket_level_access: false } }
`);
    const condition = { title: "t", description: "d", expression: "true" };
    expect(world.gcp).toEqual({
      ...defaultWorld().gcp,
      ancestors: { "folders/1": [{ role: ROLE, members: ["allUsers"], condition }], "organizations/2": [] },
      roles: { [ROLE]: ["storage.objects.get"] },
      entitlements: {
        [ENTITLEMENT]: {
          maxRequestSeconds: 3600,
          eligibleUsers: ["user:a@example.com"],
          roles: [{ role: ROLE, condition: "true" }, { role: "roles/browser" }],
          approval: "manual",
          justification: "required",
        },
      },
      policyPropagationMs: 2000,
      buckets: { old: { objects: {}, bindings: [], hasUniformAccess: false } },
    });
  });

  it.each([
    { name: "an ancestor by its name", text: "gcp: { ancestors: { folders/mine: [] } }", says: "folders/NUMBER" },
    { name: "a custom role by its short name", text: "gcp: { roles: { reader: [] } }", says: "resource name" },
    { name: "an entitlement by its short name", text: "gcp: { entitlements: { read: {} } }", says: "resource name" },
    {
      name: "a condition whose expression is none",
      text: "gcp: { bindings: [{ role: roles/browser, members: [], condition: { title: t, expression: 'a ==' } }] }",
      says: "condition: this is not a CEL expression",
    },
    {
      name: "a request that is longer than seven days",
      text: `gcp: { entitlements: { ${ENTITLEMENT}: { max_request_seconds: 604801, eligible_users: [], roles: [] } } }`,
      says: "max_request_seconds",
    },
  ])("is refused for $name", ({ text, says }) => {
    expect(() => read(text)).toThrow(says);
  });
});

describe("a world", () => {
  it("may lag from the start", async () => {
    const { gcp } = defaultWorld();
    const sandbox = await startSandbox({ gcp: { ...gcp, policyPropagationMs: 5000 } });
    expect(sandbox.gcp.propagation()).toEqual({
      gcs: 5000,
      iamcredentials: 5000,
      cloudresourcemanager: 5000,
      "gcp-iam": 5000,
      pam: 5000,
    });
    await sandbox.close();
  });

  it("is where Google's tools are pointed, with the slash that gcloud asks for", async () => {
    const { env, close } = await startSandbox();
    for (const name of ["CLOUDRESOURCEMANAGER", "IAM", "PRIVILEGEDACCESSMANAGER"]) {
      expect(env[`CLOUDSDK_API_ENDPOINT_OVERRIDES_${name}`]).toBe(`${env["AGENTCTL_SANDBOX_GCS_URL"]}/`);
    }
    await close();
  });
});
