export type { LeaseEntry, LeaseState, LedgerGrant } from "./entry.js";
export { type KeepInput, type KeptGrants, keepGrants } from "./keep-grants.js";
export { newLeaseId } from "./lease-id.js";
export { type NewLease, type OpenLease, openLease } from "./ledger.js";
export { type ListedLease, listLeases } from "./list.js";
export { renewalNotice } from "./renewal-notice.js";
export { privateDirOf, setTerms } from "./terms.js";
