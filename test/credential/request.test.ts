import { describe, expect, test } from "vitest";
import { AgentctlError } from "../../src/core/errors.js";
import type { AzureSettings, GcpSettings, Profile } from "../../src/core/profile.js";
import { explainNesting, findSurroundingLease } from "../../src/core/surrounding-lease.js";
import { assertHandOut, commandOf, narrowProfile, resolveSelf } from "../../src/credential/index.js";
import { thrownBy } from "../thrown.js";
import { LEASE, LEASE_VARIABLES } from "./lease-environment.js";

const azure: AzureSettings = {
  tenantId: "t",
  clientId: "c",
  otherClientIds: [],
  assignments: [],
  allowUnbounded: false,
  scopes: ["one/.default", "two/.default"],
  audiences: ["a"],
};
const gcp: GcpSettings = {
  workloadIdentityProvider: "projects/1/locations/global/workloadIdentityPools/pool/providers/github",
  scopes: ["https://www.googleapis.com/auth/cloud-platform"],
  accessBoundary: [],
  bindings: [],
  metadata: false,
};
const ACCOUNT = "deploy@my-project.iam.gserviceaccount.com";
const rule = { availableResource: "b", availablePermissions: ["inRole:r"] };

function profileOf(changes: Partial<Profile>): Profile {
  return {
    name: "deploy",
    file: "/project/agentctl.yaml",
    ttlSeconds: 7200,
    credentialTtlSeconds: 900,
    peerCheck: "auto",
    onExpiry: "warn",
    graceSeconds: 30,
    revoke: "auto",
    deliver: "auto",
    identitySource: "auto",
    clouds: { azure, gcp },
    env: { pass: [], set: {} },
    auditArgv: "first",
    auditSinks: [],
    ...changes,
  };
}

describe("the profile of one credential", () => {
  test.each([
    {
      name: "one cloud, for an hour",
      request: { cloud: "gcp" },
      changes: {},
      want: { ttlSeconds: 3600, clouds: { gcp } },
    },
    {
      name: "a shorter ttl as it is",
      request: { cloud: "gcp" },
      changes: { ttlSeconds: 60 },
      want: { ttlSeconds: 60 },
    },
    {
      name: "Azure's first scope",
      request: { cloud: "azure" },
      changes: {},
      want: { clouds: { azure: { ...azure, scopes: ["one/.default"] } } },
    },
    {
      name: "the scope that is named",
      request: { cloud: "azure", scope: "two/.default" },
      changes: {},
      want: { clouds: { azure: { ...azure, scopes: ["two/.default"] } } },
    },
  ] as const)("has $name, and in the environment", ({ request, changes, want }) => {
    const narrowed = narrowProfile(profileOf(changes), request);
    expect(narrowed).toMatchObject({ deliver: "env", ...want });
    expect(Object.keys(narrowed.clouds)).toEqual([request.cloud]);
  });

  test.each([
    { name: "a cloud that it has not", request: { cloud: "aws" }, want: "CONFIG_INVALID", hint: /azure, gcp/ },
    {
      name: "a scope that it has not",
      request: { cloud: "azure", scope: "three/.default" },
      want: "USAGE",
      hint: /one\/\.default, two\/\.default/,
    },
  ] as const)("is refused for $name", async ({ request, want, hint }) => {
    const error = await thrownBy(() => narrowProfile(profileOf({}), request));
    expect(error).toMatchObject({ code: want, hint: expect.stringMatching(hint) });
  });
});

describe("a profile whose rights are given for the time of a lease", () => {
  const assignments = [{ role: "Reader", scope: "/subscriptions/s" }];
  const bindings = [{ role: "roles/viewer", resource: "//cloudresourcemanager.googleapis.com/projects/p" }];
  const entitlement = "projects/p/locations/global/entitlements/e";

  test.each([
    { name: "assignments", cloud: "azure", clouds: { azure: { ...azure, assignments } } },
    { name: "bindings", cloud: "gcp", clouds: { gcp: { ...gcp, bindings } } },
    { name: "an entitlement", cloud: "gcp", clouds: { gcp: { ...gcp, entitlement } } },
  ] as const)("hands out no credential: with $name", async ({ cloud, clouds }) => {
    const error = await thrownBy(() => narrowProfile(profileOf({ clouds }), { cloud }));
    expect(error).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(/^profile deploy gives rights for the time of a lease/),
      hint: expect.stringContaining("agentctl run -p deploy"),
    });
  });

  test("hands out what it gives no rights for", () => {
    const clouds = { azure: { ...azure, assignments }, gcp };
    expect(narrowProfile(profileOf({ clouds }), { cloud: "gcp" }).clouds).toEqual({ gcp });
  });
});

