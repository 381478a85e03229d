import { decodeJwt } from "jose";
import type { Grant } from "../../core/lease.js";
import type { AzureSettings } from "../../core/profile.js";

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The tenant by its id, first, and by the domain that the profile has: tools are given and ask for the id, and where
 * the profile has a domain, only a token knows it (`az login --identity` reads it from there too).
 */
export function tenantIdsOf(
  { tenantId }: AzureSettings,
  grant: Pick<Grant, "secrets">,
): readonly [string, ...string[]] {
  if (GUID.test(tenantId)) return [tenantId];
  const [first] = Object.values(grant.secrets);
  const read = first === undefined ? undefined : readTenant(first.value.reveal());
  return read === undefined ? [tenantId] : [read, tenantId];
}

/** An access token is its resource's to read; where it is no JWT, the domain has to do. */
function readTenant(token: string): string | undefined {
  try {
    const { tid } = decodeJwt(token);
    return typeof tid === "string" && GUID.test(tid) ? tid : undefined;
  } catch {
    return undefined;
  }
}
