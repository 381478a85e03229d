import type { RightsContext } from "../../../core/lease.js";
import type { Asking } from "./ask-rights.js";
import { testPermissions } from "./policy-client.js";
import type { Readiness } from "./ready.js";
import type { Renewal } from "./renewal.js";

/** What is given does not wait for this look for long. */
const LOOK_LIMITS = { attempts: 1, requestMs: 4_000 };

/**
 * Tells where the lease's own principal has all of the permissions before anything was given: that they are there will
 * then not show that the lease's role works. Without an answer nothing is told; never throws.
 */
export async function tellGrantedBefore(
  { resource, permissions, story }: Pick<Readiness, "resource" | "permissions" | "story">,
  be: Renewal,
  { onNotice }: Pick<RightsContext, "onNotice">,
  asking: Asking,
): Promise<void> {
  const look = async () => testPermissions(resource, permissions, await be(), { ...asking, limits: LOOK_LIMITS });
  // What keeps the principal from looking is told where it keeps the lease from working.
  const granted = await look().catch((): readonly string[] => []);
  if (!permissions.every((permission) => granted.includes(permission))) return;
  const were = permissions.length === 1 ? "was" : "were";
  const text = `${permissions.join(", ")} on ${resource.name} ${were} granted before anything was given: ready cannot tell when this lease's role works`;
  story.tell(text);
  onNotice(`gcp: ${text}`);
}
