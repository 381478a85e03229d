import type { IssueContext } from "../../../core/lease.js";
import type { Asking, Bearer } from "./ask-rights.js";
import { bePrincipal, type Federation, openFederation } from "./bearers.js";
import type { Identities } from "./identities.js";

/** A token that ends within this is replaced before it is used. */
const SPARE_MS = 60_000;

/** The lease's own principal, whenever it is asked for, however long something is waited for. */
export type Renewal = () => Promise<Bearer>;

/**
 * Answers the principal with a token that still lasts, had by the federation while that lasts, and by another after it.
 * The renewal throws as `bePrincipal` and `openFederation` do, and what `mintToken` throws.
 */
export function renewPrincipal(
  who: Identities,
  mintToken: IssueContext["mintToken"],
  federation: Federation,
  asking: Asking,
): Renewal {
  let [from, bearer]: [Federation, Bearer | undefined] = [federation, undefined];
  const lasts = ({ expiresAt }: { readonly expiresAt: number }) => expiresAt - asking.runtime.now() >= SPARE_MS;
  return async () => {
    if (bearer !== undefined && lasts(bearer)) return bearer;
    if (!lasts(from.federated)) from = await openFederation(who, mintToken, asking);
    bearer = await bePrincipal(who, from, asking);
    return bearer;
  };
}
