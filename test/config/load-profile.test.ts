import { afterEach, describe, expect, it } from "vitest";
import { listProfiles, loadProfile } from "../../src/config/index.js";
import type { Runtime } from "../../src/core/runtime.js";
import { createProject, failureOf, type Project, ROLE, USER_CONFIG } from "./project.js";

let project: Project;
afterEach(() => project.remove());

const load = (files: Readonly<Record<string, string>>, profileName = "p") => {
  project = createProject(files);
  return loadProfile({ profileName }, project.runtime);
};

const AWS = `aws: { role_arn: ${ROLE} }`;
const ONE = `version: 1\nprofiles:\n  p: { ${AWS} }\n`;

describe("loadProfile", () => {
  it("fills in every default", () => {
    expect(load({ "agentctl.yaml": ONE })).toEqual({
      name: "p",
      file: `${project.dir}/agentctl.yaml`,
      ttlSeconds: 3600,
      credentialTtlSeconds: 900,
      onExpiry: "warn",
      graceSeconds: 30,
      revoke: "auto",
      deliver: "auto",
      peerCheck: "auto",
      identitySource: "auto",
      clouds: {
        aws: {
          roleArn: ROLE,
          policyArns: [],
          chain: [],
          allowDerivedSessions: false,
          fenceForwarded: false,
          audiences: ["sts.amazonaws.com"],
          acceptEscalation: false,
        },
      },
      env: { pass: [], set: {} },
      auditArgv: "first",
      auditSinks: [],
    });
  });

  it("reads every key", () => {
    const text = `version: 1
identity: { source: env }
audit: { argv: full }
profiles:
  p:
    description: Sync the site
    ttl: 1h30m
    credential_ttl: 2h
    on_expiry: stop
    grace: 5s
    revoke: required
    deliver: env
    peer_check: require
    actors: [human, agent]
    commands: ["aws s3 *"]
    identity: { source: token-file }
    env: { mode: strict, pass: [NPM_TOKEN], set: { TF_IN_AUTOMATION: "1", AWS_PAGER: "" } }
    aws:
      role_arn: ${ROLE}
      region: eu-central-1
      session_policy: { Version: "2012-10-17", Statement: [] }
      policy_arns: [arn:aws:iam::aws:policy/ReadOnlyAccess]
      chain: [{ role_arn: ${ROLE}2, external_id: e-1 }, { role_arn: ${ROLE}3 }]
      allow_derived_sessions: [${ROLE}4]
      fence_forwarded: true
      audience: https://aws.example.org
      revoker: { role_arn: "${ROLE}-revoker" }
      accept_escalation: true
`;
    expect(load({ "agentctl.yaml": text })).toEqual({
      name: "p",
      file: `${project.dir}/agentctl.yaml`,
      description: "Sync the site",
      ttlSeconds: 5400,
      credentialTtlSeconds: 7200,
      onExpiry: "stop",
      graceSeconds: 5,
      revoke: "required",
      deliver: "env",
      peerCheck: "require",
      actors: ["human", "agent"],
      commands: ["aws s3 *"],
      identitySource: "token-file",
      clouds: {
        aws: {
          roleArn: ROLE,
          region: "eu-central-1",
          sessionPolicy: { document: { Version: "2012-10-17", Statement: [] }, origin: "inline" },
          policyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
          chain: [{ roleArn: `${ROLE}2`, externalId: "e-1" }, { roleArn: `${ROLE}3` }],
          allowDerivedSessions: [`${ROLE}4`],
          fenceForwarded: true,
          audiences: ["https://aws.example.org"],
          revoker: { roleArn: `${ROLE}-revoker` },
          acceptEscalation: true,
        },
      },
      env: { mode: "strict", pass: ["NPM_TOKEN"], set: { TF_IN_AUTOMATION: "1", AWS_PAGER: "" } },
      auditArgv: "full",
      auditSinks: [],
    });
  });

  it("reads a file with a byte order mark, anchors and Windows line ends", () => {
    const text = `\uFEFFversion: 1\r\nprofiles:\r\n  p:\r\n    aws: &a { role_arn: ${ROLE} }\r\n  q:\r\n    aws: *a\r\n`;
    expect(load({ "agentctl.yaml": text }, "q").clouds.aws?.roleArn).toBe(ROLE);
  });
});

