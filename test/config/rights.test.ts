import { afterEach, describe, expect, it } from "vitest";
import { lintConfig, loadProfile } from "../../src/config/index.js";
import { createProject, failureOf, type Project } from "./project.js";

let project: Project;
afterEach(() => project.remove());

const PROVIDER = "projects/1/locations/global/workloadIdentityPools/pool/providers/github";
const OWN = "deploy@my-project.iam.gserviceaccount.com";
const GRANTER = "granter@my-project.iam.gserviceaccount.com";
const CLIENT = "66666666-7777-8888-9999-aaaaaaaaaaaa";
const OTHER = "66666666-7777-8888-9999-bbbbbbbbbbbb";
const GIVER = "66666666-7777-8888-9999-cccccccccccc";
const NOT_MADE = "00000000-0000-0000-0000-000000000000";
const SCOPE = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/web";

const gcp = (...keys: string[]) => [
  "    gcp:",
  `      workload_identity_provider: ${PROVIDER}`,
  `      service_account: ${OWN}`,
  ...keys.map((key) => `      ${key}`),
];
const azure = (...keys: string[]) => [
  "    azure:",
  "      tenant_id: example.org",
  ...keys.map((key) => `      ${key}`),
];
const gcpGranter = `granter: { service_account: ${GRANTER} }`;
const viewer = (resource: string, role = "roles/storage.objectViewer") => `{ role: ${role}, resource: ${resource} }`;
const gcpGives = (...resources: string[]) => [
  gcpGranter,
  `bindings: [${resources.map((one) => viewer(one)).join(", ")}]`,
];
const client = `client_id: ${CLIENT}`;
const azureGranter = `granter: { client_id: ${GIVER} }`;
const reader = (scope = SCOPE, role = "Reader") => `{ role: ${role}, scope: ${scope} }`;
const azureGives = [client, azureGranter, `assignments: [${reader()}]`];

function file(lines: readonly string[], more: readonly string[] = []): string {
  return ["version: 1", "profiles:", "  p:", ...more.map((key) => `    ${key}`), ...lines, ""].join("\n");
}

function load(lines: readonly string[], more: readonly string[] = []) {
  project = createProject({ "agentctl.yaml": file(lines, more) });
  return loadProfile({ profileName: "p" }, project.runtime);
}

describe("what Google gives for a lease", () => {
  it.each([
    { written: "projects/my-project", want: "//cloudresourcemanager.googleapis.com/projects/my-project" },
    { written: "projects/example.com:web", want: "//cloudresourcemanager.googleapis.com/projects/example.com:web" },
    { written: "projects/123456789", want: "//cloudresourcemanager.googleapis.com/projects/123456789" },
    {
      written: `//iam.googleapis.com/projects/-/serviceAccounts/${OWN}`,
      want: `//iam.googleapis.com/projects/-/serviceAccounts/${OWN}`,
    },
    { written: "folders/123", want: "//cloudresourcemanager.googleapis.com/folders/123" },
    { written: "organizations/123", want: "//cloudresourcemanager.googleapis.com/organizations/123" },
    { written: "buckets/site", want: "//storage.googleapis.com/projects/_/buckets/site" },
    { written: `serviceAccounts/${OWN}`, want: `//iam.googleapis.com/projects/my-project/serviceAccounts/${OWN}` },
    {
      written: "serviceAccounts/web@my-project.acme.example.iam.gserviceaccount.com",
      want: "//iam.googleapis.com/projects/acme.example:my-project/serviceAccounts/web@my-project.acme.example.iam.gserviceaccount.com",
    },
    {
      written: "serviceAccounts/1-compute@developer.gserviceaccount.com",
      want: "//iam.googleapis.com/projects/-/serviceAccounts/1-compute@developer.gserviceaccount.com",
    },
    {
      written: "//storage.googleapis.com/projects/_/buckets/site",
      want: "//storage.googleapis.com/projects/_/buckets/site",
    },
  ])("is on $written, in full", ({ written, want }) => {
    const lines = gcp(...gcpGives(written), `ready: { permissions: [storage.objects.get], at: ${written} }`);
    expect(load(lines).clouds.gcp).toMatchObject({
      granter: { serviceAccount: GRANTER },
      bindings: [{ role: "roles/storage.objectViewer", resource: want }],
      ready: { permissions: ["storage.objects.get"], at: want, timeoutSeconds: 300 },
    });
  });

  it("may be an entitlement alone, without a granter", () => {
    const entitlement = "projects/my-project/locations/global/entitlements/deploy";
    const ready = "ready: { permissions: [storage.objects.get], timeout: 30m }";
    expect(load(gcp(`entitlement: ${entitlement}`, ready)).clouds.gcp).toMatchObject({
      entitlement,
      bindings: [],
      ready: { timeoutSeconds: 1_800 },
    });
  });
});

