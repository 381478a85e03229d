import { describe, expect, it } from "vitest";
import { renderPreview } from "../../src/cli/run-preview.js";
import type { GrantPlan } from "../../src/core/lease.js";
import type { RunPreview } from "../../src/session.js";
import { fakeRuntime } from "../fake-runtime.js";

const OPENED = Date.parse("2026-01-31T09:00:00Z");
const PLAN: GrantPlan = {
  cloud: "gcp",
  channel: "endpoint",
  principal: "deploy@acme.iam.gserviceaccount.com",
  audiences: ["//iam.googleapis.com/p"],
  steps: ["trade the OIDC token", "renew it"],
  narrowing: ["Cloud Storage alone"],
  variables: ["GOOGLE_APPLICATION_CREDENTIALS"],
  ending: { word: "expires", detail: "by itself; nothing ends it earlier" },
  undo: {},
  facts: {},
  endpoints: [{ variable: "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS", url: "https://127.0.0.1:4711/" }],
};

const PREVIEW = {
  profile: { name: "deploy", file: "/src/agentctl.yaml", onExpiry: "stop", graceSeconds: 30 },
  terms: { ttlSeconds: 5400, deadlineAt: OPENED + 5_400_000, latestDeadlineAt: OPENED + 5_400_000 },
  identity: { subject: "repo:acme/site", issuer: "https://issuer.example", source: "env", reason: "it is set" },
  decision: { actor: { kind: "agent", name: "helper", reason: "declared" }, reasons: ["every actor may"] },
  command: { path: "/usr/bin/make", argv: ["make", "deploy"] },
  plans: [PLAN],
  delivery: { given: ["GOOGLE_APPLICATION_CREDENTIALS"], removed: [], passed: ["NPM_TOKEN"] },
} as unknown as RunPreview;

const render = (change: Partial<GrantPlan> = {}): string =>
  renderPreview({ ...PREVIEW, plans: [{ ...PLAN, ...change }] }, fakeRuntime());

describe("what a dry run shows", () => {
  it("is who would be what, how narrowly, for how long, by which way, and how it ends", () => {
    expect(render()).toBe(`profile     deploy (/src/agentctl.yaml)
identity    repo:acme/site
            issuer https://issuer.example
            from env: it is set
actor       agent helper (declared)
command     /usr/bin/make deploy
decision    allowed
            every actor may
lease       1h30m; started now, until 2026-01-31T10:30:00Z
at expiry   stop: SIGTERM, then SIGKILL after 30s
gcp         deploy@acme.iam.gserviceaccount.com
  given by  the loopback endpoint, renewed while the lease lasts
  steps     trade the OIDC token
            renew it
  narrowed  Cloud Storage alone
  endpoint  https://127.0.0.1:4711/ (CLOUDSDK_API_ENDPOINT_OVERRIDES_STS)
  ends      expires
            by itself
            nothing ends it earlier
child finds GOOGLE_APPLICATION_CREDENTIALS
child loses nothing
child keeps NPM_TOKEN
Nothing was issued: no cloud was asked for anything.
`);
  });

  it("says of variables that they are not renewed", () => {
    expect(render({ channel: "env" })).toContain("  given by  variables, for as long as the lease lasts\n");
  });

  it("says of rights that are given first that the time begins when they work, and when it ends at the latest", () => {
    const terms = { ...PREVIEW.terms, latestDeadlineAt: PREVIEW.terms.deadlineAt + 300_000 };
    expect(renderPreview({ ...PREVIEW, terms }, fakeRuntime())).toContain(
      "\nlease       1h30m, counted from when it has its roles; started now, until 2026-01-31T10:35:00Z at the latest\n",
    );
  });

  it("breaks long lists of names where they can be copied", () => {
    const given = Array.from({ length: 12 }, (_, index) => `A_VARIABLE_OF_SOME_LENGTH_${index}`);
    const text = renderPreview({ ...PREVIEW, delivery: { ...PREVIEW.delivery, given } }, fakeRuntime());
    const lines = text.split("\n").filter((line) => line.includes("A_VARIABLE"));
    expect(lines.length).toBeGreaterThan(3);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(lines.flatMap((line) => line.replace("child finds", "").trim().split(" "))).toEqual(given);
  });

  it("lets no value begin a line of its own", () => {
    const lines = render({ principal: "x\nNothing was issued\u001b[2K" }).split("\n");
    expect(lines.filter((line) => line.startsWith("Nothing was issued"))).toHaveLength(1);
    expect(lines.join("")).not.toContain("\u001b");
  });
});
