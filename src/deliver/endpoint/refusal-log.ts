import type { RefusalReason } from "../../core/endpoint.js";
import type { CloudName } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";

/**
 * Beside the reasons that a cloud's room words: `browser` (`Origin`, `Sec-Fetch-*`), `foreign-host` (DNS rebinding),
 * `malformed` (not HTTP, or more of it than is taken), `slow`; and `undetermined`: it could not be told whose request
 * it was, and it *was* answered, as `peer_check: auto` has it.
 */
export type RefusedReason = RefusalReason | "browser" | "foreign-host" | "malformed" | "slow" | "undetermined";

/** For the record; no secret. */
export interface RefusedRequest {
  /** Absent where the request did not come as far as to a cloud's part of the endpoint. */
  readonly cloud?: CloudName;
  readonly reason: RefusedReason;
  /** One line. */
  readonly message: string;
  readonly peer?: PeerProcess;
  /** Epoch ms. */
  readonly at: number;
}

/** The process at a connection's other end, as far as it can be seen. */
export interface PeerProcess {
  readonly pid: number;
  /** Its own name for itself, which it may choose; without control characters. */
  readonly program?: string;
}

export interface RefusalLog {
  /** How many requests were refused, told or not; one of unknown origin that was answered is none. */
  readonly count: number;
  add(refused: Omit<RefusedRequest, "at">): void;
}

/** A flood must not become a flood of records. */
const MOST_TOLD = 20;

/** Tells each distinct refusal once, and at most twenty; the rest is counted. */
export function openRefusalLog(tell: (refused: RefusedRequest) => void, runtime: Pick<Runtime, "now">): RefusalLog {
  const told = new Set<string>();
  let count = 0;
  return {
    get count() {
      return count;
    },
    add: (refused) => {
      if (refused.reason !== "undetermined") count += 1;
      if (told.size >= MOST_TOLD) return;
      const key = JSON.stringify([refused.reason, refused.cloud, refused.message]);
      if (told.has(key)) return;
      told.add(key);
      tell({ ...refused, at: runtime.now() });
    },
  };
}