describe("the choice of a profile", () => {
  const many = `version: 1\nprofiles:\n${Array.from({ length: 15 }, (_, i) => `  deploy-${i}: { ${AWS} }\n`).join("")}`;

  it("is never made for the caller, not even among one", () => {
    project = createProject({ "agentctl.yaml": ONE });
    expect(failureOf(() => loadProfile({}, project.runtime))).toEqual({
      code: "USAGE",
      message: "no profile was named",
      hint: "name one with -p NAME: p",
    });
  });

  it.each(["demo", "demo-jit"])("that is one of the sandbox's says where these are: %s", (profileName) => {
    project = createProject({ "agentctl.yaml": many });
    const env = { AGENTCTL_SANDBOX_CONTROL_URL: "http://127.0.0.1:1/" };
    const hintIn = (runtime: Runtime) => failureOf(() => loadProfile({ profileName }, runtime)).hint;
    expect(hintIn({ ...project.runtime, env })).toMatch(/^the sandbox brings its own demo profiles only .*profiles: /);
    expect(hintIn(project.runtime)).toMatch(/^profiles: /);
  });

  it.each([
    ["the nearest name and the others", "deploy_3", /^did you mean deploy-3\? profiles: deploy-0, .* and 3 more/],
    ["the names alone where none is near", "xyz", /^profiles: deploy-0, deploy-1/],
    ["them for a name that every object has", "constructor", /^profiles: deploy-0/],
  ] as const)("that is unknown offers %s", (_name, profileName, hint) => {
    project = createProject({ "agentctl.yaml": many });
    const failure = failureOf(() => loadProfile({ profileName }, project.runtime));
    expect(failure).toMatchObject({
      code: "PROFILE_UNKNOWN",
      message: `there is no profile "${profileName}" in agentctl.yaml`,
      hint: expect.stringMatching(hint),
    });
  });

  it.each([
    {
      name: "a variable, which is named",
      env: { AGENTCTL_CONFIG: "other.yaml" },
      where: "other.yaml (from AGENTCTL_CONFIG)",
    },
    { name: "a search", env: {}, where: "agentctl.yaml" },
  ])("that is unknown in a file by $name", ({ env, where }) => {
    project = createProject({ "agentctl.yaml": ONE, "other.yaml": ONE, [USER_CONFIG]: "version: 1\n" });
    const runtime = project.at(".", { env: { ...project.runtime.env, ...env } });
    const message = failureOf(() => loadProfile({ profileName: "no" }, runtime)).message;
    expect(message).toMatch(/ or \/.*config\.yaml$/);
    expect(message.split(" or ")[0]).toBe(`there is no profile "no" in ${where}`);
  });

  it("says that there is no file at all", () => {
    project = createProject();
    const failure = failureOf(() => loadProfile({ profileName: "p" }, project.runtime));
    expect(failure).toMatchObject({ code: "CONFIG_NOT_FOUND", hint: expect.stringContaining("--config") });
  });
});

describe("listProfiles", () => {
  it("lists the project's and the user's, and which are there to be extended", () => {
    project = createProject({
      "agentctl.yaml": `version: 1\nprofiles:\n  base: { ttl: 5m }\n  p: { extends: base, description: Deploy, ${AWS} }\n  q: { extends: p }\n`,
      [USER_CONFIG]: `version: 1\nprofiles:\n  mine: { ${AWS} }\n`,
    });
    const listed = listProfiles({}, project.runtime).map(({ name, description, clouds }) => [
      name,
      description,
      clouds,
    ]);
    expect(listed).toEqual([
      ["base", undefined, []],
      ["p", "Deploy", ["aws"]],
      ["q", undefined, ["aws"]],
      ["mine", undefined, ["aws"]],
    ]);
  });
});
