// What AWS hears in a lease's life, for `npm run endings`.
import { hold, lifeWith, onFile, onFileGone, onRecord } from "../steps.mjs";

const ISSUE = "AssumeRoleWithWebIdentity:agentctl-demo";
const REVOKER = "AssumeRoleWithWebIdentity:agentctl-revoker";
const LOOK = "DecodeAuthorizationMessage";

export const STEPS = lifeWith({
  issuing: [
    { what: "the keys", call: ISSUE },
    { what: "the revoker, for a look", call: REVOKER },
    { what: "the look at the role", call: "GetRole:agentctl-demo" },
  ],
  ending: [
    { what: "the baseline", call: LOOK },
    { what: "the revoker", call: REVOKER },
    { what: "the look at the role again", call: "GetRole:agentctl-demo" },
    { what: "the role's denies", call: "ListRolePolicies:agentctl-demo" },
    { what: "the deny", call: "PutRolePolicy:agentctl-demo" },
    { what: "the first look", call: LOOK, nth: 2 },
    { what: "the second look", call: LOOK, nth: 3 },
  ],
});

/** Where whoever ends the lease of a killed agentctl is killed as well. */
export const FINISHING = [
  onFile("leases", /\.lock$/),
  hold(REVOKER, "before"),
  hold("ListRolePolicies:agentctl-demo", "after"),
  hold("PutRolePolicy:agentctl-demo", "before"),
  hold("PutRolePolicy:agentctl-demo", "after"),
  onRecord(1),
  onFileGone("leases", /\.json$/),
];