describe("an ID token for a tool that trades it", () => {
  const AUDIENCE = { GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: `//iam.googleapis.com/${gcp.workloadIdentityProvider}` };
  const account = { ...gcp, serviceAccount: ACCOUNT };

  test.each([
    { name: "nobody of Google's asks", settings: account, env: {} },
    { name: "the tool is for the provider", settings: gcp, env: AUDIENCE },
    { name: "the tool does not say what it becomes", settings: account, env: AUDIENCE },
    {
      name: "the tool is for the provider and the service account",
      settings: account,
      env: { ...AUDIENCE, GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL: ACCOUNT },
    },
  ])("is handed out where $name", ({ settings, env }) => {
    expect(() => assertHandOut(profileOf({ clouds: { gcp: settings } }), env)).not.toThrow();
  });

  test.each([
    { name: "there is a boundary", settings: { ...gcp, accessBoundary: [rule] }, env: {}, says: /access boundary/ },
    {
      name: "the tool is for another provider",
      settings: gcp,
      env: { GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: "//iam.googleapis.com/other" },
      says: /asks for the provider \/\/iam\.googleapis\.com\/other, /,
    },
    {
      name: "the tool becomes another service account",
      settings: account,
      env: { ...AUDIENCE, GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL: `x-${ACCOUNT}` },
      says: /asks for the service account x-/,
    },
    {
      name: "the tool becomes one",
      settings: gcp,
      env: { ...AUDIENCE, GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL: ACCOUNT },
      says: /and that of profile deploy is none$/,
    },
  ])("is refused where $name", async ({ settings, env, says }) => {
    const error = await thrownBy(() => assertHandOut(profileOf({ clouds: { gcp: settings } }), env));
    expect(error).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringMatching(says) });
  });
});

describe("the command on record", () => {
  test.each([
    { request: { cloud: "aws", format: "process" }, want: ["agentctl", "credential", "aws"] },
    { request: { cloud: "azure", format: "az" }, want: ["agentctl", "credential", "azure"] },
    { request: { cloud: "gcp", format: "token" }, want: ["agentctl", "credential", "gcp", "--format", "token"] },
    {
      request: { cloud: "gcp", format: "executable" },
      want: ["agentctl", "credential", "gcp", "--format", "executable"],
    },
  ] as const)("says what is handed out: $want", ({ request, want }) => {
    expect(commandOf(request)).toEqual(want);
  });

  const argv = commandOf({ cloud: "aws", format: "process" });
  test("is agentctl as the PATH has it", () => {
    const command = resolveSelf(argv, { name: "p", commands: ["agentctl *"] }, (name) => `/bin/${name}`);
    expect(command).toEqual({ argv, path: "/bin/agentctl" });
  });

  test("need not be on the PATH where every command is permitted, and has to where some are", async () => {
    expect(resolveSelf(argv, { name: "p" }, () => undefined)).toEqual({ argv, path: "agentctl" });
    const error = await thrownBy(() => resolveSelf(argv, { name: "p", commands: ["*"] }, () => undefined));
    expect(error).toMatchObject({ code: "COMMAND_DENIED", hint: expect.stringContaining('"agentctl credential *"') });
  });
});

describe("the surrounding lease", () => {
  test.each([
    { name: "no profile is named", wanted: undefined, env: LEASE_VARIABLES, want: LEASE },
    { name: "its own is named", wanted: "deploy", env: LEASE_VARIABLES, want: LEASE },
    { name: "another is named", wanted: "other", env: LEASE_VARIABLES, want: undefined },
    { name: "there is none", wanted: undefined, env: {}, want: undefined },
    {
      name: "its end is missing",
      wanted: "deploy",
      env: { ...LEASE_VARIABLES, AGENTCTL_EXPIRES_AT: "" },
      want: undefined,
    },
  ])("when $name", ({ wanted, env, want }) => {
    expect(findSurroundingLease(wanted, env)).toEqual(want);
  });

  test("is why the identity is missing inside it", () => {
    const error = new AgentctlError("NO_IDENTITY", "none", { hint: "set a token" });
    const other = new AgentctlError("CLOUD_DENIED", "no", { hint: "look" });
    const wayOut = (name: string) => `not ${name}`;
    expect(explainNesting(error, LEASE_VARIABLES, wayOut).hint).toMatch(
      /in the lease of profile deploy.*: not deploy$/,
    );
    expect(explainNesting(error, {}, wayOut).hint).toBe("set a token");
    expect(explainNesting(other, LEASE_VARIABLES, wayOut)).toBe(other);
  });
});
