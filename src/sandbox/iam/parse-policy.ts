import { validateIdentityPolicy, validateSessionPolicy } from "@cloud-copilot/iam-policy";
import type { PolicyDocument } from "../../core/profile.js";
import { WireError } from "../wire-error.js";

const VALIDATORS = { session: validateSessionPolicy, identity: validateIdentityPolicy };

/**
 * A policy's text as AWS takes it: JSON, of the grammar of its kind.
 * @throws {WireError} MalformedPolicyDocument
 */
export function parsePolicy(text: string, kind: keyof typeof VALIDATORS): PolicyDocument {
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    throw malformed("This policy contains invalid Json");
  }
  if (typeof policy !== "object" || policy === null || VALIDATORS[kind](policy).length > 0) {
    throw malformed("Syntax errors in policy.");
  }
  return policy as PolicyDocument;
}

function malformed(message: string): WireError {
  return new WireError(400, "MalformedPolicyDocument", message);
}
