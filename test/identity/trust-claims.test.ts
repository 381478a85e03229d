import { describe, expect, it } from "vitest";
import type { TrustCaller } from "../../src/core/trust.js";
import { scopeTrust } from "../../src/identity/trust-claims.js";
import { thrownBy } from "../thrown.js";

const GITHUB = "https://token.actions.githubusercontent.com";
const GITLAB = "https://gitlab.com";
const UUID = "0d2d3b1c-0000-4000-8000-000000000001";

const JOB = {
  repository: "acme/site",
  repository_id: "700000001",
  repository_owner_id: "600000001",
  ref: "refs/heads/main",
  ref_type: "branch",
  ref_protected: "true",
  event_name: "push",
  job_workflow_ref: "acme/site/.github/workflows/deploy.yml@refs/heads/main",
  run_id: "8000000001",
};
const PIPELINE = {
  project_path: "acme/site",
  project_id: "700000001",
  namespace_id: "600000001",
  ref: "main",
  ref_type: "branch",
  ref_protected: "true",
  pipeline_source: "push",
};
const PUSHED = "repo:acme/site:ref:refs/heads/main";
const LAB = "project_path:acme/site:ref_type:branch:ref:main";
const CIRCLE = `https://oidc.circleci.com/org/${UUID}`;
const CIRCLE_SUB = `org/${UUID}/project/${UUID}/user/${UUID}/vcs-origin/github.com/acme/site/vcs-ref/refs/heads/main`;

function caller(issuer: string, subject: string, claims: Record<string, unknown> = {}): TrustCaller {
  return { issuer, subject, claims, audience: "sts.amazonaws.com", origin: "a test" };
}

function testsFor(given: TrustCaller, pins: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(scopeTrust(given, pins).tests.map(({ claim, value }) => [claim, value]));
}

const PROTECTED = { ref: "refs/heads/main", ref_protected: "true" };
const IDS = { repository_id: "700000001", repository_owner_id: "600000001" };

describe("what a trust is tied to", () => {
  it.each([
    {
      name: "GitHub: a protected branch, by ids",
      given: caller(GITHUB, PUSHED, JOB),
      want: { ...IDS, ...PROTECTED },
    },
    {
      name: "GitHub: an environment, on a protected branch",
      given: caller(GITHUB, "repo:acme/site:environment:prod", { ...JOB, environment: "prod" }),
      want: { ...IDS, environment: "prod", ...PROTECTED },
    },
    {
      name: "GitHub: an environment, from whatever branch its rules let",
      given: caller(GITHUB, "repo:acme/site:environment:prod", { ...JOB, environment: "prod", ref_protected: "false" }),
      want: { ...IDS, environment: "prod" },
    },
    {
      name: "GitHub: an environment on a release is not tied to the one tag",
      given: caller(GITHUB, "repo:acme/site:environment:prod", { ...JOB, environment: "prod", ref: "refs/tags/v1" }),
      want: { ...IDS, environment: "prod" },
    },
    {
      name: "GitHub: the ids are in the subject",
      given: caller(GITHUB, "repo:acme@600000001/site@700000001:environment:prod"),
      want: { ...IDS, environment: "prod" },
    },
    {
      name: "GitHub Enterprise Server",
      given: caller("https://github.acme.example/_services/token", PUSHED, JOB),
      want: { ...IDS, ...PROTECTED },
    },
    {
      name: "GitLab: a protected branch",
      given: caller(GITLAB, LAB, PIPELINE),
      want: { project_id: "700000001", namespace_id: "600000001", ref_protected: "true" },
    },
    {
      name: "GitLab: a protected environment",
      given: caller(GITLAB, LAB, {
        ...PIPELINE,
        ref_protected: "false",
        environment: "prod",
        environment_protected: "true",
      }),
      want: {
        project_id: "700000001",
        namespace_id: "600000001",
        environment: "prod",
        environment_protected: "true",
      },
    },
    {
      name: "Kubernetes: the subject says it all",
      given: caller("https://oidc.eks.eu-central-1.amazonaws.com/id/ABC", "system:serviceaccount:acme:deploy"),
      want: {},
    },
    {
      name: "SPIFFE: the subject says it all",
      given: caller("https://spire.acme.example", "spiffe://acme.example/ns/web/sa/deploy"),
      want: {},
    },
    { name: "an issuer of one's own", given: caller("https://login.acme.example", "robot-7"), want: {} },
    {
      name: "CircleCI: a branch of a project",
      given: caller(CIRCLE, CIRCLE_SUB, { "oidc.circleci.com/project-id": UUID }),
      want: { "oidc.circleci.com/project-id": UUID },
    },
  ])("$name", ({ given, want }) => {
    expect(testsFor(given)).toEqual(want);
  });

  it("is also what was asked for with a pin, which every cloud then has to test", () => {
    const scope = scopeTrust(caller(GITHUB, PUSHED, JOB), ["job_workflow_ref", "ref"]);
    expect(scope.tests.map(({ claim }) => claim)).toEqual([
      "repository_id",
      "repository_owner_id",
      "ref_protected",
      "job_workflow_ref",
      "ref",
    ]);
    expect(scope.needs).toEqual(["job_workflow_ref", "ref"]);
  });

  it.each([
    { name: "GitHub's own subjects", given: caller(GITHUB, PUSHED, JOB), want: [] },
    {
      name: "a subject of the repository's own template",
      given: caller(GITHUB, "repository_owner:acme", JOB),
      want: ["repository_id", "ref"],
    },
    { name: "GitLab's own subjects", given: caller(GITLAB, LAB, PIPELINE), want: [] },
    {
      name: "a subject of the project's own template",
      given: caller(GITLAB, "project_path:acme/site", PIPELINE),
      want: ["project_id", "ref_protected"],
    },
    {
      name: "Buildkite's pipelines, whose subject has no branch",
      given: caller("https://agent.buildkite.com", UUID, { pipeline_id: UUID, build_branch: "main" }),
      want: ["pipeline_id", "build_branch"],
    },
  ])("needs more than the subject only where that is wide: $name", ({ given, want }) => {
    expect(scopeTrust(given).needs).toEqual(want);
  });

  it("keeps pull requests out where a cloud can", () => {
    const [ban] = scopeTrust(caller(GITHUB, PUSHED, JOB)).bans;
    expect(ban).toMatchObject({ claim: "event_name", values: ["pull_request", "pull_request_target"] });
  });
});

