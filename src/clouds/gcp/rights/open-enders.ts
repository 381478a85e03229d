import { AgentctlError } from "../../../core/errors.js";
import type { Asking } from "./ask-rights.js";
import { beGranter, bePrincipal, type Federation } from "./bearers.js";
import type { Enders } from "./end-entitlement.js";
import type { Identities } from "./identities.js";

/**
 * Those who can take back what was given; without a granter that is refused where an entitlement's grant can be withdrawn
 * by whoever asked for it.
 * @throws {AgentctlError} as `beGranter` does
 */
export async function openEnders(
  who: Identities,
  { granter, entitlement }: { readonly granter?: string; readonly entitlement?: string },
  federation: Federation,
  asking: Asking,
): Promise<Enders> {
  const principal = () => bePrincipal(who, federation, asking);
  if (granter === undefined) return { principal };
  try {
    return { principal, granter: await beGranter(who, granter, federation, asking) };
  } catch (error) {
    if (entitlement === undefined || !(error instanceof AgentctlError) || error.code !== "CLOUD_DENIED") throw error;
    return { principal, refusal: error };
  }
}
