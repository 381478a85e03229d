import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { resolveGcp } from "../../src/config/resolve-gcp.js";
import { gcpSchema } from "../../src/config/schema-gcp.js";
import { fakeRuntime } from "../fake-runtime.js";

const PROVIDER = "projects/123456789/locations/global/workloadIdentityPools/my-pool/providers/github";
const BUCKET = "//storage.googleapis.com/projects/_/buckets/site";
const RULE = { available_resource: BUCKET, available_permissions: ["inRole:roles/storage.objectViewer"] };

function messagesOf(block: unknown): string {
  const parsed = z.safeParse(gcpSchema, block);
  if (parsed.success) return "";
  const lines = parsed.error.issues.map((issue) => {
    const keys = issue.code === "unrecognized_keys" ? issue.keys : [];
    return `${[...issue.path, ...keys].join(".")} ${issue.message}`;
  });
  return lines.join("\n");
}

const provider = (value: string) => ({ workload_identity_provider: value });
const boundary = (rule: object) => ({ access_boundary: [{ ...RULE, ...rule }] });

describe("the gcp block", () => {
  it.each([
    { name: "nothing, which a parent may fill", block: {} },
    { name: "a provider", block: provider(PROVIDER) },
    { name: "a service account", block: { service_account: "deploy@my-project.iam.gserviceaccount.com" } },
    { name: "Compute Engine's own", block: { service_account: "123-compute@developer.gserviceaccount.com" } },
    { name: "one of a project of a domain", block: { service_account: "a-b@p.example.com.iam.gserviceaccount.com" } },
    { name: "a project of a domain", block: { project_id: "example.com:my-project" } },
    { name: "no boundary", block: { access_boundary: [] } },
    { name: "a role of one's own", block: boundary({ available_permissions: ["inRole:projects/p/roles/reader"] }) },
    { name: "a condition", block: boundary({ availability_condition: { expression: "true", title: "t" } }) },
  ])("takes $name", ({ block }) => {
    expect(messagesOf(block)).toBe("");
  });

  it.each([
    { name: "an unknown key", block: { provider: PROVIDER }, want: /provider/ },
    {
      name: "a provider as a URL",
      block: provider(`//iam.googleapis.com/${PROVIDER}`),
      want: /must begin with projects\//,
    },
    {
      name: "a project's id in the provider",
      block: provider(PROVIDER.replace("123456789", "my-project")),
      want: /by its id, "my-project"; .* number/,
    },
    {
      name: "another location",
      block: provider(PROVIDER.replace("global", "europe")),
      want: /location "europe"; .* is global/,
    },
    {
      name: "a workforce pool",
      block: provider("locations/global/workforcePools/p/providers/x"),
      want: /which is for people/,
    },
    {
      name: "a pool without a provider",
      block: provider(PROVIDER.replace("/providers/github", "")),
      want: /is not a provider such as/,
    },
    {
      name: "a pool's id in capitals",
      block: provider(PROVIDER.replace("my-pool", "My-Pool")),
      want: /pool's id "My-Pool"/,
    },
    {
      name: "a provider's id too short",
      block: provider(PROVIDER.replace("github", "gh")),
      want: /provider's id "gh"/,
    },
    {
      name: "a person",
      block: { service_account: "me@example.com" },
      want: /"me@example.com" is not a service account's/,
    },
    { name: "a bare account name", block: { service_account: "deploy" }, want: /not a service account's/ },
    { name: "a project's name", block: { project_id: "My Project" }, want: /not a project's id/ },
    { name: "no scopes", block: { scopes: [] }, want: /empty list/ },
    {
      name: "a scope's short name",
      block: { scopes: ["cloud-platform"] },
      want: /scopes\.0 "cloud-platform" is not a scope such as/,
    },
    { name: "two scopes in one", block: { scopes: ["https://a.example/x https://b.example/y"] }, want: /not a scope/ },
    { name: "eleven rules", block: { access_boundary: Array(11).fill(RULE) }, want: /access_boundary/ },
    {
      name: "a rule of no bucket",
      block: boundary({ available_resource: "site" }),
      want: /available_resource "site" is not a bucket/,
    },
    { name: "a rule of nothing", block: boundary({ available_permissions: [] }), want: /empty list/ },
    {
      name: "a permission by name",
      block: boundary({ available_permissions: ["storage.objects.get"] }),
      want: /is not a role such as inRole/,
    },
    {
      name: "an empty condition",
      block: boundary({ availability_condition: { expression: "" } }),
      want: /expression is empty/,
    },
    { name: "an endpoint", block: { token_url: "https://sts.example" }, want: /token_url/ },
  ])("refuses $name", ({ block, want }) => {
    expect(messagesOf(block)).toMatch(want);
  });
});

describe("resolveGcp", () => {
  function resolve(block: z.infer<typeof gcpSchema>) {
    const reported: string[] = [];
    const report = (path: readonly (string | number)[], message: string) =>
      void reported.push(`${path.join(".")} ${message}`);
    return { settings: resolveGcp(block, { runtime: fakeRuntime(), baseDir: "/", report }), reported };
  }

  it("takes the federated identity, all scopes and no boundary where nothing is written", () => {
    expect(resolve(provider(PROVIDER)).settings).toEqual({
      workloadIdentityProvider: PROVIDER,
      scopes: ["https://www.googleapis.com/auth/cloud-platform"],
      accessBoundary: [],
      bindings: [],
      metadata: false,
    });
  });

  it("takes over what is written", () => {
    const account = "deploy@my-project.iam.gserviceaccount.com";
    const condition = { expression: "true", title: "t", description: "d" };
    const block = {
      ...provider(PROVIDER),
      service_account: account,
      project_id: "my-project",
      scopes: ["https://www.googleapis.com/auth/devstorage.read_only"],
      access_boundary: [RULE, { ...RULE, availability_condition: condition }],
      metadata: true,
      audience: "gcp-ci",
    };
    const rule = { availableResource: BUCKET, availablePermissions: RULE.available_permissions };
    expect(resolve(block).settings).toEqual({
      workloadIdentityProvider: PROVIDER,
      serviceAccount: account,
      projectId: "my-project",
      scopes: block.scopes,
      accessBoundary: [rule, { ...rule, availabilityCondition: condition }],
      bindings: [],
      metadata: true,
      audiences: ["gcp-ci"],
    });
  });

  it("reports a missing provider", () => {
    expect(resolve({}).reported).toEqual([
      "workload_identity_provider is missing: which provider to trade the identity token at",
    ]);
  });
});