describe("what Azure assigns for a lease", () => {
  it("is by its role and scope", () => {
    const lines = azure(
      ...azureGives.slice(0, 2),
      `assignments: [${reader(`${SCOPE}/`)}]`,
      "allow_unbounded: true",
      "ready: { permissions: [Microsoft.Storage/storageAccounts/read] }",
    );
    expect(load(lines).clouds.azure).toMatchObject({
      clientId: CLIENT,
      otherClientIds: [],
      granter: { clientId: GIVER },
      assignments: [{ role: "Reader", scope: SCOPE }],
      allowUnbounded: true,
      ready: { permissions: ["Microsoft.Storage/storageAccounts/read"], timeoutSeconds: 300 },
    });
  });

  it("goes to one of a pool", () => {
    const lines = azure(`client_ids: [${CLIENT}, ${OTHER}]`);
    expect(load(lines).clouds.azure).toMatchObject({ clientId: CLIENT, otherClientIds: [OTHER] });
  });

  it("may have both applications still to be made", () => {
    const lines = azure(`client_id: ${NOT_MADE}`, `granter: { client_id: ${NOT_MADE} }`, `assignments: [${reader()}]`);
    expect(load(lines).clouds.azure?.granter).toEqual({ clientId: NOT_MADE });
  });
});

describe("a scope", () => {
  it.each([
    { name: "a static site's container", rest: "/providers/Microsoft.Storage/storageAccounts/a/containers/$web" },
    { name: "a zone's record for the rest", rest: "/providers/Microsoft.Network/dnsZones/example.org/A/*" },
  ])("may be $name", ({ rest }) => {
    const lines = azure(
      "client_id: 00001111-aaaa-2222-bbbb-3333cccc4444",
      azureGranter,
      `assignments: [${reader(SCOPE + rest)}]`,
    );
    expect(load(lines).clouds.azure?.assignments).toEqual([{ role: "Reader", scope: SCOPE + rest }]);
  });
});

