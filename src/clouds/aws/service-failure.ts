import { systemErrorCode } from "../../core/errors.js";
import { isTlsCode, mayPass } from "../exchange/transport-words.js";

/** What went wrong with one exchange, read from what the SDK threw. */
export type ServiceFailure =
  /** The service, or what stands in its place, answered. `code` is absent when it was no error of the service's form. */
  | { readonly kind: "answer"; readonly status: number; readonly code: string | undefined; readonly text: string }
  /** There was no whole answer. */
  | { readonly kind: "transport"; readonly code: string }
  | { readonly kind: "unknown" };

/** Node reports a connection that broke while the body was read under the same codes. */
const SYSTEM_CODE = /^(E(?!RR_)[A-Z_]+|HPE_\w+)$/;
/** IAM's, of a role that another call is changing, and STS's, of an identity provider that it could not reach. */
const PASSING = new Set(["ConcurrentModification", "IDPCommunicationError"]);
const THROTTLING = new Set([
  "Throttling",
  "RequestThrottled",
  "RequestLimitExceeded",
  "TooManyRequests",
  "SlowDown",
  "PriorRequestNotComplete",
]);

/** Reads an SDK error. Nothing of its `$response` is kept. */
export function readServiceFailure(thrown: unknown): ServiceFailure {
  if (!(thrown instanceof Error)) return { kind: "unknown" };
  const code = systemErrorCode(thrown);
  if (code !== undefined && (SYSTEM_CODE.test(code) || isTlsCode(code))) return { kind: "transport", code };
  if (thrown.name === "TimeoutError" || thrown.name === "AbortError") return { kind: "transport", code: "ETIMEDOUT" };
  const status = statusOf(thrown);
  if (status === undefined) return { kind: "unknown" };
  return { kind: "answer", status, code: serviceCodeOf(thrown), text: thrown.message };
}

/** A code without the "Exception" that AWS writes after some and not after others. */
export function plainCode(code: string | undefined): string | undefined {
  return code?.replace(/Exception$/, "");
}

export function isThrottling(failure: ServiceFailure): boolean {
  return failure.kind === "answer" && (failure.status === 429 || THROTTLING.has(plainCode(failure.code) ?? ""));
}

/** Whether the same question may get another answer in a moment. A refusal never does. */
export function isTransient(thrown: unknown): boolean {
  const failure = readServiceFailure(thrown);
  if (failure.kind === "transport") return mayPass(failure.code);
  if (failure.kind !== "answer") return false;
  return failure.status >= 500 || isThrottling(failure) || PASSING.has(plainCode(failure.code) ?? "");
}

/** The `Retry-After` of an answer, where it is a number of seconds. */
export function retryAfterMs(thrown: unknown): number | undefined {
  const response = (thrown as { $response?: { headers?: Record<string, string | undefined> } } | null)?.$response;
  const value = response?.headers?.["retry-after"];
  return value !== undefined && /^\d{1,4}$/.test(value) ? Number(value) * 1000 : undefined;
}

function statusOf(error: Error): number | undefined {
  const status = (error as { $metadata?: { httpStatusCode?: unknown } }).$metadata?.httpStatusCode;
  return typeof status === "number" ? status : undefined;
}

/** The error's code as on the wire. The SDK calls what has no code `Unknown`, or `NotFound` with status 404. */
function serviceCodeOf(error: Error): string | undefined {
  if (!("$fault" in error)) return undefined;
  const wire = (error as { Code?: unknown }).Code;
  const code = typeof wire === "string" ? wire : error.name;
  return code === "Unknown" || code === "NotFound" ? undefined : code;
}
