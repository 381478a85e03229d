/** What one lease's endpoint takes from all its callers together, and for how long from each. */
export interface EndpointLimits {
  /** Beyond it the oldest connection that has proven nothing makes room. */
  readonly maxConnections: number;
  readonly maxHeaderBytes: number;
  readonly maxBodyBytes: number;
  /** From a connection's opening, or a request's first byte, to the request's last. */
  readonly requestTimeoutMs: number;
  /** How often requests that take too long are looked for. */
  readonly checkEveryMs: number;
  /** How long a connection may stay open without a request. */
  readonly keepAliveMs: number;
  /** How long a connection may be silent while its answer is waited for; a re-issue may take that long. */
  readonly answerTimeoutMs: number;
}

export const ENDPOINT_LIMITS: EndpointLimits = {
  maxConnections: 256,
  maxHeaderBytes: 16 * 1024,
  maxBodyBytes: 64 * 1024,
  requestTimeoutMs: 5_000,
  checkEveryMs: 1_000,
  keepAliveMs: 5_000,
  answerTimeoutMs: 60_000,
};
