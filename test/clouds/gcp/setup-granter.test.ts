import { Environment } from "@marcbachmann/cel-js";
import { describe, expect, it } from "vitest";
import { gcpTrust } from "../../../src/clouds/gcp/setup/index.js";
import { planGcpTrust } from "../../../src/clouds/gcp/setup/trust-plan.js";
import type { GcpSettings } from "../../../src/core/profile.js";
import type { TrustFormat, TrustRequest } from "../../../src/core/trust.js";
import { thrownBy } from "../../thrown.js";
import { scopeOf } from "../setup/scopes.js";

const PROJECT = "//cloudresourcemanager.googleapis.com/projects/my-project";
const BUCKET = "//storage.googleapis.com/projects/_/buckets/site";
const ACCOUNT = "//iam.googleapis.com/projects/other/serviceAccounts/web@other.iam.gserviceaccount.com";
const VIEWER = "roles/storage.objectViewer";
const GRANTER = "granter@my-project.iam.gserviceaccount.com";
const SETTINGS: GcpSettings = {
  workloadIdentityProvider: "projects/123456789012/locations/global/workloadIdentityPools/ci-pool/providers/github",
  serviceAccount: "deploy@my-project.iam.gserviceaccount.com",
  scopes: [],
  accessBoundary: [],
  bindings: [{ role: VIEWER, resource: BUCKET }],
  granter: { serviceAccount: GRANTER },
  metadata: false,
};

function request(settings: Partial<GcpSettings> = {}, format: TrustFormat<"gcp"> = "terraform"): TrustRequest<"gcp"> {
  const all = { ...SETTINGS, ...settings };
  return { profileName: "deploy-web", ttlSeconds: 1_800, settings: all, scope: scopeOf(), format };
}

const rightsOf = (settings: Partial<GcpSettings>) => planGcpTrust(request(settings)).granter?.rights ?? [];

/** Google's own function on lists, which is no part of CEL: whether nothing else is in it. */
const cel = new Environment({ unlistedVariablesAreDyn: true }).registerFunction(
  "list.hasOnly(list): bool",
  (list: readonly unknown[], only: readonly unknown[]) => list.every((each) => only.includes(each)),
);

/** Whether the granter may change bindings of these roles; undefined where the service does not tell which. */
function mayChange(expression: string, roles: readonly string[] | undefined): boolean {
  const attribute = 'api.getAttribute("iam.googleapis.com/modifiedGrantsByRole", [])';
  expect(expression.startsWith(attribute)).toBe(true);
  return cel.evaluate(expression.replace(attribute, "changed"), { changed: roles ?? [] }) === true;
}

