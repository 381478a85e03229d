import path from "node:path";
import type { ResolvedCommand } from "../core/decision.js";
import { AgentctlError } from "../core/errors.js";
import type { Actor } from "../core/identity.js";
import type { Grant, GrantPlan, LeaseTerms } from "../core/lease.js";
import { ensurePrivateDir, explainSystemError, syncDirectory, writePrivateFile } from "../core/private-files.js";
import { currentOwner } from "../core/process-owner.js";
import type { Runtime } from "../core/runtime.js";
import { stateDir } from "../core/state-dir.js";
import { type LeaseEntry, type LeaseState, type LedgerGrant, leasesDir } from "./entry.js";
import { privateDirOf } from "./terms.js";

export interface NewLease {
  readonly terms: LeaseTerms;
  readonly plans: readonly Pick<GrantPlan, "cloud" | "principal">[];
  readonly actor: Pick<Actor, "kind">;
  readonly command: Pick<ResolvedCommand, "argv">;
}

/** A lease that stands in the ledger. */
export interface OpenLease {
  readonly id: string;
  /** Puts what changed on the disk before it returns. @throws {AgentctlError} STATE_UNWRITABLE */
  update(change: { readonly state?: LeaseState; readonly grants?: readonly Grant[] }): void;
  /** Takes the lease out of the ledger; a second time does nothing. @throws {AgentctlError} STATE_UNWRITABLE */
  close(): void;
}

/**
 * Writes a lease into the ledger, on the disk before this returns: whatever dies after it, what was about to
 * be issued is known.
 * @throws {AgentctlError} STATE_UNWRITABLE
 */
export function openLease(lease: NewLease, runtime: Runtime): OpenLease {
  const dir = leasesDir(runtime);
  ensurePrivateDir(stateDir(runtime), runtime);
  ensurePrivateDir(dir, runtime);
  let entry = firstEntry(lease, runtime);
  const file = path.join(dir, `${entry.id}.json`);
  const write = (next: LeaseEntry): void => {
    writePrivateFile(file, `${JSON.stringify(next, null, 2)}\n`, runtime.fs);
    entry = next;
  };
  write(entry);
  return {
    id: entry.id,
    update: ({ state, grants }) =>
      write({ ...entry, ...(state && { state }), ...(grants && { grants: grants.map(toLedgerGrant) }) }),
    close: () => removeEntry(file, runtime),
  };
}

function firstEntry({ terms, plans, actor, command }: NewLease, runtime: Runtime): LeaseEntry {
  return {
    version: 1,
    id: terms.leaseId,
    profile: terms.profileName,
    state: "issuing",
    owner: currentOwner(runtime),
    openedAt: terms.openedAt,
    deadlineAt: terms.deadlineAt,
    actor: actor.kind,
    command: command.argv[0],
    privateDir: privateDirOf(terms.leaseId, runtime),
    grants: plans.map(({ cloud, principal }) => ({ cloud, principal })),
  };
}

/** Field by field: a grant carries its secrets with it. */
function toLedgerGrant({ cloud, principal, usableUntil, expiresAt }: Grant): LedgerGrant {
  return { cloud, principal, usableUntil, expiresAt };
}

function removeEntry(file: string, runtime: Runtime): void {
  try {
    runtime.fs.rmSync(file, { force: true });
    syncDirectory(path.dirname(file), runtime.fs);
  } catch (error) {
    throw new AgentctlError("STATE_UNWRITABLE", `cannot remove ${file}: ${explainSystemError(error)}`, {
      hint: "agentctl lease list shows the lease until the file is gone",
      cause: error,
    });
  }
}
