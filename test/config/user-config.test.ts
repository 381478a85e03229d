import * as fs from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { loadProfile } from "../../src/config/index.js";
import { createProject, failureOf, type Project, ROLE, USER_CONFIG } from "./project.js";

let project: Project;
afterEach(() => project.remove());

const AWS = `aws: { role_arn: ${ROLE} }`;

const load = (own: string, file = `version: 1\nprofiles:\n  p: { ${AWS} }\n`, profileName = "p") => {
  project = createProject({ "agentctl.yaml": file, [USER_CONFIG]: `version: 1\n${own}` });
  return loadProfile({ profileName }, project.runtime);
};

describe("the user's own settings", () => {
  it("are found below XDG_CONFIG_HOME as well", () => {
    project = createProject({ "xdg/agentctl/config.yaml": `version: 1\nprofiles:\n  mine: { ${AWS} }\n` });
    const runtime = project.at(".", { env: { XDG_CONFIG_HOME: path.join(project.dir, "xdg") } });
    expect(loadProfile({ profileName: "mine" }, runtime).name).toBe("mine");
  });

  it("may set and keep for the child what a project's file may not", () => {
    const { env } = load("env: { pass: [AWS_PROFILE], set: { PATH: /opt/bin, HTTPS_PROXY: http://proxy } }\n");
    expect(env).toEqual({ pass: ["AWS_PROFILE"], set: { PATH: "/opt/bin", HTTPS_PROXY: "http://proxy" } });
  });

  it("may do so in a profile of the user's own", () => {
    const { env } = load(`profiles:\n  mine: { env: { set: { PATH: /opt/bin } }, ${AWS} }\n`, undefined, "mine");
    expect(env.set).toEqual({ PATH: "/opt/bin" });
  });

  it.each([
    {
      name: "stand behind the project's defaults and identity",
      own: "identity: { source: token-file }\ndefaults: { ttl: 5m, grace: 5s }\n",
      file: "identity: { source: env }\ndefaults: { ttl: 7m }\n",
      want: { identitySource: "env", ttlSeconds: 420, graceSeconds: 5 },
    },
    {
      name: "hold where the project says nothing",
      own: "identity: { source: token-file }\ndefaults: { deliver: env }\naudit: { sinks: [syslog, stderr] }\n",
      file: "",
      want: { identitySource: "token-file", deliver: "env", auditSinks: ["syslog", "stderr"] },
    },
    {
      name: "say what the audit log keeps, whatever the project says",
      own: "audit: { argv: first }\n",
      file: "audit: { argv: full }\n",
      want: { auditArgv: "first" },
    },
    {
      name: "may turn the check of the endpoint's callers off",
      own: "defaults: { peer_check: off }\n",
      file: "",
      want: { peerCheck: "off" },
    },
    {
      name: "give way to a project that is stricter with them",
      own: "defaults: { peer_check: off }\n",
      file: "defaults: { peer_check: require }\n",
      want: { peerCheck: "require" },
    },
    {
      name: "are not made laxer with them by the project's defaults",
      own: "defaults: { peer_check: require }\n",
      file: "defaults: { peer_check: auto }\n",
      want: { peerCheck: "require" },
    },
    {
      name: "are not made laxer with them by a project's profile",
      own: "defaults: { peer_check: require }\n",
      file: "",
      profile: "peer_check: auto, ",
      want: { peerCheck: "require" },
    },
    {
      name: "give way to a profile's own variables, and add to those it keeps",
      own: "env: { pass: [A, B], set: { X: own, Y: own } }\n",
      file: "",
      profile: "env: { pass: [B, C], set: { Y: profile } }, ",
      want: { env: { pass: ["B", "C", "A"], set: { X: "own", Y: "profile" } } },
    },
  ])("$name", ({ own, file, profile = "", want }) => {
    expect(load(own, `version: 1\n${file}profiles:\n  p: { ${profile}${AWS} }\n`)).toMatchObject(want);
  });

  it("give way to a profile of the user's own, and stand before the project's defaults there", () => {
    const own = `defaults: { peer_check: require }\nprofiles:\n  mine: { peer_check: off, ${AWS} }\n  other: { ${AWS} }\n`;
    const file = "version: 1\ndefaults: { peer_check: auto }\nprofiles: {}\n";
    expect(load(own, file, "mine").peerCheck).toBe("off");
    const other = loadProfile({ profileName: "other" }, project.runtime);
    expect(other.peerCheck).toBe("require");
  });

  it("serve alone when there is no project", () => {
    project = createProject({ [USER_CONFIG]: `version: 1\nprofiles:\n  mine: { ${AWS} }\n` });
    expect(loadProfile({ profileName: "mine" }, project.runtime).name).toBe("mine");
    const failure = failureOf(() => loadProfile({ profileName: "min" }, project.runtime));
    expect(failure).toMatchObject({ code: "PROFILE_UNKNOWN", hint: expect.stringContaining("did you mean mine?") });
  });

  it("keep their trust when they are named with --config, and only they", () => {
    const own = `version: 1\nprofiles:\n  mine: { env: { set: { PATH: /x } }, ${AWS} }\n`;
    project = createProject({ [USER_CONFIG]: own, "copy.yaml": own });
    const file = path.join(project.dir, USER_CONFIG);
    expect(loadProfile({ configPath: file, profileName: "mine" }, project.runtime).env.set).toEqual({ PATH: "/x" });
    fs.rmSync(file);
    const failure = failureOf(() => loadProfile({ configPath: "copy.yaml", profileName: "mine" }, project.runtime));
    expect(failure.code).toBe("CONFIG_FORBIDDEN");
  });

  it("refuse a profile of a name that the project has too", () => {
    const failure = failureOf(() => load(`profiles:\n  p: { ${AWS} }\n`));
    expect(failure).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringMatching(/^agentctl\.yaml:3:3: /) });
  });

  it("cannot extend a project's profile, nor the other way", () => {
    const failure = failureOf(() => load(`profiles:\n  mine: { extends: p }\n`, undefined, "mine"));
    expect(failure.message).toMatch(/config\.yaml:3:20: profiles\.mine\.extends: there is no profile "p" in this file/);
  });

  it("are checked like a project's", () => {
    expect(failureOf(() => load("audit: { sink: [syslog] }\n")).message).toMatch(
      /config\.yaml:2:10: audit\.sink: unknown key; did you mean "sinks"/,
    );
  });
});

describe("a user's file that others could have written", () => {
  it("is refused when everyone may write it", () => {
    project = createProject({ [USER_CONFIG]: "version: 1\n" });
    fs.chmodSync(path.join(project.dir, USER_CONFIG), 0o666);
    expect(failureOf(() => loadProfile({ profileName: "p" }, project.runtime))).toMatchObject({
      code: "CONFIG_FORBIDDEN",
      hint: expect.stringMatching(/^chmod o-w /),
    });
  });

  it("is refused when it is another user's", () => {
    project = createProject({ [USER_CONFIG]: "version: 1\n" });
    const file = path.join(project.dir, USER_CONFIG);
    const statSync = (target: string) => Object.assign(fs.statSync(target), target === file && { uid: 4242 });
    const runtime = project.at(".", { uid: 1000, fs: { ...fs, statSync } as typeof fs });
    expect(failureOf(() => loadProfile({ profileName: "p" }, runtime)).code).toBe("CONFIG_FORBIDDEN");
  });
});