describe("what the granter may do", () => {
  it.each([
    {
      name: "a project",
      resource: PROJECT,
      kind: "project",
      id: "my-project",
      on: "resourcemanager.projects",
      home: "my-project",
    },
    {
      name: "a folder",
      resource: PROJECT.replace("projects/my-project", "folders/1"),
      kind: "folder",
      id: "1",
      on: "resourcemanager.folders",
      home: undefined,
    },
    {
      name: "an organization",
      resource: PROJECT.replace("projects/my-project", "organizations/2"),
      kind: "organization",
      id: "2",
      on: "resourcemanager.organizations",
      home: "2",
    },
    { name: "a bucket", resource: BUCKET, kind: "bucket", id: "site", on: "storage.buckets", home: "my-project" },
    {
      name: "a service account",
      resource: ACCOUNT,
      kind: "serviceAccount",
      id: "web@other.iam.gserviceaccount.com",
      on: "iam.serviceAccounts",
      home: "other",
    },
  ])("is to read and write the policy of $name, and nothing more", ({ resource, kind, id, on, home }) => {
    const [right, ...others] = rightsOf({ bindings: [{ role: VIEWER, resource }] });
    expect(others).toEqual([]);
    expect(right).toMatchObject({ kind, id, permissions: [`${on}.getIamPolicy`, `${on}.setIamPolicy`] });
    expect(right?.role.home.id).toBe(home);
  });

  it("is limited to the profile's roles", () => {
    const bindings = [
      { role: VIEWER, resource: BUCKET },
      { role: "roles/browser", resource: PROJECT },
    ];
    const rights = rightsOf({ bindings });
    expect(rights.map(({ id }) => id)).toEqual(["site", "my-project"]);
    for (const { condition } of rights) {
      const expression = condition?.expression ?? "";
      expect(mayChange(expression, [VIEWER])).toBe(true);
      expect(mayChange(expression, [VIEWER, "roles/browser"])).toBe(true);
      expect(mayChange(expression, ["roles/owner"])).toBe(false);
      expect(mayChange(expression, [VIEWER, "roles/owner"])).toBe(false);
    }
  });

  it("is once on a resource that has several roles", () => {
    const bindings = [VIEWER, "roles/storage.objectUser"].map((role) => ({ role, resource: BUCKET }));
    expect(rightsOf({ bindings })).toHaveLength(1);
  });

  it("is to end the grants of an entitlement, where that is", () => {
    const entitlement = "folders/1/locations/global/entitlements/deploy";
    const [right] = rightsOf({ bindings: [], entitlement });
    expect(right).toMatchObject({
      kind: "folder",
      id: "1",
      permissions: ["get", "list", "revoke"].map((verb) => `privilegedaccessmanager.grants.${verb}`),
    });
    expect(right?.condition).toBeUndefined();
  });

  it("is nothing where nothing is given", () => {
    expect(planGcpTrust(request({ bindings: [] })).granter).toBeUndefined();
  });

  it.each([
    {
      name: "more roles than Google limits",
      settings: {
        bindings: Array.from({ length: 11 }, (_, index) => ({ role: `roles/r.r${index}`, resource: BUCKET })),
      },
    },
    {
      name: "a bucket in no known project",
      settings: { granter: { serviceAccount: "1-compute@developer.gserviceaccount.com" } },
    },
  ])("is not written for $name", async ({ settings }) => {
    expect((await thrownBy(() => planGcpTrust(request(settings)))).code).toBe("CONFIG_INVALID");
  });
});

describe("what is written", () => {
  it.each(["terraform", "cli"] as const)("in %s gives the task nothing for good", (format) => {
    const rule = { availableResource: BUCKET, availablePermissions: [`inRole:${VIEWER}`] };
    const { text } = gcpTrust.write(request({ accessBoundary: [rule] }, format));
    const code = text
      .split("\n")
      .filter((line) => !line.trimStart().startsWith("#"))
      .join("\n");
    expect(code.replaceAll(/^.*modifiedGrantsByRole.*$/gm, "")).not.toContain(VIEWER);
    expect(text).not.toContain("TO BE FILLED IN");
    expect(code).toContain(GRANTER);
  });

  it("says where the command itself could give", () => {
    const { serviceAccount: _, ...settings } = SETTINGS;
    const noteOf = (all: GcpSettings) => gcpTrust.write({ ...request(), settings: all }).notes.join("\n");
    expect(noteOf(settings)).toMatch(/which may be the granter/);
    expect(noteOf(SETTINGS)).not.toMatch(/which may be the granter/);
  });

  it.each([
    { name: "says where the command itself could ask for a grant", scope: "cloud-platform", want: true },
    {
      name: "does not say so of a command with other scopes",
      scope: "compute",
      want: false,
    },
  ])("$name", ({ scope, want }) => {
    const scopes = [`https://www.googleapis.com/auth/${scope}`];
    const entitlement = "projects/my-project/locations/global/entitlements/deploy";
    const { notes } = gcpTrust.write(request({ entitlement, scopes }));
    expect(notes.some((note) => note.includes("can, with its token"))).toBe(want);
    expect(notes.some((note) => note.includes("ttl and ready's timeout together"))).toBe(true);
  });

  it("asks for the organization of a folder", () => {
    const bindings = [{ role: VIEWER, resource: "//cloudresourcemanager.googleapis.com/folders/1" }];
    expect(gcpTrust.write(request({ bindings })).text).toContain("org_id      = var.deploy_web_organization_id");
    expect(gcpTrust.write(request({ bindings }, "cli")).text).toContain("ORGANIZATION_ID:?");
  });
});
