import path from "node:path";
import { formatInstant } from "../core/durations.js";
import { AgentctlError } from "../core/errors.js";
import type { AuditEvent } from "../core/event.js";
import type { Ending, Facts } from "../core/lease.js";
import { explainSystemError, readPrivateFile, writePrivateFile } from "../core/private-files.js";
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
 * Records the end of a lease whose own agentctl could not; as `lease.revoked`, where that lives on and only the grants
 * are ended.
 * @throws {AgentctlError} AUDIT_UNWRITABLE, AUDIT_BROKEN, LOCK_HELD
 */
export function appendFinishedLease(
  finished: FinishedLease,
  sinks: readonly AuditSinkName[],
  runtime: Runtime,
  kind: "lease.end" | "lease.revoked" = "lease.end",
): Promise<ChainHead> {
  const { id, profile, actor, command, endings, endedBy } = finished;
  const now = runtime.now();
  const event: AuditEvent = {
    kind,
    time: new Date(now).toISOString(),
    lease: id,
    profile,
    actor: { kind: actor, reason: "from the ledger" },
    command: { argv0: command },
    endings,
    ...(kind === "lease.revoked" && { revokedBy: { pid: endedBy.pid, at: formatInstant(now) } }),
    endedBy,
  };
  return appendEvent(event, runtime, sinks);
}

/**
 * The receipt that the dead agentctl was asked for, with what the ledger knows: as a whole or not at all. One that it
 * wrote itself, when it left its lease unfinished, keeps what it tells beyond that; one of a later lease is left alone.
 * @throws {AgentctlError} RECEIPT_UNWRITABLE
 */
export function writeFinishedReceipt(file: string, finished: FinishedLease, head: ChainHead, runtime: Runtime): void {
  const { id, openedAt, deadlineAt, grants, endings, endedBy, profile, actor, identity, command } = finished;
  const receipt = {
    version: 1,
    lease: id,
    openedAt: formatInstant(openedAt),
    deadlineAt: formatInstant(deadlineAt),
    profile,
    actor: { kind: actor },
    identity,
    command: { argv0: command },
    grants: grants.map(toReceiptGrant),
  };
  try {
    const existing = runtime.fs.lstatSync(file, { throwIfNoEntry: false });
    if (existing !== undefined && !existing.isFile()) throw new Error("it exists and is not a regular file");
    const earlier = parseReceipt(readPrivateFile(file, runtime.fs));
    if (earlier !== undefined && earlier["lease"] !== id) return;
    const closedAt = formatInstant(runtime.now());
    const end = { closedAt, endings: continueSteps(endings, earlier?.["endings"]), endedBy, audit: head };
    writePrivateFile(file, `${JSON.stringify({ ...receipt, ...earlier, ...end }, null, 2)}\n`, runtime.fs);
  } catch (error) {
    const why = explainSystemError(error instanceof AgentctlError ? error.cause : error);
    throw new AgentctlError("RECEIPT_UNWRITABLE", `cannot write the receipt ${path.basename(file)}: ${why}`, {
      cause: error,
    });
  }
}

/** Undefined for what is no receipt: the path is the lease's own then. */
function parseReceipt(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text ?? "");
    return typeof parsed === "object" && parsed !== null && "lease" in parsed ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

/** What an earlier try did comes first. */
function continueSteps(endings: readonly Ending[], earlier: unknown): readonly Ending[] {
  const before = Array.isArray(earlier) ? (earlier as readonly Partial<Ending>[]) : [];
  return endings.map((ending) => {
    const told = before.find((each) => each?.cloud === ending.cloud)?.steps;
    if (!Array.isArray(told) || JSON.stringify(told) === JSON.stringify(ending.steps)) return ending;
    return { ...ending, steps: [...told, ...(ending.steps ?? [])] };
  });
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
