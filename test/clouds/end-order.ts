import type { EndContext, EndOrder, Grant } from "../../src/core/lease.js";

/** The order to end a grant of a room that has nothing to undo. */
export function endOrder(grant: Grant): EndOrder {
  const { cloud, channel, principal, usableUntil, expiresAt } = grant;
  const leaseId = "l-0123456789abcdef";
  return { leaseId, cloud, channel, principal, undo: {}, isIssued: true, usableUntil, expiresAt, grant };
}

/** Never aborted, and without a token. */
export function endContext(overrides: Partial<EndContext> = {}): EndContext {
  return {
    mintToken: () => Promise.reject(new Error("a test provided no token")),
    unwatched: new AbortController().signal,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...overrides,
  };
}