describe("what nobody could give", () => {
  const ready = (more = "") => `ready: { permissions: [storage.objects.get]${more} }`;
  it.each([
    {
      name: "bindings without a granter",
      lines: gcp(`bindings: [${viewer("buckets/site")}]`),
      at: /^agentctl\.yaml:7:17: profiles\.p\.gcp\.bindings: are given by nobody/,
      hint: /agentctl setup gcp/,
    },
    {
      name: "a basic role",
      lines: gcp(gcpGranter, `bindings: [${viewer("projects/my-project", "roles/editor")}]`),
      at: /^agentctl\.yaml:8:26: profiles\.p\.gcp\.bindings\[0\]\.role: is a basic role/,
      hint: /predefined or a custom/,
    },
    {
      name: "the same binding in other words",
      lines: gcp(...gcpGives("buckets/site", "//storage.googleapis.com/projects/_/buckets/site")),
      at: /^agentctl\.yaml:8:\d+: profiles\.p\.gcp\.bindings\[1\]: says the same as bindings\[0\]/,
      hint: /leave one/,
    },
    {
      name: "a granter that is the principal",
      lines: gcp(`granter: { service_account: ${OWN} }`, `bindings: [${viewer("buckets/site")}]`),
      at: /^agentctl\.yaml:7:35: profiles\.p\.gcp\.granter\.service_account: is what the child itself is/,
      hint: /does nothing else/,
    },
    {
      name: "a ready with nothing to wait for",
      lines: gcp(ready()),
      at: /^agentctl\.yaml:7:14: profiles\.p\.gcp\.ready: has nothing to wait for/,
      hint: /bindings or an entitlement/,
    },
    {
      name: "a ready that does not say where",
      lines: gcp(...gcpGives("buckets/site", "buckets/logs"), ready()),
      at: /^agentctl\.yaml:9:\d+: profiles\.p\.gcp\.ready\.at: is missing/,
      hint: /buckets\/site$/,
    },
    {
      name: "assignments without a granter",
      lines: azure(client, `assignments: [${reader()}]`),
      at: /^agentctl\.yaml:7:20: profiles\.p\.azure\.assignments: are given by nobody/,
      hint: /agentctl setup azure/,
    },
    {
      name: "the same assignment in other capitals",
      lines: azure(
        client,
        azureGranter,
        `assignments: [${reader()}, ${reader(SCOPE.toUpperCase().replace("SUBSCRIPTIONS", "subscriptions"), "reader")}]`,
      ),
      at: /^agentctl\.yaml:8:\d+: profiles\.p\.azure\.assignments\[1\]: says the same as assignments\[0\]/,
      hint: /leave one/,
    },
    {
      name: "a granter that is of the pool",
      lines: azure(`client_ids: [${CLIENT}, ${GIVER.toUpperCase()}]`, azureGranter, `assignments: [${reader()}]`),
      at: /^agentctl\.yaml:7:29: profiles\.p\.azure\.granter\.client_id: is what the child itself is/,
      hint: /does nothing else/,
    },
    {
      name: "an application and a pool",
      lines: azure(client, `client_ids: [${OTHER}]`),
      at: /^agentctl\.yaml:7:19: profiles\.p\.azure\.client_ids: stands beside client_id/,
      hint: /client_ids alone/,
    },
    {
      name: "the same application twice",
      lines: azure(`client_ids: [${CLIENT}, ${CLIENT.toUpperCase()}]`),
      at: /^agentctl\.yaml:6:58: profiles\.p\.azure\.client_ids\[1\]: says the same as client_ids\[0\]/,
      hint: /leave one/,
    },
  ])("is told of $name, where it is and what to do", ({ lines, at, hint }) => {
    expect(failureOf(() => load(lines))).toEqual({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(at),
      hint: expect.stringMatching(hint),
    });
  });

  it.each([
    {
      name: "a role of no kind",
      lines: gcp(`bindings: [${viewer("buckets/a-b", "storage.viewer")}]`),
      at: /\[0\]\.role: .* is not a role such/,
    },
    {
      name: "a resource of another kind",
      lines: gcp(`bindings: [${viewer("topics/news")}]`),
      at: /\[0\]\.resource: .* write projects\/ID/,
    },
    ...["..", ".", "-", "a..b", "a.b", "x:y:z", "..:x", ":x"].map((project) => ({
      name: `a project called ${project}, and where`,
      lines: gcp(`bindings: [${viewer(`projects/${project}`)}]`),
      at: /:\d+:\d+: .*\[0\]\.resource: .* write projects\/ID/,
    })),
    { name: "no bindings", lines: gcp("bindings: []"), at: /bindings: is an empty list/ },
    {
      name: "an entitlement's name",
      lines: gcp("entitlement: deploy"),
      at: /entitlement: "deploy" is not an entitlement/,
    },
    {
      name: "a user as granter",
      lines: gcp("granter: { service_account: me@example.org }"),
      at: /is not a service account's e-mail/,
    },
    { name: "a ready without permissions", lines: gcp("ready: {}"), at: /ready\.permissions: is missing/ },
    {
      name: "a role for a permission",
      lines: gcp("ready: { permissions: [roles/x] }"),
      at: /permissions\[0\]: "roles\/x" is not a permission/,
    },
    {
      name: "a wait of an hour",
      lines: gcp("ready: { permissions: [a.b.c], timeout: 1h }"),
      at: /timeout: is longer than 30m/,
    },
    {
      name: "a scope that leads elsewhere",
      lines: azure(`assignments: [${reader(`${SCOPE}/../x`)}]`),
      at: /scope: .* is not a resource id/,
    },
    {
      name: "a scope that is all",
      lines: azure(`assignments: [${reader("/")}]`),
      at: /scope: "\/" is not a resource id/,
    },
    { name: "no pool", lines: azure("client_ids: []"), at: /client_ids: is an empty list/ },
    { name: "no application", lines: azure(), at: /client_id: is missing/ },
    {
      name: "a wildcard to wait for",
      lines: azure('ready: { permissions: ["*/read"] }'),
      at: /permissions\[0\]: .* is not a permission/,
    },
  ])("is told of $name", ({ lines, at }) => {
    expect(failureOf(() => load(lines))).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(at),
    });
  });
});

describe("revoke: required", () => {
  it.each([
    { name: "bindings", lines: gcp(...gcpGives("buckets/site")) },
    { name: "an entitlement", lines: gcp("entitlement: projects/my-project/locations/global/entitlements/deploy") },
    { name: "assignments", lines: azure(...azureGives) },
  ])("stands beside $name", ({ lines }) => {
    expect(load(lines, ["revoke: required"]).revoke).toBe("required");
  });
});

