import { formatInstant } from "../core/durations.js";
import { AgentctlError } from "../core/errors.js";
import type { AuditEvent } from "../core/event.js";
import type { Ending, Facts } from "../core/lease.js";
import { explainSystemError, openPrivate, readPrivateFile } from "../core/private-files.js";
import type { ActorKind, AuditSinkName } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { type ChainHead, hashLine } from "./chain.js";
import { appendEvent } from "./log.js";
import { readEvents } from "./read.js";
import type { Receipt } from "./receipt.js";

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

/** The end of a lease as it is on record, and that record's place in the chain. */
export interface RecordedEnd {
  readonly endings: readonly Ending[];
  readonly head: ChainHead;
}

const ENDS: readonly AuditEvent["kind"][] = ["lease.end", "lease.failed", "lease.refused"];

/** The last record of the lease's end; undefined where there is none, or the log cannot be read. */
export async function findRecordedEnd(id: string, runtime: Runtime): Promise<RecordedEnd | undefined> {
  let found: RecordedEnd | undefined;
  try {
    for await (const { record, line } of readEvents({ lease: id }, runtime)) {
      if (!ENDS.includes(record.kind)) continue;
      found = { endings: record.endings ?? [], head: { seq: record.seq, head: hashLine(line) } };
    }
  } catch {
    return undefined;
  }
  return found;
}

/**
 * The receipt that the dead agentctl was asked for, with what the ledger knows: as a whole or not at all, by the file that
 * held its place. One that it wrote itself, when it left its lease unfinished, keeps what it tells beyond that; one that
 * tells of this very record, and one of a later lease, are left alone.
 * @throws {AgentctlError} RECEIPT_UNWRITABLE
 */
export function writeFinishedReceipt(
  { file, temporary }: NonNullable<Receipt["place"]>,
  finished: FinishedLease,
  head: ChainHead,
  runtime: Runtime,
): void {
  const { fs } = runtime;
  try {
    const existing = fs.lstatSync(file, { throwIfNoEntry: false });
    if (existing !== undefined && !existing.isFile()) throw new Error("it exists and is not a regular file");
    const found = parseReceipt(readPrivateFile(file, fs));
    const isOwn = found?.["lease"] === finished.id;
    if (!isOwn && Date.parse(String(found?.["openedAt"])) > finished.openedAt) return;
    if (isOwn && JSON.stringify(found?.["audit"]) === JSON.stringify(head)) return;
    const earlier = isOwn ? found : undefined;
    const fd = openPrivate(temporary, "create", fs);
    try {
      fs.writeFileSync(fd, `${JSON.stringify(toReceipt(finished, earlier, head, runtime), null, 2)}\n`);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, file);
  } catch (error) {
    throw new AgentctlError("RECEIPT_UNWRITABLE", `cannot write the receipt ${file}: ${explainSystemError(error)}`, {
      cause: error,
    });
  }
}

function toReceipt(
  finished: FinishedLease,
  earlier: Readonly<Record<string, unknown>> | undefined,
  head: ChainHead,
  runtime: Pick<Runtime, "now">,
): object {
  const { id, openedAt, deadlineAt, grants, endings, endedBy, profile, actor, identity, command } = finished;
  return {
    version: 1,
    lease: id,
    openedAt: formatInstant(openedAt),
    deadlineAt: formatInstant(deadlineAt),
    profile,
    actor: { kind: actor },
    identity,
    command: { argv0: command },
    grants: grants.map(toReceiptGrant),
    ...earlier,
    closedAt: formatInstant(runtime.now()),
    endings: continueSteps(endings, earlier?.["endings"]),
    endedBy,
    audit: head,
  };
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
