import { toAgentctlError } from "../../../core/errors.js";
import type { Story } from "../../story.js";
import { hasExpired, readDenyName } from "./deny.js";
import type { RolePolicies } from "./role-policies.js";

/** So that an ending is not held up by those of yesterday: each removes more than the one that it adds. */
const MOST_AT_ONCE = 10;

/** Deletes denies whose sessions are fenced anyway, the oldest first; answers the names of those that stay. */
export async function pruneExpired(
  role: RolePolicies,
  awsNow: number,
  most: number = MOST_AT_ONCE,
): Promise<{ readonly removed: readonly string[]; readonly kept: readonly string[] }> {
  const denies = (await role.list()).flatMap((name) => readDenyName(name) ?? []);
  const expired = denies.filter((deny) => hasExpired(deny, awsNow));
  const oldest = expired.sort((one, other) => one.untilSeconds - other.untilSeconds).slice(0, most);
  for (const { name } of oldest) await role.delete(name);
  const removed = oldest.map(({ name }) => name);
  return { removed, kept: denies.map(({ name }) => name).filter((name) => !removed.includes(name)) };
}

/**
 * The same where nothing depends on it: what could not be pruned is told, and is no reason not to put a deny.
 * Answers what stays, as far as it is known.
 */
export async function tryPruning(
  role: RolePolicies,
  awsNow: number,
  story: Pick<Story, "tell">,
  signal: AbortSignal,
  most?: number,
): Promise<readonly string[]> {
  try {
    const { removed, kept } = await pruneExpired(role, awsNow, most);
    if (removed.length > 0) story.tell(`pruned ${removed.length} of our denies, whose sessions are fenced anyway`);
    return kept;
  } catch (error) {
    if (signal.aborted) throw error;
    story.tell(`could not prune: ${toAgentctlError(error).message}`);
    return [];
  }
}
