import { formatInstant } from "../../core/durations.js";
import type { Session } from "../iam/sessions.js";
import type { XmlValue } from "../query/xml.js";
import type { SessionPolicies } from "./parameters.js";

/** What both ways of assuming a role answer. */
export function sessionResult(session: Session, policies: SessionPolicies): Record<string, XmlValue> {
  return {
    AssumedRoleUser: { AssumedRoleId: session.userId, Arn: session.arn },
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: formatInstant(session.expiresAt),
    },
    ...(policies.packedSize === undefined ? {} : { PackedPolicySize: policies.packedSize }),
  };
}
