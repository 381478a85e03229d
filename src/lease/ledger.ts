import type { ResolvedCommand } from "../core/decision.js";
import { givenRights } from "../core/given-rights.js";
import type { Actor, Identity } from "../core/identity.js";
import type { Ending, Grant, GrantPlan, LeaseTerms } from "../core/lease.js";
import { ensurePrivateDir } from "../core/private-files.js";
import type { CommandProcess } from "../core/process-list.js";
import { currentOwner } from "../core/process-owner.js";
import type { CloudName } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { stateDir } from "../core/state-dir.js";
import { type LeaseEntry, type LeaseState, type LedgerGrant, leaseFile, leasesDir } from "./entry.js";
import { removeEntryFile, writeEntryFile } from "./entry-file.js";
import { type RevokeRequest, watchMark } from "./revoke-mark.js";
import { privateDirOf } from "./terms.js";

export interface NewLease {
  readonly terms: LeaseTerms;
  readonly plans: readonly Pick<GrantPlan, "cloud" | "channel" | "principal" | "undo" | "facts">[];
  readonly actor: Pick<Actor, "kind">;
  readonly command: Pick<ResolvedCommand, "argv">;
  readonly identity: Pick<Identity, "source" | "issuer" | "subject">;
  /** Between SIGTERM and SIGKILL, should someone else have to end the command. */
  readonly graceSeconds: number;
  /** Absolute paths: where the receipt was asked for, and the file beside it that holds its place. */
  readonly receipt?: { readonly file: string; readonly temporary: string };
}

/** What changed; grants and endings are told apart by their cloud. */
export interface LeaseChange {
  readonly state?: LeaseState;
  /** Epoch ms. */
  readonly deadlineAt?: number;
  /** Null when its time has begun. */
  readonly waitsFor?: string | null;
  readonly grants?: readonly Grant[];
  readonly child?: CommandProcess;
  readonly endings?: readonly Ending[];
  /** Of what will not be issued any more, and has nothing to be ended. */
  readonly without?: readonly CloudName[];
}

/** A lease that stands in the ledger. */
export interface OpenLease {
  readonly id: string;
  /** The path of its entry. */
  readonly file: string;
  /** Puts what changed on the disk before it returns. @throws {AgentctlError} STATE_UNWRITABLE; the entry is as before then */
  update(change: LeaseChange): void;
  /** Takes the lease out of the ledger; a second time does nothing. @throws {AgentctlError} STATE_UNWRITABLE */
  close(): void;
  /** Calls `act` once when somebody asks for the lease's end, soon after; answers the way to stop looking. */
  onRevoked(act: (request: RevokeRequest) => void): () => void;
}

/**
 * Writes a lease into the ledger, on the disk before this returns: whatever dies after it, what was about to
 * be issued is known, and how to end it.
 * @throws {AgentctlError} STATE_UNWRITABLE
 */
export function openLease(lease: NewLease, runtime: Runtime): OpenLease {
  ensurePrivateDir(stateDir(runtime), runtime);
  ensurePrivateDir(leasesDir(runtime), runtime);
  let entry = firstEntry(lease, runtime);
  const write = (next: LeaseEntry): void => {
    writeEntryFile(next, runtime);
    entry = next;
  };
  write(entry);
  return {
    id: entry.id,
    file: leaseFile(entry.id, "json", runtime),
    update: (change) => write(applyChange(entry, change)),
    close: () => removeEntryFile(entry.id, runtime),
    onRevoked: (act) => watchMark(entry.id, act, runtime),
  };
}

/** Field by field: a plan knows more than the ledger has to. */
function firstEntry(lease: NewLease, runtime: Runtime): LeaseEntry {
  const { terms, plans, actor, command, identity, graceSeconds, receipt } = lease;
  return {
    version: 2,
    id: terms.leaseId,
    profile: terms.profileName,
    state: "issuing",
    owner: currentOwner(runtime),
    openedAt: terms.openedAt,
    deadlineAt: terms.deadlineAt,
    ...(plans.some(({ facts }) => givenRights(facts).length > 0) && { waitsFor: "its roles are being given" }),
    actor: actor.kind,
    identity: { source: identity.source, issuer: identity.issuer, subject: identity.subject },
    command: command.argv[0],
    graceSeconds,
    privateDir: privateDirOf(terms.leaseId, runtime),
    ...(receipt && { receipt: { file: receipt.file, temporary: receipt.temporary } }),
    grants: plans.map(toGrant),
  };
}

function toGrant({ cloud, channel, principal, undo, facts }: NewLease["plans"][number]): LedgerGrant {
  const rights = givenRights(facts);
  return { cloud, channel, principal, ...(rights.length > 0 && { rights }), undo };
}

/** The entry as it is after a change. */
export function applyChange(entry: LeaseEntry, change: LeaseChange): LeaseEntry {
  const { state, deadlineAt, waitsFor, grants = [], child, endings = [], without = [] } = change;
  const { waitsFor: earlier, ...rest } = entry;
  const waited = waitsFor === null ? undefined : (waitsFor ?? earlier);
  return {
    ...rest,
    ...(waited !== undefined && { waitsFor: waited }),
    ...(state && { state }),
    ...(deadlineAt !== undefined && { deadlineAt }),
    ...(child && { child }),
    grants: entry.grants.flatMap((held) => {
      if (without.includes(held.cloud)) return [];
      const issued = grants.find(({ cloud }) => cloud === held.cloud);
      const ending = endings.find(({ cloud }) => cloud === held.cloud);
      return [{ ...held, ...(issued && noteIssued(held, issued)), ...(ending && { ending }) }];
    }),
  };
}

/** Field by field: a grant carries its secrets with it. */
function noteIssued(held: LedgerGrant, { principal, issuedAt, usableUntil, expiresAt }: Grant): Partial<LedgerGrant> {
  const isRenewed = held.issuedAt !== undefined && held.issuedAt !== issuedAt;
  const renewed = (held.renewed ?? 0) + (isRenewed ? 1 : 0);
  return { principal, issuedAt, usableUntil, expiresAt, ...(renewed > 0 && { renewed }) };
}