describe("what lint says of it", () => {
  const entitlement = "entitlement: projects/my-project/locations/global/entitlements/deploy";
  const rule =
    "{ available_resource: //storage.googleapis.com/projects/_/buckets/site, available_permissions: [inRole:roles/storage.objectViewer] }";
  const gcpReady = "ready: { permissions: [storage.objects.get] }";
  const azureReady = "ready: { permissions: [Microsoft.Storage/storageAccounts/read], timeout: 10m }";
  it.each([
    { name: "nothing of what is waited for", lines: gcp(...gcpGives("buckets/site"), gcpReady), want: [] },
    { name: "nothing of what is assigned and waited for", lines: azure(...azureGives, azureReady), want: [] },
    {
      name: "that nothing waits",
      lines: gcp(...gcpGives("buckets/site")),
      want: [/^8:17: .*gcp\.bindings: nothing waits/],
    },
    {
      name: "that nothing waits for an entitlement",
      lines: gcp(entitlement),
      want: [/^7:20: .*gcp\.entitlement: can be asked for again/, /^7:20: .*gcp\.entitlement: nothing waits/],
    },
    {
      name: "nothing of an entitlement that the child's token is not good for",
      lines: gcp(entitlement, gcpReady, "scopes: [https://www.googleapis.com/auth/compute]"),
      want: [],
    },
    {
      name: "nothing of an entitlement where an access boundary holds the child's token",
      lines: gcp(entitlement, gcpReady, `access_boundary: [${rule}]`),
      want: [],
    },
    {
      name: "that nothing waits for Azure",
      lines: azure(`client_ids: [${CLIENT}, ${OTHER}]`, ...azureGives.slice(1)),
      want: [/^8:20: .*azure\.assignments: nothing waits/],
    },
    {
      name: "that an assignment may stay",
      lines: azure(...azureGives, azureReady, "allow_unbounded: true"),
      want: [/azure\.allow_unbounded: where the tenant has no licence/],
    },
    {
      name: "that the child could be the granter",
      lines: gcp(...gcpGives("buckets/site"), gcpReady).filter((line) => !line.includes("service_account: deploy")),
      want: [/^6:16: .*gcp\.granter: is in the child's hands/],
    },
    { name: "that a granter gives nothing", lines: gcp(gcpGranter), want: [/gcp\.granter: has no effect/] },
    {
      name: "that nothing is assigned",
      lines: azure(`client_ids: [${CLIENT}, ${OTHER}]`, azureGranter, "allow_unbounded: true"),
      want: [
        /azure\.client_ids: has no effect/,
        /azure\.granter: has no effect/,
        /azure\.allow_unbounded: has no effect/,
      ],
    },
  ])("$name", async ({ lines, want }) => {
    project = createProject({ "agentctl.yaml": file(lines) });
    const { findings } = await lintConfig({}, project.runtime);
    const told = findings.map(({ line, column, path, message }) => `${line}:${column}: ${path}: ${message}`);
    expect(told.sort()).toEqual(want.map((pattern) => expect.stringMatching(pattern)));
    for (const finding of findings) expect(finding).toMatchObject({ severity: "warning", hint: expect.any(String) });
  });

  it.each([
    { name: "one application for a minute", key: client, timeout: ", timeout: 1m", want: /waits for 1m, and may not/ },
    { name: "one application by default", key: client, timeout: "", want: /waits for 5m, and may not/ },
    { name: "one application for longer", key: client, timeout: ", timeout: 6m", want: undefined },
    { name: "a pool", key: `client_ids: [${CLIENT}, ${OTHER}]`, timeout: ", timeout: 1m", want: undefined },
  ])("in a note, that a second lease waits for less than the first holds: $name", async ({ key, timeout, want }) => {
    const waits = `ready: { permissions: [Microsoft.Storage/storageAccounts/read]${timeout} }`;
    project = createProject({ "agentctl.yaml": file(azure(key, ...azureGives.slice(1), waits)) });
    const { findings } = await lintConfig({}, project.runtime);
    const note = {
      severity: "info",
      path: "profiles.p.azure.assignments",
      line: 8,
      message: expect.stringMatching(want ?? ""),
      hint: expect.stringMatching(/client_ids.*ready\.timeout/),
    };
    expect(findings).toEqual(want === undefined ? [] : [expect.objectContaining(note)]);
  });
});

describe("roles that outlast the lease", () => {
  const ofProject = [
    "roles/resourcemanager.projectIamAdmin",
    "roles/resourcemanager.folderAdmin",
    "roles/resourcemanager.folderIamAdmin",
    "roles/resourcemanager.organizationAdmin",
    "roles/iam.securityAdmin",
    "roles/iam.serviceAccountAdmin",
    "roles/iam.serviceAccountKeyAdmin",
    "roles/iam.workloadIdentityPoolAdmin",
    "roles/iam.roleAdmin",
    "roles/iam.organizationRoleAdmin",
    "roles/privilegedaccessmanager.admin",
    "roles/storage.admin",
  ];
  const ofAccounts = [
    "roles/iam.serviceAccountTokenCreator",
    "roles/iam.serviceAccountOpenIdTokenCreator",
    "roles/iam.serviceAccountUser",
    "roles/iam.workloadIdentityUser",
  ];
  const granters = `serviceAccounts/${GRANTER}`;
  const web = "serviceAccounts/web@my-project.iam.gserviceaccount.com";
  const google = (resource: string, role: string, isTold: boolean) => ({ role, place: resource, isTold });
  const gcpCases = [
    ...[...ofProject, ...ofAccounts].map((role) => google("projects/my-project", role, true)),
    ...ofAccounts.map((role) => google(granters, role, true)),
    ...ofAccounts.map((role) => google(web, role, false)),
    google(web, "roles/iam.serviceAccountKeyAdmin", true),
    google("organizations/123", "roles/iam.serviceAccountTokenCreator", true),
    google("buckets/site", "roles/storage.legacyBucketOwner", true),
    google("buckets/site", "roles/storage.objectAdmin", false),
    google("projects/my-project", "roles/iam.securityReviewer", false),
    google("projects/my-project", "projects/my-project/roles/securityAdmin", false),
  ].map((each) => ({
    ...each,
    key: "gcp.bindings[1].role",
    lines: gcp(
      gcpGranter,
      `bindings: [${viewer("buckets/other")}, ${viewer(each.place, each.role)}]`,
      "ready: { permissions: [storage.objects.get], at: buckets/other }",
    ),
  }));
  const definitions = "/providers/Microsoft.Authorization/roleDefinitions";
  const azureCases = [
    { role: "Owner", isTold: true },
    { role: "owner", isTold: true },
    { role: "User Access Administrator", isTold: true },
    { role: "ROLE BASED ACCESS CONTROL ADMINISTRATOR", isTold: true },
    { role: "8E3AF657-A8FF-443C-A75C-2FE8C4BCB635", isTold: true },
    { role: "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", isTold: true },
    { role: `${definitions}/f58310d9-a9f6-439a-9e8d-f62e7b41a168`, isTold: true },
    { role: "Contributor", isTold: false },
    { role: "Storage Blob Data Owner", isTold: false },
  ].map((each) => ({
    ...each,
    place: "a group",
    key: "azure.assignments[0].role",
    lines: azure(
      client,
      azureGranter,
      `assignments: [${reader(SCOPE, each.role)}]`,
      "ready: { permissions: [Microsoft.Storage/storageAccounts/read] }",
    ),
  }));

  it.each([...gcpCases, ...azureCases])("$role on $place: $isTold", async ({ lines, key, isTold }) => {
    project = createProject({ "agentctl.yaml": file(lines) });
    const { findings } = await lintConfig({}, project.runtime);
    const told = {
      severity: "error",
      path: `profiles.p.${key}`,
      message: expect.stringMatching(/^lets the command .*\bstays?\b/),
      hint: expect.stringMatching(/narrower role/),
    };
    const errors = findings.filter(({ severity }) => severity === "error");
    expect(errors).toEqual(isTold ? [expect.objectContaining(told)] : []);
  });

  it.each([
    { cloud: "Azure", lines: azure(client, azureGranter, `assignments: [${reader(SCOPE, "Owner")}]`) },
    { cloud: "Google", lines: gcp(gcpGranter, `bindings: [${viewer("buckets/site", "roles/storage.admin")}]`) },
  ])("keep the profile from being used: $cloud", ({ lines }) => {
    expect(failureOf(() => load(lines))).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(/^agentctl\.yaml:8:\d+: .*\[0\]\.role: lets the command .*rights that stay$/),
    });
  });
});
