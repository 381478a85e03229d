import type { Refusal } from "../exchange/failed-try.js";
import { fieldOf, textOf, type WireAnswer } from "../exchange/wire.js";

const BUSY: readonly string[] = ["RESOURCE_EXHAUSTED", "rateLimitExceeded", "userRateLimitExceeded"];
const BROKEN: readonly string[] = [
  "UNAVAILABLE",
  "INTERNAL",
  "DEADLINE_EXCEEDED",
  "ABORTED",
  "backendError",
  "temporarily_unavailable",
  "server_error",
];

/** Any form of Google's errors: that of OAuth (RFC 6749, 5.2), of its APIs (AIP-193), or of Cloud Storage's older one. */
export function readGoogleRefusal({ status, json }: WireAnswer): Refusal | undefined {
  if (status < 400) return undefined;
  const error = fieldOf(json, "error");
  if (typeof error === "string") {
    return refusalOf(error, textOf(json, "error_description") ?? error, {});
  }
  const code = textOf(error, "status") ?? firstReason(fieldOf(error, "errors"));
  if (code === undefined) return undefined;
  return refusalOf(code, textOf(error, "message") ?? code, detailFacts(fieldOf(error, "details")));
}

function refusalOf(code: string, text: string, facts: Record<string, string>): Refusal {
  const kind = BUSY.includes(code) ? "busy" : BROKEN.includes(code) ? "broken" : "refused";
  return { code, text, kind, facts: { googleCode: code, ...facts } };
}

/** Such as `conditionNotMet`: Cloud Storage's errors have no status but a list of reasons. */
function firstReason(errors: unknown): string | undefined {
  return Array.isArray(errors) ? textOf(errors[0], "reason") : undefined;
}

/** The reason and the permission, of the first detail that has them (google.rpc.ErrorInfo). */
function detailFacts(details: unknown): Record<string, string> {
  if (!Array.isArray(details)) return {};
  const info: unknown = details.find((detail: unknown) => textOf(detail, "reason") !== undefined);
  const permission = textOf(fieldOf(info, "metadata"), "permission");
  return { ...wordFact("reason", textOf(info, "reason")), ...wordFact("permission", permission) };
}

function wordFact(name: string, value: string | undefined): Record<string, string> {
  return value !== undefined && /^[\w.-]{1,100}$/.test(value) ? { [name]: value } : {};
}
