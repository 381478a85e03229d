import { jsonAnswer } from "../json-answer.js";
import type { FailureWords, ServiceAnswer, ServiceRequest } from "../service.js";
import { WireError } from "../wire-error.js";

/** Each AADSTS code that this Entra gives: its OAuth error and HTTP status. */
const CODES = {
  50013: ["invalid_client", 401],
  50027: ["invalid_request", 400],
  53003: ["invalid_grant", 400],
  70003: ["unsupported_grant_type", 400],
  70011: ["invalid_scope", 400],
  70025: ["invalid_client", 401],
  90002: ["invalid_request", 400],
  90033: ["temporarily_unavailable", 503],
  90055: ["temporarily_unavailable", 429],
  500011: ["invalid_resource", 400],
  700016: ["unauthorized_client", 400],
  700024: ["invalid_client", 401],
  700211: ["invalid_client", 401],
  700212: ["invalid_client", 401],
  700213: ["invalid_client", 401],
  900144: ["invalid_request", 400],
  900561: ["invalid_request", 405],
  1002012: ["invalid_scope", 400],
  7000215: ["invalid_client", 401],
  7000218: ["invalid_client", 401],
  7000272: ["invalid_client", 401],
  7002138: ["invalid_client", 401],
} as const;

export type AadstsCode = keyof typeof CODES;

export const ENTRA_FAILURES: FailureWords = {
  throttle: entraError(90055, "Tenant throttled due to excessive requests."),
  error: entraError(90033, "A transient error has occurred. Please try again."),
  deny: entraError(
    53003,
    "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
  ),
};

export function entraError(code: AadstsCode, text: string): WireError {
  return new WireError(CODES[code][1], `AADSTS${code}`, text);
}

/** In Entra's words: the code in the description, then the ids by which Microsoft's support finds the request. */
export function entraRefusal(error: WireError, request: ServiceRequest, now: number): ServiceAnswer {
  const code = Number(/^AADSTS(\d+)$/.exec(error.code)?.[1] ?? "90033");
  const timestamp = `${new Date(now).toISOString().slice(0, 19).replace("T", " ")}Z`;
  const correlationId = request.headers["client-request-id"] ?? request.requestId;
  const ids = `Trace ID: ${request.requestId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`;
  const body = {
    error: oauthErrorOf(code, error.status),
    error_description: `AADSTS${code}: ${error.message} ${ids}`,
    error_codes: [code],
    timestamp,
    trace_id: request.requestId,
    correlation_id: correlationId,
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  };
  return jsonAnswer(body, error.status, {
    "x-ms-request-id": request.requestId,
    "cache-control": "no-store, no-cache",
  });
}

/** A fault may name a code that is not in the list. */
function oauthErrorOf(code: number, status: number): string {
  const known: Readonly<Record<number, readonly [string, number]>> = CODES;
  return known[code]?.[0] ?? (status >= 500 ? "temporarily_unavailable" : "invalid_request");
}
