import { describe, expect, it } from "vitest";
import { composeEnvironment, type DeliveryInput } from "../../src/deliver/compose-environment.js";
import { planTombstones } from "../../src/deliver/tombstones.js";

const PRIVATE_DIR = "/state/run/l-0000000000000001";
const TOMBSTONES = planTombstones(PRIVATE_DIR).variables;

function compose(
  parent: Readonly<Record<string, string>>,
  granted: Readonly<Record<string, string>> = {},
  changes: Partial<DeliveryInput> = {},
) {
  const input: DeliveryInput = {
    profile: { name: "deploy", peerCheck: "auto", env: { pass: [], set: {} } },
    terms: { leaseId: "l-0000000000000001", deadlineAt: Date.parse("2026-11-22T06:00:00Z") },
    plans: [],
    actorKind: "automation",
    passEnv: [],
    alsoRemove: [],
    privateDir: PRIVATE_DIR,
    ...changes,
  };
  return composeEnvironment(input, granted, parent);
}

describe("what wins where several give the same variable", () => {
  const NAME = "IDENTITY_ENDPOINT";
  const profile = { name: "deploy", peerCheck: "auto", env: { pass: [], set: { [NAME]: "set" } } } as const;
  it.each([
    { name: "the tombstone over the caller's own", granted: {}, changes: {}, want: TOMBSTONES[NAME] },
    { name: "the tombstone over the profile's set", granted: {}, changes: { profile }, want: TOMBSTONES[NAME] },
    { name: "what is passed over the tombstone", granted: {}, changes: { passEnv: [NAME] }, want: "parent" },
    {
      name: "the grant over all of them",
      granted: { [NAME]: "granted" },
      changes: { profile, passEnv: [NAME] },
      want: "granted",
    },
  ])("$name", ({ granted, changes, want }) => {
    expect(compose({ [NAME]: "parent" }, granted, changes).env[NAME]).toBe(want);
  });

  it("the lease's own names over a grant's", () => {
    const { env } = compose({}, { AGENTCTL_PROFILE: "another" });
    expect(env["AGENTCTL_PROFILE"]).toBe("deploy");
  });
});

describe("the extensions of az", () => {
  const BY_ENDPOINT = { IDENTITY_ENDPOINT: "http://127.0.0.1:4711/secret/azure/identity/token" };
  it.each([
    { name: "in the home directory", parent: { HOME: "/home/me" }, want: "/home/me/.azure/cliextensions" },
    {
      name: "beside the caller's own configuration",
      parent: { HOME: "/home/me", AZURE_CONFIG_DIR: "/etc/az" },
      want: "/etc/az/cliextensions",
    },
    {
      name: "where the caller says that they are",
      parent: { HOME: "/home/me", AZURE_CONFIG_DIR: "/etc/az", AZURE_EXTENSION_DIR: "/opt/ext" },
      want: "/opt/ext",
    },
    { name: "nowhere, for who has no home", parent: {}, want: undefined },
  ])("are found $name, when az is signed in by the endpoint", ({ parent, want }) => {
    const { env, given } = compose(parent, BY_ENDPOINT);
    expect(env["AZURE_EXTENSION_DIR"]).toBe(want);
    expect(given.includes("AZURE_EXTENSION_DIR")).toBe(want !== undefined);
    expect(env["AZURE_CONFIG_DIR"]).toBe(TOMBSTONES["AZURE_CONFIG_DIR"]);
  });

  it("are not looked for where az is not signed in", () => {
    expect(compose({ HOME: "/home/me" }).env).not.toHaveProperty("AZURE_EXTENSION_DIR");
  });
});

describe("what is told of it", () => {
  it("a variable that is taken out and given anew is not lost", () => {
    const { removed, given } = compose({ AWS_PROFILE: "dev", AWS_REGION: "us-east-1", AZURE_CLIENT_SECRET: "s" });
    expect(removed).toEqual(["AWS_PROFILE", "AZURE_CLIENT_SECRET"]);
    expect(given).toEqual([...given].sort());
  });

  it("strict is the rule for an agent, unless the profile says otherwise", () => {
    const parent = { PATH: "/bin", MY_SETTING: "1" };
    const agent = { actorKind: "agent" } as const;
    const mode = (kind: "cloud" | "strict") =>
      ({ profile: { name: "deploy", peerCheck: "auto", env: { mode: kind, pass: [], set: {} } } }) as const;
    expect(compose(parent, {}, agent).env).not.toHaveProperty("MY_SETTING");
    expect(compose(parent, {}, { ...agent, ...mode("cloud") }).env).toHaveProperty("MY_SETTING");
    expect(compose(parent, {}, mode("strict")).env).not.toHaveProperty("MY_SETTING");
    expect(compose(parent).env).toHaveProperty("MY_SETTING");
  });
});
