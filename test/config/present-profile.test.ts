import { afterEach, describe, expect, it } from "vitest";
import { loadProfile, presentProfile } from "../../src/config/index.js";
import { createProject, type Project, ROLE } from "./project.js";

let project: Project;
afterEach(() => project.remove());

const PROVIDER = "projects/1/locations/global/workloadIdentityPools/pool/providers/github";
const TENANT = "11111111-2222-3333-4444-555555555555";
const CLIENT = "66666666-7777-8888-9999-000000000000";
const RULE = {
  available_resource: "//storage.googleapis.com/projects/_/buckets/site",
  available_permissions: ["inRole:roles/storage.objectViewer"],
  availability_condition: { expression: "true", title: "t" },
};

/** A profile, read from a project's file and presented. */
function present(profile: object): Readonly<Record<string, unknown>> {
  project = createProject({ "agentctl.yaml": JSON.stringify({ version: 1, profiles: { p: profile } }) });
  return presentProfile(loadProfile({ profileName: "p" }, project.runtime));
}

describe("presentProfile", () => {
  it.each([
    {
      name: "Azure's block",
      profile: { azure: { tenant_id: TENANT, client_id: CLIENT } },
      want: {
        azure: {
          tenant_id: TENANT,
          client_id: CLIENT,
          scopes: ["https://management.azure.com/.default"],
          audience: "api://AzureADTokenExchange",
          allow_unbounded: false,
        },
      },
    },
    {
      name: "Google's block",
      profile: { gcp: { workload_identity_provider: PROVIDER } },
      want: {
        gcp: {
          workload_identity_provider: PROVIDER,
          scopes: ["https://www.googleapis.com/auth/cloud-platform"],
          access_boundary: [],
          metadata: false,
        },
      },
    },
    {
      name: "how the credentials are renewed, and for whom",
      profile: { aws: { role_arn: ROLE } },
      want: { ttl: "1h", credential_ttl: "15m", deliver: "auto", peer_check: "auto" },
    },
    {
      name: "whether the grants are taken back",
      profile: { aws: { role_arn: ROLE, revoker: { role_arn: `${ROLE}-revoker` } } },
      want: {
        revoke: "auto",
        aws: expect.objectContaining({ revoker: { role_arn: `${ROLE}-revoker` }, accept_escalation: false }),
      },
    },
  ])("writes out $name with its defaults", ({ profile, want }) => {
    const shown = present(profile);
    for (const [key, value] of Object.entries(want)) expect(shown[key]).toEqual(value);
  });

  it("says everything that was written, in the words of the file", () => {
    const profile = {
      credential_ttl: "5m",
      deliver: "endpoint",
      peer_check: "require",
      revoke: "none",
      azure: {
        tenant_id: TENANT,
        client_id: CLIENT,
        subscription_id: CLIENT,
        scopes: ["https://storage.azure.com/.default"],
        audience: "api://mine",
        granter: { client_id: TENANT },
        assignments: [{ role: "Reader", scope: "/subscriptions/s" }],
        allow_unbounded: true,
        ready: { permissions: ["Microsoft.Storage/storageAccounts/read"], at: "/subscriptions/s", timeout: "10m" },
      },
      gcp: {
        workload_identity_provider: PROVIDER,
        service_account: "deploy@my-project.iam.gserviceaccount.com",
        project_id: "my-project",
        scopes: ["https://www.googleapis.com/auth/devstorage.read_only"],
        access_boundary: [RULE],
        metadata: true,
        audience: ["gcp-ci", "my-client"],
        granter: { service_account: "granter@my-project.iam.gserviceaccount.com" },
        bindings: [
          { role: "roles/storage.objectViewer", resource: "//storage.googleapis.com/projects/_/buckets/site" },
        ],
        entitlement: "projects/my-project/locations/global/entitlements/deploy",
        ready: {
          permissions: ["storage.objects.get"],
          at: "//storage.googleapis.com/projects/_/buckets/site",
          timeout: "5m",
        },
      },
    };
    expect(present(profile)).toMatchObject(profile);
  });

  it("can be read again as the profile that it shows", () => {
    const settings = (shown: Readonly<Record<string, unknown>>) => {
      const { name: _name, file: _file, audit: _audit, ...rest } = shown;
      project.remove();
      return rest;
    };
    const clouds = {
      aws: { role_arn: ROLE, revoker: { role_arn: `${ROLE}2` } },
      azure: { tenant_id: TENANT, client_id: CLIENT },
      gcp: { workload_identity_provider: PROVIDER },
    };
    expect(settings(present({ azure: { tenant_id: TENANT, client_ids: [CLIENT, TENANT] } }))["azure"]).toMatchObject({
      client_ids: [CLIENT, TENANT],
    });
    const shown = settings(present(clouds));
    expect(settings(present(shown))).toEqual(shown);
  });
});
