import { describe, expect, it } from "vitest";
import { planGcpTrust } from "../../../src/clouds/gcp/setup/trust-plan.js";
import type { GcpSettings } from "../../../src/core/profile.js";
import type { TrustRequest, TrustScope } from "../../../src/core/trust.js";
import { mapAttributes } from "../../../src/sandbox/gcp/attributes.js";
import { membersOf } from "../../../src/sandbox/gcp/principal.js";
import { thrownBy } from "../../thrown.js";
import { HOSTILE } from "../setup/hostile.js";
import { JOB, SUBJECT, scopeOf } from "../setup/scopes.js";

const POOL = "projects/123456789012/locations/global/workloadIdentityPools/ci-pool";
const SETTINGS: GcpSettings = {
  workloadIdentityProvider: `${POOL}/providers/github`,
  serviceAccount: "deploy@my-project.iam.gserviceaccount.com",
  scopes: [],
  accessBoundary: [],
  bindings: [],
  metadata: false,
};

function request(scope: TrustScope = scopeOf(), settings: Partial<GcpSettings> = {}): TrustRequest<"gcp"> {
  const all = { ...SETTINGS, ...settings };
  return { profileName: "deploy-web", ttlSeconds: 1_800, settings: all, scope, format: "terraform" };
}

/** Whether a token becomes the one principal that may be the service account. */
function admits(plan: ReturnType<typeof planGcpTrust>, token: Record<string, unknown>): boolean {
  const provider = {
    issuer: plan.issuer,
    attributeMapping: { "google.subject": plan.subjectExpression },
    attributeCondition: plan.condition,
  };
  try {
    return membersOf(mapAttributes(token, POOL, provider)).has(plan.principal);
  } catch {
    return false;
  }
}

const TOKEN: Record<string, unknown> = { ...JOB, sub: SUBJECT };

describe("the provider's condition", () => {
  const plan = planGcpTrust(request());

  it("takes the caller's token, as one principal", () => {
    expect(admits(plan, TOKEN)).toBe(true);
    expect(plan.principal).toBe(`principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}`);
  });

  it.each([
    { name: "another repository", token: { ...TOKEN, sub: "repo:acme/other:ref:refs/heads/main" } },
    { name: "a repository that took the name", token: { ...TOKEN, repository_id: "700000002" } },
    { name: "the repository, in other hands", token: { ...TOKEN, repository_owner_id: "600000002" } },
    { name: "another branch", token: { ...TOKEN, ref: "refs/heads/evil" } },
    { name: "the branch, without its protection", token: { ...TOKEN, ref_protected: "false" } },
    {
      name: "a token that does not tell whether its branch is protected",
      token: { ...TOKEN, ref_protected: undefined },
    },
    { name: "a pull request", token: { ...TOKEN, event_name: "pull_request" } },
    { name: "a pull request from a fork", token: { ...TOKEN, event_name: "pull_request_target" } },
    { name: "a token that does not tell its event", token: { ...TOKEN, event_name: undefined } },
    { name: "a token without the id", token: { ...TOKEN, repository_id: undefined } },
    { name: "an id that is a number", token: { ...TOKEN, repository_id: 700000001 } },
  ])("refuses $name", ({ token }) => {
    expect(admits(plan, JSON.parse(JSON.stringify(token)) as Record<string, unknown>)).toBe(false);
  });

  it("tests claims whose names are no words", () => {
    const id = "0d2d3b1c-0000-4000-8000-000000000001";
    const subject = `org/${id}/project/${id}/user/${id}/vcs-origin/github.com/a/b/vcs-ref/refs/heads/main`;
    const claims = { "oidc.circleci.com/project-id": id };
    const scope = scopeOf({ issuer: `https://oidc.circleci.com/org/${id}`, subject, claims });
    const circle = planGcpTrust(request(scope));
    expect(admits(circle, { sub: subject, ...claims })).toBe(true);
    expect(admits(circle, { sub: subject, "oidc.circleci.com/project-id": "other" })).toBe(false);
  });

  it("names the principal by ids where the subject is longer than Google takes", () => {
    const subject = `repo:acme/${"site".repeat(40)}:ref:refs/heads/main`;
    const { repository: _, ...claims } = JOB;
    const long = planGcpTrust(request(scopeOf({ subject, claims })));
    expect(admits(long, { ...TOKEN, sub: subject })).toBe(true);
    expect(admits(long, { ...TOKEN, sub: `${subject}x` })).toBe(false);
    expect(long.principal).toMatch(
      /\/subject\/repository_id:700000001:repository_owner_id:600000001:ref:refs\/heads\/main$/,
    );
    expect(admits(long, { ...TOKEN, sub: subject, ref_protected: "false" })).toBe(false);
  });

  it("refuses a long subject that nothing else says", async () => {
    const scope = scopeOf({ issuer: "https://login.acme.example", subject: "x".repeat(128), claims: {} });
    expect((await thrownBy(() => planGcpTrust(request(scope)))).code).toBe("CONFIG_INVALID");
  });

  it.each(HOSTILE.map((text) => ({ text })))("takes $text for text", ({ text }) => {
    const subject = `robot ${text}x`;
    const hostile = planGcpTrust(request(scopeOf({ issuer: "https://login.acme.example", subject, claims: {} })));
    expect(admits(hostile, { sub: subject })).toBe(true);
    expect(admits(hostile, { sub: "robot" })).toBe(false);
  });
});

describe("whom and what it is for", () => {
  it.each([
    { email: "deploy@my-project.iam.gserviceaccount.com", want: "my-project" },
    { email: "deploy@my-project.acme.example.iam.gserviceaccount.com", want: "acme.example:my-project" },
    { email: "123-compute@developer.gserviceaccount.com", want: undefined },
  ])("$email is of the project $want", ({ email, want }) => {
    expect(planGcpTrust(request(scopeOf(), { serviceAccount: email })).serviceAccount?.projectId).toBe(want);
  });

  it("gives the buckets of the access boundary, each role once", () => {
    const rule = {
      availableResource: "//storage.googleapis.com/projects/_/buckets/site",
      availablePermissions: ["inRole:roles/storage.objectUser"],
    };
    const plan = planGcpTrust(request(scopeOf(), { accessBoundary: [rule, rule] }));
    expect(plan.buckets).toEqual([{ bucket: "site", role: "roles/storage.objectUser" }]);
    expect(plan.grantee).toBe("serviceAccount:deploy@my-project.iam.gserviceaccount.com");
  });

  it("gives them to the principal where there is no service account", () => {
    const { serviceAccount: _, ...settings } = SETTINGS;
    const plan = planGcpTrust({ ...request(), settings });
    expect(plan.grantee).toBe(plan.principal);
  });

  it("refuses an audience that gcloud would split", async () => {
    expect((await thrownBy(() => planGcpTrust(request(scopeOf({ audience: "a,b" }))))).code).toBe("CONFIG_INVALID");
  });
});
