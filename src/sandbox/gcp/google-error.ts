import { jsonAnswer } from "../json-answer.js";
import type { FailureWords, ServiceAnswer } from "../service.js";
import { WireError } from "../wire-error.js";

const LOGIN_PAGE = "https://developers.google.com/identity/sign-in/web/devconsole-project";

/** A refusal of a Google API, whose code is one of google.rpc.Code, with the reason for programs. */
export class GoogleApiError extends WireError {
  readonly reason: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    reason?: string,
    metadata: Readonly<Record<string, string>> = {},
  ) {
    super(status, code, message);
    this.reason = reason;
    this.metadata = metadata;
  }
}

/** What Google's front end does wrong, in the words of google.rpc.Code. */
export const GOOGLE_FAILURES: FailureWords = {
  throttle: new WireError(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Requests'."),
  error: new WireError(500, "INTERNAL", "Internal error encountered."),
  deny: new WireError(403, "PERMISSION_DENIED", "The caller does not have permission"),
};

export function unauthenticated(reason: string): GoogleApiError {
  return new GoogleApiError(
    401,
    "UNAUTHENTICATED",
    `Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See ${LOGIN_PAGE}.`,
    reason,
  );
}

/** `{"error": {code, message, status, details}}`. */
export function googleApiRefusal(error: WireError): ServiceAnswer {
  const reason = error instanceof GoogleApiError ? error.reason : undefined;
  const metadata = error instanceof GoogleApiError ? error.metadata : {};
  const info = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain: domainOf(reason), metadata };
  const body = {
    code: error.status,
    message: error.message,
    status: error.code,
    ...(reason !== undefined && { details: [info] }),
  };
  const challenge = error.status === 401 ? { "www-authenticate": 'Bearer realm="https://accounts.google.com/"' } : {};
  return jsonAnswer({ error: body }, error.status, challenge);
}

function domainOf(reason: string | undefined): string {
  return reason === "IAM_PERMISSION_DENIED" ? "iam.googleapis.com" : "googleapis.com";
}
