import { afterEach, describe, expect, it } from "vitest";
import { loadProfile } from "../../src/config/index.js";
import { createProject, failureOf, type Project, ROLE } from "./project.js";

let project: Project;
afterEach(() => project.remove());

const load = (profiles: string, profileName = "p", head = "") => {
  project = createProject({ "agentctl.yaml": `version: 1\n${head}profiles:\n${profiles}` });
  return loadProfile({ profileName }, project.runtime);
};

describe("extends", () => {
  it("merges maps and replaces lists and values", () => {
    const profile = load(`
  base:
    ttl: 10m
    actors: [human, automation]
    env: { mode: strict, pass: [A, B], set: { X: "1", Y: "1" } }
    aws: { role_arn: ${ROLE}, region: eu-central-1, policy_arns: [arn:aws:iam::aws:policy/A] }
  p:
    extends: base
    actors: [agent]
    env: { pass: [C], set: { Y: "2" } }
    aws: { region: us-east-1 }
`);
    expect(profile).toMatchObject({ ttlSeconds: 600, actors: ["agent"] });
    expect(profile.env).toEqual({ mode: "strict", pass: ["C"], set: { X: "1", Y: "2" } });
    expect(profile.clouds.aws).toMatchObject({
      roleArn: ROLE,
      region: "us-east-1",
      policyArns: ["arn:aws:iam::aws:policy/A"],
    });
  });

  it("takes the later of two parents, and each with its own parents", () => {
    const profile = load(`
  root: { ttl: 1m, grace: 1s, deliver: env, aws: { role_arn: ${ROLE}1 } }
  one: { extends: root, ttl: 2m, grace: 2s, aws: { role_arn: ${ROLE}2 } }
  two: { extends: root, ttl: 3m }
  p: { extends: [one, two] }
`);
    expect(profile).toMatchObject({ ttlSeconds: 180, graceSeconds: 1, deliver: "env" });
    expect(profile.clouds.aws?.roleArn).toBe(`${ROLE}1`);
  });

  it("takes a session policy whole", () => {
    const profile = load(`
  base: { aws: { role_arn: ${ROLE}, session_policy: { Version: "2012-10-17", Id: base, Statement: [] } } }
  p: { extends: base, aws: { session_policy: { Statement: [] } } }
`);
    expect(profile.clouds.aws?.sessionPolicy?.document).toEqual({ Statement: [] });
  });

  it("does not inherit a description", () => {
    const profile = load(`  base: { description: Base, aws: { role_arn: ${ROLE} } }\n  p: { extends: base }\n`);
    expect(profile.description).toBeUndefined();
  });

  it("points at the parent that wrote what is wrong", () => {
    project = createProject({
      "agentctl.yaml": `version: 1\nprofiles:\n  base:\n    aws: { session_policy: none.json }\n  p: { extends: base, aws: { role_arn: ${ROLE} } }\n`,
    });
    const { message } = failureOf(() => loadProfile({ profileName: "p" }, project.runtime));
    expect(message).toMatch(/^agentctl\.yaml:4:28: profiles\.base\.aws\.session_policy: cannot read .*none\.json/);
  });

  it("lets a circle of other profiles be", () => {
    const profile = load(`  a: { extends: b }\n  b: { extends: a }\n  p: { aws: { role_arn: ${ROLE} } }\n`);
    expect(profile.name).toBe("p");
  });
});

describe("defaults", () => {
  const AWS = `aws: { role_arn: ${ROLE} }`;
  const head = "defaults: { ttl: 20m, deliver: env, on_expiry: stop, grace: 9s }\n";

  it("stand behind what a profile or its parent says", () => {
    const profile = load(`  base: { grace: 8s }\n  p: { extends: base, ttl: 5m, ${AWS} }\n`, "p", head);
    expect(profile).toMatchObject({ ttlSeconds: 300, graceSeconds: 8, deliver: "env", onExpiry: "stop" });
  });
});
