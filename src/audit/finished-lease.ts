import path from "node:path";
import { formatInstant } from "../core/durations.js";
import { AgentctlError } from "../core/errors.js";
import type { AuditEvent } from "../core/event.js";
import type { Ending, Facts } from "../core/lease.js";
import { explainSystemError, writePrivateFile } from "../core/private-files.js";
import type { ActorKind, AuditSinkName } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import type { ChainHead } from "./chain.js";
import { appendEvent } from "./log.js";

/** What the ledger told of a lease that somebody else than its own agentctl has ended; times in epoch ms. */
export interface FinishedLease {
  readonly id: string;
  readonly profile: string;
  readonly actor: ActorKind;
  readonly identity: { readonly source: string; readonly issuer: string; readonly subject: string };
  readonly command: string;
  readonly openedAt: number;
  readonly deadlineAt: number;
  readonly grants: readonly {
    readonly cloud: string;
    readonly channel: string;
    readonly principal: string;
    readonly undo: Facts;
    readonly issuedAt?: number;
    readonly usableUntil?: number;
    readonly expiresAt?: number;
  }[];
  readonly endings: readonly Ending[];
  readonly endedBy: NonNullable<AuditEvent["endedBy"]>;
}

/**
 * Records the end of a lease whose own agentctl could not.
 * @throws {AgentctlError} AUDIT_UNWRITABLE, AUDIT_BROKEN, LOCK_HELD
 */
export function appendFinishedLease(
  finished: FinishedLease,
  sinks: readonly AuditSinkName[],
  runtime: Runtime,
): Promise<ChainHead> {
  const { id, profile, actor, command, endings, endedBy } = finished;
  const event: AuditEvent = {
    kind: "lease.end",
    time: new Date(runtime.now()).toISOString(),
    lease: id,
    profile,
    actor: { kind: actor, reason: "from the ledger" },
    command: { argv0: command },
    endings,
    endedBy,
  };
  return appendEvent(event, runtime, sinks);
}

/**
 * The receipt that the dead agentctl was asked for, with what the ledger knows: as a whole or not at all.
 * @throws {AgentctlError} RECEIPT_UNWRITABLE
 */
export function writeFinishedReceipt(file: string, finished: FinishedLease, head: ChainHead, runtime: Runtime): void {
  const { id, openedAt, deadlineAt, grants, endings, endedBy, profile, actor, identity, command } = finished;
  const receipt = {
    version: 1,
    lease: id,
    openedAt: formatInstant(openedAt),
    deadlineAt: formatInstant(deadlineAt),
    closedAt: formatInstant(runtime.now()),
    profile,
    actor: { kind: actor },
    identity,
    command: { argv0: command },
    grants: grants.map(toReceiptGrant),
    endings,
    endedBy,
    audit: head,
  };
  try {
    const existing = runtime.fs.lstatSync(file, { throwIfNoEntry: false });
    if (existing !== undefined && !existing.isFile()) throw new Error("it exists and is not a regular file");
    writePrivateFile(file, `${JSON.stringify(receipt, null, 2)}\n`, runtime.fs);
  } catch (error) {
    const why = explainSystemError(error instanceof AgentctlError ? error.cause : error);
    throw new AgentctlError("RECEIPT_UNWRITABLE", `cannot write the receipt ${path.basename(file)}: ${why}`, {
      cause: error,
    });
  }
}

function toReceiptGrant(grant: FinishedLease["grants"][number]): object {
  const { cloud, channel, principal, undo, issuedAt, usableUntil, expiresAt } = grant;
  const instant = (at: number | undefined) => (at === undefined ? undefined : formatInstant(at));
  return {
    cloud,
    channel,
    principal,
    issuedAt: instant(issuedAt),
    usableUntil: instant(usableUntil),
    expiresAt: instant(expiresAt),
    undo,
  };
}
