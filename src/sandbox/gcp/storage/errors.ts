import { jsonAnswer } from "../../json-answer.js";
import type { FailureWords, ServiceAnswer } from "../../service.js";
import { WireError } from "../../wire-error.js";

/** Cloud Storage's refusals have a reason where other Google APIs have a status. */
export const STORAGE_FAILURES: FailureWords = {
  throttle: new WireError(429, "rateLimitExceeded", "The rate of requests is too high."),
  error: new WireError(503, "backendError", "We encountered an internal error. Please try again."),
  deny: new WireError(403, "forbidden", "Access denied."),
};

export function storageRefusal({ status, code, message }: WireError): ServiceAnswer {
  const place =
    code === "authError" || code === "required" ? { locationType: "header", location: "Authorization" } : {};
  const errors = [{ message, domain: "global", reason: code, ...place }];
  const challenge = status === 401 ? { "www-authenticate": 'Bearer realm="https://accounts.google.com/"' } : {};
  return jsonAnswer({ error: { code: status, message, errors } }, status, challenge);
}

export function noSuchObject(bucket: string, object: string): WireError {
  return new WireError(404, "notFound", `No such object: ${bucket}/${object}`);
}

export function noSuchBucket(): WireError {
  return new WireError(404, "notFound", "The specified bucket does not exist.");
}

export function conditionNotMet(message = "At least one of the pre-conditions you specified did not hold."): WireError {
  return new WireError(412, "conditionNotMet", message);
}
