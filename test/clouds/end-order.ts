import type { EndContext, EndOrder, Grant, Wait } from "../../src/core/lease.js";

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

/** What is waited for, with how long at the most, such as `waiting (of 30s)`. */
export function withLimit(text: string, wait: Wait | undefined): string {
  return wait?.until === undefined ? text : `${text} (of ${Math.round((wait.until - wait.since) / 1000)}s)`;
}