const WIDE = "TRUST_TOO_WIDE";
const WRONG = "CONFIG_INVALID";

describe("all that is missing is told at once", () => {
  it.each([
    {
      name: "GitHub",
      given: caller(GITHUB, PUSHED),
      hints: ["--claim repository_id=ID", "--claim ref_protected=true"],
    },
    { name: "GitLab", given: caller(GITLAB, LAB), hints: ["--claim project_id=ID", "--claim ref_protected=true"] },
  ])("$name: an id, and what protects the branch", async ({ given, hints }) => {
    const error = await thrownBy(() => scopeTrust(given));
    expect(error).toMatchObject({
      code: WIDE,
      message: expect.stringMatching(/id is not known, .*; and .* protected.*: whoever may push would be trusted$/),
    });
    for (const hint of hints) expect(error.hint).toContain(hint);
  });
});

describe("a trust that is not written", () => {
  it.each([
    {
      name: "GitHub: any branch of a repository",
      given: caller(GITHUB, "repo:acme/site:*", JOB),
      code: WIDE,
      says: "wildcard",
    },
    { name: "GitHub: any one character", given: caller(GITHUB, "repo:acme/sit?:ref:refs/heads/main", JOB), code: WIDE },
    {
      name: "GitHub: a pull request, by its subject",
      given: caller(GITHUB, "repo:acme/site:pull_request", { ...JOB, event_name: undefined }),
      code: WIDE,
      says: "pull request",
    },
    {
      name: "GitHub: a pull request, by its event, in an environment",
      given: caller(GITHUB, "repo:acme/site:environment:prod", { ...JOB, event_name: "pull_request" }),
      code: WIDE,
      says: "pull request",
    },
    {
      name: "GitHub: pull_request_target, on a protected branch",
      given: caller(GITHUB, PUSHED, { ...JOB, event_name: "pull_request_target" }),
      code: WIDE,
      says: "pull request",
    },
    {
      name: "GitHub: a pull request's ref",
      given: caller(GITHUB, "repo:acme/site:ref:refs/pull/7/merge", { repository_id: "1", ref_protected: "true" }),
      code: WIDE,
    },
    {
      name: "GitHub: an unprotected branch",
      given: caller(GITHUB, PUSHED, { ...JOB, ref_protected: "false" }),
      code: WIDE,
      says: "protected",
    },
    {
      name: "GitHub: nobody says that the branch is protected",
      given: caller(GITHUB, PUSHED, { repository_id: "700000001" }),
      code: WIDE,
    },
    {
      name: "GitHub: a name alone",
      given: caller(GITHUB, "repo:acme/site:environment:prod"),
      code: WIDE,
      says: "id is not known",
    },
    {
      name: "GitHub: all of an organisation",
      given: caller(GITHUB, "repository_owner:acme", { repository_owner_id: "600000001", ref_protected: "true" }),
      code: WIDE,
    },
    {
      name: "GitHub: somebody else's ids",
      given: caller(GITHUB, "repo:acme@600000001/site@700000001:environment:prod", { repository_id: "7" }),
      code: WRONG,
    },
    {
      name: "GitHub: somebody else's name",
      given: caller(GITHUB, PUSHED, { ...JOB, repository: "evil/site" }),
      code: WRONG,
    },
    {
      name: "GitHub: another environment",
      given: caller(GITHUB, "repo:acme/site:environment:prod", { ...JOB, environment: "staging" }),
      code: WRONG,
    },
    {
      name: "GitHub: an id that is none",
      given: caller(GITHUB, PUSHED, { ...JOB, repository_id: "acme/site" }),
      code: WRONG,
    },
    {
      name: "GitLab: an unprotected branch",
      given: caller(GITLAB, LAB, { ...PIPELINE, ref_protected: "false" }),
      code: WIDE,
      says: "not protected",
    },
    {
      name: "GitLab: an environment that nobody protects",
      given: caller(GITLAB, LAB, { ...PIPELINE, ref_protected: "false", environment: "prod" }),
      code: WIDE,
    },
    {
      name: "GitLab: a merge request",
      given: caller(GITLAB, LAB, { ...PIPELINE, pipeline_source: "merge_request_event" }),
      code: WIDE,
    },
    {
      name: "GitLab: a path alone",
      given: caller(GITLAB, LAB, { ref_protected: "true" }),
      code: WIDE,
      says: "id is not known",
    },
    { name: "GitLab: another project", given: caller(GITLAB, LAB, { ...PIPELINE, project_path: "x/y" }), code: WRONG },
    {
      name: "Kubernetes: what every cluster calls itself",
      given: caller("https://kubernetes.default.svc.cluster.local", "system:serviceaccount:acme:deploy"),
      code: WIDE,
      says: "every cluster",
    },
    {
      name: "Kubernetes: a whole namespace",
      given: caller("https://k8s.acme.example", "system:serviceaccount:acme:default"),
      code: WIDE,
    },
    {
      name: "Kubernetes: any account of a namespace",
      given: caller("https://k8s.acme.example", "system:serviceaccount:acme:*"),
      code: WIDE,
    },
    {
      name: "Kubernetes: another namespace",
      given: caller("https://k8s.acme.example", "system:serviceaccount:acme:deploy", {
        "kubernetes.io.namespace": "evil",
      }),
      code: WRONG,
    },
    { name: "SPIFFE: a whole trust domain", given: caller("https://s.example", "spiffe://acme.example"), code: WIDE },
    {
      name: "Entra: any tenant",
      given: caller("https://login.microsoftonline.com/common/v2.0", "abc"),
      code: WIDE,
      says: "every tenant",
    },
    {
      name: "Entra: everybody's private account",
      given: caller("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", "abc"),
      code: WIDE,
    },
    { name: "Google: an address", given: caller("https://accounts.google.com", "me@example.com"), code: WIDE },
    { name: "a login for everybody", given: caller("https://www.facebook.com", "12345"), code: WIDE },
    {
      name: "a login for everybody, with a subject that looks like GitHub's",
      given: caller("https://www.facebook.com", PUSHED, JOB),
      code: WIDE,
    },
    {
      name: "CircleCI: a subject without its branch",
      given: caller(CIRCLE, `org/${UUID}/project/${UUID}/user/${UUID}`),
      code: WIDE,
    },
    { name: "CircleCI: every organisation", given: caller("https://oidc.circleci.com", CIRCLE_SUB), code: WIDE },
    {
      name: "CircleCI: a job that somebody sits at",
      given: caller(CIRCLE, CIRCLE_SUB, { "oidc.circleci.com/ssh-rerun": true }),
      code: WIDE,
    },
    {
      name: "HCP Terraform: a whole organization",
      given: caller("https://app.terraform.io", "organization:acme"),
      code: WIDE,
    },
    {
      name: "a subject that the next commit does not have",
      given: caller("https://agent.buildkite.com", "organization:a:pipeline:p:ref:r:commit:0123456789:step:s"),
      code: WRONG,
    },
    {
      name: "a subject that the next run does not have",
      given: caller(GITHUB, "repo:acme/site:environment:prod:run_id:8000000001", JOB),
      code: WRONG,
    },
    { name: "an empty subject", given: caller("https://login.acme.example", ""), code: WRONG },
    { name: "a subject of two lines", given: caller("https://login.acme.example", "robot\nroot"), code: WRONG },
    { name: "a subject that reads backwards", given: caller("https://login.acme.example", "a\u202eb"), code: WRONG },
    { name: "a claim of two lines", given: caller(GITHUB, PUSHED, { ...JOB, ref: "a\nb" }), code: WRONG },
    { name: "no audience", given: { ...caller(GITHUB, PUSHED, JOB), audience: "" }, code: WRONG },
    { name: "any audience", given: { ...caller(GITHUB, PUSHED, JOB), audience: "*" }, code: WIDE },
    {
      name: "an issuer in the clear",
      given: caller("http://token.actions.githubusercontent.com", PUSHED),
      code: WRONG,
    },
    { name: "an issuer with a query", given: caller(`${GITHUB}/?x=1`, PUSHED), code: WIDE },
    { name: "an issuer with a user", given: caller("https://github@evil.example", PUSHED), code: WRONG },
    { name: "an issuer with a quote", given: caller('https://a.example/"', PUSHED), code: WRONG },
  ])("$name", async ({ given, code, says }) => {
    const error = await thrownBy(() => scopeTrust(given));
    expect(error.code).toBe(code);
    expect(error.message).toContain(says ?? "");
    expect(error.hint).toBeTruthy();
  });

  it.each([
    { name: "a claim that the identity does not have", pin: "actor_id", code: WIDE },
    { name: "a claim that changes with each run", pin: "run_id", code: WRONG },
  ])("pinned to $name", async ({ pin, code }) => {
    expect((await thrownBy(() => scopeTrust(caller(GITHUB, PUSHED, JOB), [pin]))).code).toBe(code);
  });
});
