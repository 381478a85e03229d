import { AgentctlError, toAgentctlError } from "../../../core/errors.js";
import { fieldOf, textOf } from "../../exchange/wire.js";
import type { Arm } from "./arm.js";
import { azureCodeOf } from "./arm-service.js";
import { isWithin } from "./staying.js";

const API = { "api-version": "2016-09-01" };
const LOCKS = "/providers/Microsoft.Authorization/locks/";
/** Of both levels: neither lets a role assignment be deleted. */
const LEVELS: readonly string[] = ["CanNotDelete", "ReadOnly"];

/** What Resource Manager refuses with for a lock, and the status of a request that came to nothing for one. */
const LOCKED: readonly unknown[] = ["ScopeLocked", "ResourceIsLocked", "FailedAsResourceIsLocked"];

/** A management lock. */
export interface Lock {
  readonly name: string;
  readonly level: string;
  /** Whose resource id is kept, and what is below it. */
  readonly scope: string;
}

/**
 * Makes sure that no lock is on the scopes, or above them: while there is one, Azure deletes no assignment there, and
 * Privileged Identity Management ends none at its time. Where the locks cannot be seen nothing is told.
 * @throws {AgentctlError} CLOUD_DENIED, INTERRUPTED
 */
export async function assertUnlocked(arm: Arm, scopes: readonly string[]): Promise<void> {
  const found = await Promise.all(scopes.map(async (scope) => ({ scope, lock: (await findLocks(arm, scope))[0] })));
  for (const { scope, lock } of found) if (lock !== undefined) throw locked(scope, lock);
}

/** Whether it is for a lock that something was not done. */
export function isForLock(error: AgentctlError): boolean {
  return LOCKED.includes(azureCodeOf(error)) || LOCKED.includes(error.facts["status"]);
}

/** Those at the scope and above it; none where that cannot be told. */
async function findLocks(arm: Arm, scope: string): Promise<readonly Lock[]> {
  // A management group has none, and those of the subscriptions below it do not count.
  if (!/^\/subscriptions\//i.test(scope)) return [];
  try {
    const query = { ...API, $filter: "atScope()" };
    const all = await arm.list(`${scope}${LOCKS.slice(0, -1)}`, query, `read the locks on ${scope}`);
    return all.map(readLock).filter((lock) => LEVELS.includes(lock.level) && isWithin(scope, lock.scope));
  } catch (thrown) {
    if (toAgentctlError(thrown).code === "INTERRUPTED") throw thrown;
    return [];
  }
}

function readLock(json: unknown): Lock {
  const id = textOf(json, "id") ?? "";
  const mark = id.toLowerCase().lastIndexOf(LOCKS.toLowerCase());
  return {
    name: textOf(json, "name") ?? "",
    level: textOf(fieldOf(json, "properties"), "level") ?? "",
    scope: mark < 0 ? id : id.slice(0, mark),
  };
}

function locked(scope: string, { name, level, scope: place }: Lock): AgentctlError {
  const message = `the lock ${name} (${level}) on ${place} would keep what is assigned on ${scope} from being taken back, and from ending at its time`;
  return new AgentctlError("CLOUD_DENIED", message, {
    hint: "take that lock off, or assign on a scope that it is not on: what is below it is kept by it, what is above it is not",
    facts: { scope, lock: name, level },
  });
}
