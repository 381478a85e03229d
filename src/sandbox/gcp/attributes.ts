import type { JWTPayload } from "jose";
import { WireError } from "../wire-error.js";
import { evaluateExpression } from "./cel.js";
import type { GooglePrincipal } from "./principal.js";
import { invalidGrant } from "./subject-token.js";
import type { GcpProvider } from "./world.js";

const MAX_SUBJECT_BYTES = 127;
const MODIFY = "Either modify your attribute mapping or the incoming assertion to produce a mapped attribute";

/** Whom the provider's mapping makes of a token's claims, unless its condition rejects them. */
export function mapAttributes(
  claims: JWTPayload,
  pool: string,
  provider: GcpProvider,
): GooglePrincipal & { kind: "federated" } {
  const attributes: Record<string, string> = {};
  let subject: string | undefined;
  let groups: readonly string[] = [];
  for (const [target, expression] of Object.entries(provider.attributeMapping)) {
    const value = evaluateExpression(expression, { assertion: claims });
    if (target === "google.subject" && typeof value === "string") subject = value;
    else if (target === "google.groups" && Array.isArray(value)) groups = value.map(String);
    else if (target.startsWith("attribute.") && value !== undefined) attributes[target.slice(10)] = String(value);
  }
  if (subject === undefined || subject === "") {
    throw invalidGrant(
      `Could not obtain a value for google.subject from the given credential. ${MODIFY} that has one.`,
    );
  }
  if (Buffer.byteLength(subject) > MAX_SUBJECT_BYTES) {
    const text = `The size of mapped attribute google.subject exceeds the ${MAX_SUBJECT_BYTES} bytes limit. ${MODIFY} that is less than ${MAX_SUBJECT_BYTES} bytes.`;
    throw new WireError(400, "invalid_request", text);
  }
  const values = { assertion: claims, google: { subject, groups }, attribute: attributes };
  const condition = provider.attributeCondition;
  if (condition !== undefined && evaluateExpression(condition, values) !== true) {
    const text = "The given credential is rejected by the attribute condition.";
    throw new WireError(400, "unauthorized_client", text);
  }
  return { kind: "federated", pool, subject, attributes, groups };
}
