import type { Grant } from "../../../src/core/lease.js";
import { Secret } from "../../../src/core/secret.js";
import { ACCOUNT, IMPERSONATED } from "./fake-google.js";

/** A grant of Google Cloud for the endpoint. */
export function grantUntil(usableUntil: number): Grant {
  return {
    cloud: "gcp",
    channel: "endpoint",
    principal: ACCOUNT,
    issuedAt: usableUntil - 900_000,
    usableUntil,
    expiresAt: usableUntil,
    variables: {},
    secrets: { token: { value: new Secret(IMPERSONATED), usableUntil } },
    facts: {},
  };
}
