// What Google Cloud is like while a lease is taken back, for `npm run endings -- chaos`, and what has to come of it; the
// words are as in ../aws/chaos-rows.mjs. Cloud Storage itself is left in peace: it is asked what the token can do.
import { faultRows } from "../weather.mjs";

const REVOKED = { words: ["revoked"], required: 0 };
const REMOVED = { words: ["removed"], required: 0 };
const FAILED = { words: ["failed"], required: 79, isHeld: true };
const GRANT = { profiles: ["grant", "grant-required"] };
const { lag, fault, awayFor, away } = faultRows(["gcp-sts", "iamcredentials", "cloudresourcemanager", "pam"]);
const service = "cloudresourcemanager";

export const ROWS = [
  { name: "Google Cloud as it is", want: REVOKED },
  lag("takes 2 s to know of a change", { resource: "gcp", ms: 2_000 }, REVOKED, true),
  lag("takes 10 s to know of a change", { resource: "gcp", ms: 10_000 }, REVOKED),
  lag("takes 60 s to know of a change", { resource: "gcp", ms: 60_000 }, REMOVED),
  lag(
    "takes 10 s longer in Cloud Storage than in Resource Manager",
    { resource: "gcp", ms: 10_000, service: "gcs" },
    { ...REVOKED, seenBy: /testIamPermissions on \/\/cloudresourcemanager/ },
  ),
  fault("takes 2 s for each answer", { kind: "latency", latencyMs: 2_000 }, REVOKED),
  fault("throttles 3 calls, Retry-After 1 s", { kind: "throttle", retryAfterSeconds: 1, times: 3 }, REVOKED),
  fault("throttles for good", { kind: "throttle", retryAfterSeconds: 1 }, FAILED),
  fault("refuses the granter's setIamPolicy", { service, operation: "SetIamPolicy", kind: "deny" }, FAILED, {
    isShort: true,
  }),
  fault("refuses to let the granter in", { service: "iamcredentials", kind: "deny" }, FAILED),
  fault("refuses the looks", { service, operation: "TestIamPermissions", kind: "deny" }, REMOVED),
  fault("fails (500) twice", { kind: "error", times: 2 }, REVOKED),
  fault("fails (500) for good", { kind: "error" }, FAILED),
  {
    name: "has somebody else change the policy at the same time, 4 times",
    strike: overtake(4),
    want: REVOKED,
    isShort: true,
  },
  fault("cuts 2 connections", { kind: "cut", times: 2 }, REVOKED),
  fault("cuts every connection", { kind: "cut" }, FAILED),
  fault("answers garbage for good", { kind: "garbage" }, FAILED),
  awayFor("is away, and back after 5 s", 5_000, REVOKED),
  away("is away for good", FAILED),
  { name: "takes 5 s to revoke an entitlement's grant", ...slowly(5_000), want: REVOKED, ...GRANT },
  { name: "takes 60 s to revoke an entitlement's grant", ...slowly(60_000), want: FAILED, ...GRANT },
  fault(
    "refuses the granter's revocation: the grant is withdrawn",
    { service: "pam", operation: "RevokeGrant", kind: "deny" },
    REVOKED,
    GRANT,
  ),
];

function slowly(revocationMs) {
  return {
    strike: ({ control }) => control("POST", "gcp", { revocationMs }),
    heal: ({ control }) => control("POST", "gcp", { revocationMs: 0 }),
  };
}

/** Each write finds that the policy is another than the one that was read. */
function overtake(times) {
  return ({ lab, control }) => {
    const holder = "projects/agentctl-demo";
    const binding = { role: "roles/monitoring.viewer", members: ["user:somebody@example.com"] };
    const change = (nth) => control("POST", "gcp-policy", { holder, [nth % 2 === 0 ? "remove" : "add"]: [binding] });
    for (let nth = 1; nth <= times; nth += 1) {
      const rule = { call: `setIamPolicy:${holder}`, nth, side: "before", isPassing: true };
      lab.proxy.hold(rule, () => change(nth));
    }
  };
}
