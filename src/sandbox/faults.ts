import type { FailureWords, ServiceName } from "./service.js";
import { WireError } from "./wire-error.js";

export const FAULT_KINDS = ["latency", "throttle", "error", "garbage", "cut", "deny"] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** One way for a service to misbehave on demand. */
export interface Fault {
  readonly service: ServiceName;
  /** In the cloud's own words, such as `AssumeRole`; absent means every operation. */
  readonly operation?: string;
  readonly kind: FaultKind;
  /** How many requests it strikes; absent means all until it is cleared. */
  readonly times?: number;
  /** How many matching requests pass unharmed before it strikes. */
  readonly after?: number;
  /** For `latency`. */
  readonly latencyMs?: number;
  /** For `throttle` and `error`. */
  readonly retryAfterSeconds?: number;
  /** For `error`; default 500. */
  readonly status?: number;
  /** For `error`: the service's own error code; default the service's word for an internal failure. */
  readonly code?: string;
}

export interface FaultBoard {
  add(fault: Fault): void;
  clear(): void;
  /** The faults that strike this request, counted as used up. */
  take(service: ServiceName, operation: string): readonly Fault[];
}

export function createFaultBoard(): FaultBoard {
  let entries: { fault: Fault; toPass: number; toStrike: number }[] = [];
  return {
    add: (fault) => {
      entries.push({ fault, toPass: fault.after ?? 0, toStrike: fault.times ?? Number.POSITIVE_INFINITY });
    },
    clear: () => {
      entries = [];
    },
    take: (service, operation) => {
      const struck: Fault[] = [];
      for (const entry of entries) {
        if (entry.fault.service !== service || (entry.fault.operation ?? operation) !== operation) continue;
        if (entry.toPass > 0) entry.toPass -= 1;
        else if (entry.toStrike > 0) {
          entry.toStrike -= 1;
          struck.push(entry.fault);
        }
      }
      return struck;
    },
  };
}

/** The error that a `throttle`, `error` or `deny` fault stands for, in the service's own words. */
export function faultError(fault: Fault, words?: FailureWords): WireError | undefined {
  const headers: Record<string, string> =
    fault.retryAfterSeconds === undefined ? {} : { "retry-after": String(fault.retryAfterSeconds) };
  if (words !== undefined) return faultInWords(fault, words, headers);
  switch (fault.kind) {
    case "throttle":
      return throttleError(fault.service, headers);
    case "error":
      return new WireError(
        fault.status ?? 500,
        fault.code ?? (fault.service === "s3" ? "InternalError" : "InternalFailure"),
        "We encountered an internal error. Please try again.",
        headers,
      );
    case "deny":
      return new WireError(403, "AccessDenied", fault.service === "s3" ? "Access Denied" : "Not authorized");
    default:
      return undefined;
  }
}

function faultInWords(fault: Fault, words: FailureWords, headers: Record<string, string>): WireError | undefined {
  const { kind } = fault;
  if (kind !== "throttle" && kind !== "error" && kind !== "deny") return undefined;
  const { status, code, message } = words[kind];
  if (kind !== "error") return new WireError(status, code, message, headers);
  return new WireError(fault.status ?? status, fault.code ?? code, message, headers);
}

function throttleError(service: ServiceName, headers: Record<string, string>): WireError {
  if (service === "s3") return new WireError(503, "SlowDown", "Please reduce your request rate.", headers);
  return new WireError(service === "sts" ? 400 : 429, "Throttling", "Rate exceeded", headers);
}
