import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultWorld } from "../../src/sandbox/world.js";
import { readWorldFile } from "../../src/sandbox/world-file.js";

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-world-"));
  fs.writeFileSync(path.join(dir, "read.json"), '{"Version":"2012-10-17","Statement":[]}');
  fs.writeFileSync(path.join(dir, "broken.json"), "{");
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

function read(text: string): ReturnType<typeof readWorldFile> {
  const file = path.join(dir, "world.yaml");
  fs.writeFileSync(file, text);
  return readWorldFile(file, { fs });
}

const ROLE = "arn:aws:iam::123456789012:role/deploy";

describe("a world file", () => {
  it("gives the parts that it names, with policies written out or read from beside it", () => {
    const world = read(`
account: "123456789012"
claims: { environment: prod }
roles:
  ${ROLE}:
    policies: [read.json, { Version: "2012-10-17", Statement: [] }]
    trust: read.json
    max_session_duration: 7200
buckets: { site: { index.html: hello } }
`);
    const empty = { Version: "2012-10-17", Statement: [] };
    expect(world).toEqual({
      accountId: "123456789012",
      claims: { environment: "prod" },
      roles: { [ROLE]: { policies: [empty, empty], trust: empty, maxSessionSeconds: 7200 } },
      buckets: { site: { "index.html": "hello" } },
    });
  });

  it("gives a role's inline policies and boundary, and how long their changes take", () => {
    const world = read(`
iam_propagation_ms: 2000
roles:
  ${ROLE}:
    policies: []
    inline_policies: { read: read.json }
    permissions_boundary: { arn: "arn:aws:iam::123456789012:policy/boundary", document: read.json }
    trust: read.json
`);
    const empty = { Version: "2012-10-17", Statement: [] };
    const permissionsBoundary = { arn: "arn:aws:iam::123456789012:policy/boundary", document: empty };
    expect(world).toEqual({
      iamPropagationMs: 2000,
      roles: { [ROLE]: { policies: [], inlinePolicies: { read: empty }, permissionsBoundary, trust: empty } },
    });
  });

  it("lays its azure and gcp blocks over the default ones, part by part", () => {
    const world = read(`
platform: gitlab
azure:
  domain: contoso.onmicrosoft.com
  apps:
    00000000-0000-0000-0000-000000000001:
      federated_credentials: [{ issuer: "https://gitlab.com", subject: "project_path:a/b:ref_type:branch:ref:main" }]
      roles: [{ role: Storage Blob Data Reader, scope: /subscriptions/x }]
  storage_accounts: { ours: { resource_group: rg, containers: { site: { index.html: hello } } } }
gcp:
  providers:
    projects/1/locations/global/workloadIdentityPools/pool/providers/gitlab:
      issuer: https://gitlab.com
      attribute_condition: assertion.ref == "main"
  service_accounts: { a@p.iam.gserviceaccount.com: {} }
  buckets: { site: { objects: { index.html: hello }, bindings: [{ role: roles/storage.objectViewer, members: [allUsers] }] } }
`);
    const { azure, gcp } = defaultWorld();
    const subject = "project_path:a/b:ref_type:branch:ref:main";
    expect(world).toEqual({
      platform: "gitlab",
      azure: {
        ...azure,
        domain: "contoso.onmicrosoft.com",
        apps: {
          "00000000-0000-0000-0000-000000000001": {
            federatedCredentials: [{ issuer: "https://gitlab.com", subject, audience: "api://AzureADTokenExchange" }],
            roles: [{ role: "Storage Blob Data Reader", scope: "/subscriptions/x" }],
          },
        },
        storageAccounts: { ours: { resourceGroup: "rg", containers: { site: { "index.html": "hello" } } } },
      },
      gcp: {
        ...gcp,
        providers: {
          "projects/1/locations/global/workloadIdentityPools/pool/providers/gitlab": {
            issuer: "https://gitlab.com",
            attributeMapping: { "google.subject": "assertion.sub" },
            attributeCondition: 'assertion.ref == "main"',
          },
        },
        serviceAccounts: { "a@p.iam.gserviceaccount.com": [] },
        buckets: {
          site: {
            objects: { "index.html": "hello" },
            bindings: [{ role: "roles/storage.objectViewer", members: ["allUsers"] }],
          },
        },
      },
    });
  });

  it.each([
    {
      name: "an unknown platform",
      text: "platform: jenkins",
      says: 'platform: Invalid option: expected one of "github"',
    },
    { name: "an unknown key", text: "azure: { tenant: x }", says: 'azure: Unrecognized key: "tenant"' },
    {
      name: "a role of Azure that grants nothing here",
      text: "azure: { apps: { 00000000-0000-0000-0000-000000000001: { federated_credentials: [], roles: [{ role: King, scope: /subscriptions/x }] } } }",
      says: "roles.0.role: the sandbox does not know this role",
    },
    {
      name: "a role of Google's that grants nothing here",
      text: "gcp: { bindings: [{ role: roles/king, members: [] }] }",
      says: "gcp.bindings.0.role: the sandbox does not know this role",
    },
    {
      name: "a condition that is no expression",
      text: "gcp: { bindings: [{ role: roles/storage.admin, members: [], condition: 'a ==' }] }",
      says: "condition: this is not a CEL expression",
    },
    {
      name: "a provider by its short name",
      text: "gcp: { providers: { github: { issuer: x } } }",
      says: "resource name",
    },
  ])("is refused for $name", ({ text, says }) => {
    expect(() => read(text)).toThrow(says);
  });

  it.each([
    { name: "is not YAML", text: "roles: [", want: "CONFIG_SYNTAX" },
    { name: "has an unknown key", text: "rolls: {}", want: "CONFIG_INVALID" },
    {
      name: "names a role otherwise than by its ARN",
      text: "roles: { deploy: { policies: [], trust: read.json } }",
      want: "CONFIG_INVALID",
    },
    {
      name: "has a role without a trust policy",
      text: `roles: { "${ROLE}": { policies: [] } }`,
      want: "CONFIG_INVALID",
    },
    { name: "has a delay before now", text: "iam_propagation_ms: -1", want: "CONFIG_INVALID" },
    { name: "names a policy that is not there", text: "managed_policies: { a: none.json }", want: "CONFIG_NOT_FOUND" },
    { name: "names a policy that is not JSON", text: "managed_policies: { a: broken.json }", want: "CONFIG_SYNTAX" },
  ])("is refused when it $name", ({ text, want }) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: want }));
  });

  it("is refused when it is not there", () => {
    const missing = path.join(dir, "none.yaml");
    expect(() => readWorldFile(missing, { fs })).toThrow(expect.objectContaining({ code: "CONFIG_NOT_FOUND" }));
  });
});
