// What Google Cloud hears in a lease's life, for `npm run endings`.
import { callSteps, hold, lifeWith, onFile, onFileGone, onRecord } from "../steps.mjs";

const PROJECT = "projects/agentctl-demo";
const BE_GRANTER = "generateAccessToken:agentctl-granter";
const BE_LEASE = "generateAccessToken:jit";
const LOOK = `testIamPermissions:${PROJECT}`;
const grant = { profile: "grant" };

const GIVING = [
  { what: "the caller's token", call: "token" },
  { what: "the granter", call: BE_GRANTER },
  { what: "the look at what is granted already", call: LOOK },
  { what: "the project's policy, read", call: `getIamPolicy:${PROJECT}` },
  { what: "the project's policy, written", call: `setIamPolicy:${PROJECT}` },
  { what: "the bucket's policy, written", call: "setIamPolicy:buckets/demo" },
  { what: "a look whether it works", call: LOOK, nth: 2 },
  { what: "the last look whether it works", call: LOOK, nth: 4 },
];
const ENTITLEMENT = [
  ...callSteps("giving rights", { what: "the entitlement's grant, asked for", call: "createGrant", ...grant }),
  ...callSteps("ending", { what: "the entitlement's grant, found", call: "listGrant", ...grant }),
  ...callSteps("ending", { what: "the entitlement's grant, revoked", call: "revokeGrant", ...grant }),
];

export const STEPS = lifeWith({
  giving: GIVING,
  issuing: [{ what: "the lease's own token", call: BE_LEASE, nth: 2 }],
  ending: [
    { what: "the baseline", call: LOOK },
    { what: "the granter", call: BE_GRANTER },
    { what: "the project's policy, read", call: `getIamPolicy:${PROJECT}` },
    { what: "the project's policy, written", call: `setIamPolicy:${PROJECT}` },
    { what: "the bucket's policy, written", call: "setIamPolicy:buckets/demo" },
    { what: "the first look", call: LOOK, nth: 2 },
    { what: "the second look", call: LOOK, nth: 3 },
  ],
  more: ENTITLEMENT,
});

/** Where whoever ends the lease of a killed agentctl is killed as well. */
export const FINISHING = [
  onFile("leases", /\.lock$/),
  hold(BE_GRANTER, "before"),
  hold(`getIamPolicy:${PROJECT}`, "after"),
  hold(`setIamPolicy:${PROJECT}`, "before"),
  hold(`setIamPolicy:${PROJECT}`, "after"),
  hold("setIamPolicy:buckets/demo", "after"),
  onRecord(1),
  onFileGone("leases", /\.json$/),
];
