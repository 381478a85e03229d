import type { ServiceRequest } from "../service.js";
import { GoogleApiError } from "./google-error.js";

/** The object in a request's body; an empty body is an empty object. */
export function readJsonBody(request: Pick<ServiceRequest, "body">): Readonly<Record<string, unknown>> {
  const text = request.body.toString("utf8");
  try {
    const value = JSON.parse(text === "" ? "{}" : text) as unknown;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Refused below, as what is no object is.
  }
  throw invalidArgument("Invalid JSON payload received.");
}

export function invalidArgument(text: string): GoogleApiError {
  return new GoogleApiError(400, "INVALID_ARGUMENT", text);
}
