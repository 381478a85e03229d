// What AWS is like while a lease is taken back, for `npm run endings -- chaos`, and what has to come of it.
// `strike` and `heal` are given {lab, control, trial, child}; `want.words` may come out, the first of them usually;
// `want.required` is the exit code with `revoke: required`; `isHeld`: the ledger keeps the lease for a sweep; `seenBy`: the
// ending tells where it was seen, while other services may not know of it yet. `want.ifRequired`: what is other then.
// `endedBy`: who ends what the ledger keeps, where no sweep has to; `after`: when all has been held against the cloud.
const REVOKED = { words: ["revoked"], required: 0 };
const REMOVED = { words: ["removed"], required: 0 };
const FAILED = { words: ["failed"], required: 79, isHeld: true };

export const ROWS = [
  { name: "AWS as it is", want: REVOKED, isShort: true },
  lag("takes 2 s to know of a change", 2_000, REVOKED, true),
  lag("takes 10 s to know of a change", 10_000, REVOKED),
  lag("takes 60 s to know of a change", 60_000, REMOVED),
  lag("takes 10 s longer in S3 than in STS", 10_000, { ...REVOKED, seenBy: /\bSTS\b/ }, false, "s3"),
  fault("takes 2 s for each answer", { kind: "latency", latencyMs: 2_000 }, REVOKED),
  fault("throttles 3 calls, Retry-After 1 s", { kind: "throttle", retryAfterSeconds: 1, times: 3 }, REVOKED),
  fault("throttles for good", { kind: "throttle", retryAfterSeconds: 1 }, FAILED),
  fault(
    "refuses the revoker's PutRolePolicy",
    { service: "iam", operation: "PutRolePolicy", kind: "deny" },
    FAILED,
    true,
  ),
  fault(
    "refuses to let the revoker in",
    { service: "sts", operation: "AssumeRoleWithWebIdentity", kind: "deny" },
    FAILED,
  ),
  fault(
    "refuses the look in words of another kind",
    { service: "sts", operation: "DecodeAuthorizationMessage", kind: "deny" },
    { words: ["removed"], required: 0 },
  ),
  fault("fails (500) twice", { kind: "error", times: 2 }, REVOKED, true),
  fault("fails (500) for good", { kind: "error" }, FAILED),
  fault("changes the role at the same time, twice", concurrent(2), REVOKED),
  fault("cuts 2 connections", { kind: "cut", times: 2 }, REVOKED),
  fault("cuts every connection", { kind: "cut" }, FAILED),
  fault("answers garbage for good", { kind: "garbage" }, FAILED),
  { name: "is away, and back after 5 s", strike: awayFor(5_000), heal: ({ isBack }) => isBack, want: REVOKED },
  {
    name: "is away for good",
    strike: ({ lab }) => lab.proxy.goAway(),
    heal: ({ lab }) => lab.proxy.comeBack(),
    want: FAILED,
  },
  { name: "has no room on the role", strike: fillRole, heal: emptyRole, want: { words: ["fenced"], required: 79 } },
];

function lag(name, propagationMs, want, isShort = false, service = undefined) {
  return {
    name,
    strike: ({ control }) => control("POST", "iam", { propagationMs, service }),
    heal: ({ control }) => control("POST", "iam", { propagationMs: 0 }),
    want,
    isShort,
  };
}

function fault(name, how, want, isShort = false) {
  const faults = how.service === undefined ? ["sts", "iam"].map((service) => ({ service, ...how })) : [how];
  return {
    name,
    strike: ({ control }) => control("POST", "faults", faults),
    heal: ({ control }) => control("DELETE", "faults"),
    want,
    isShort,
  };
}

function concurrent(times) {
  const code = "ConcurrentModification";
  return { service: "iam", operation: "PutRolePolicy", kind: "error", status: 409, code, times };
}

function awayFor(ms) {
  return async (site) => {
    await site.lab.proxy.goAway();
    site.isBack = new Promise((resolve) => setTimeout(resolve, ms)).then(() => site.lab.proxy.comeBack());
  };
}

const FILLING = "somebody-elses";

/** A role's inline policies have 10,240 characters together: these leave too few for one deny. */
function fillRole({ lab: { side } }) {
  const Resource = ["arn:aws:s3:::a-bucket-of-somebody-else"];
  const document = { Version: "2012-10-17", Statement: [{ Effect: "Deny", Action: "s3:*", Resource }] };
  const room = 10_200 - JSON.stringify(document).length;
  const perItem = 43;
  for (let item = 0; item < Math.floor(room / perItem); item += 1) {
    Resource.push(`arn:aws:s3:::${String(item).padStart(perItem - 16, "x")}`);
  }
  return side.role.put(FILLING, document);
}

function emptyRole({ lab: { side } }) {
  return side.role.remove(FILLING);
}
