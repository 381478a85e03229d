import { describe, expect, test } from "vitest";
import { selectClaims } from "../../src/identity/claims.js";

describe("selectClaims", () => {
  const rows = [
    {
      name: "GitHub",
      input: {
        iss: "i",
        repository_id: "1",
        job_workflow_ref: "w",
        actor_id: "7",
        run_attempt: "2",
        secret_thing: "no",
      },
      want: { iss: "i", repository_id: "1", job_workflow_ref: "w", actor_id: "7", run_attempt: "2" },
    },
    {
      name: "Kubernetes, nested under a name with a dot",
      input: {
        "kubernetes.io": {
          namespace: "prod",
          pod: { name: "p", uid: "u", extra: "no" },
          serviceaccount: { name: "sa" },
        },
      },
      want: {
        "kubernetes.io.namespace": "prod",
        "kubernetes.io.pod.name": "p",
        "kubernetes.io.pod.uid": "u",
        "kubernetes.io.serviceaccount.name": "sa",
      },
    },
    {
      name: "Google, nested twice",
      input: { google: { compute_engine: { project_id: "p", zone: "z" } } },
      want: { "google.compute_engine.project_id": "p", "google.compute_engine.zone": "z" },
    },
    {
      name: "CircleCI's names with slashes",
      input: { "oidc.circleci.com/project-id": "p", "oidc.circleci.com/ssh-rerun": false },
      want: { "oidc.circleci.com/project-id": "p", "oidc.circleci.com/ssh-rerun": false },
    },
    { name: "custom properties", input: { repo_property_tier: "gold" }, want: { repo_property_tier: "gold" } },
    { name: "short lists of plain values", input: { aud: ["a", "b"], amr: [] }, want: { aud: ["a", "b"], amr: [] } },
    { name: "no objects, also not in lists", input: { sub: { a: 1 }, aud: [{ a: 1 }], ref: null }, want: {} },
    { name: "no long lists", input: { aud: Array.from({ length: 21 }, String) }, want: {} },
    { name: "no inherited names", input: Object.create({ sub: "inherited" }), want: {} },
    { name: "control characters escaped", input: { sub: "a\u001b[2J\nb" }, want: { sub: "a\\u001b[2J\\u000ab" } },
  ];
  test.each(rows)("$name", ({ input, want }) => {
    expect(selectClaims(input)).toEqual(want);
  });

  test("long values are cut", () => {
    expect(String(selectClaims({ sub: "x".repeat(5000) })["sub"]).length).toBeLessThan(1100);
  });

  test("custom properties are bounded in number", () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`repo_property_${i}`, "v"]));
    expect(Object.keys(selectClaims(many))).toHaveLength(20);
  });
});
