import { formatInstant } from "../core/durations.js";
import { AgentctlError, toAgentctlError } from "../core/errors.js";
import type { ChildResult, Ending } from "../core/lease.js";
import type { Observe } from "../core/run-request.js";
import type { Runtime } from "../core/runtime.js";
import { isUnfinished, lastRetryOf } from "../core/unfinished.js";
import { type Account, appendAccount } from "./account.js";
import type { Receipt } from "./receipt.js";

/**
 * The last record of a lease whose child ran, and its receipt. Answers why they could not be kept:
 * AUDIT_UNWRITABLE, AUDIT_BROKEN, LOCK_HELD, RECEIPT_UNWRITABLE.
 */
export async function recordEnd(
  account: Account,
  receipt: Receipt,
  runtime: Runtime,
): Promise<AgentctlError | undefined> {
  try {
    const head = await appendAccount("lease.end", account, runtime);
    receipt.write(account, head);
    return undefined;
  } catch (thrown) {
    return toAgentctlError(thrown);
  }
}

/**
 * What went wrong after the command: its own failure is worth more than that, and its success is not.
 * @throws {AgentctlError} `unrecorded`; STATE_UNWRITABLE where the lease could not be taken out of the ledger;
 *   NOT_TAKEN_BACK where the profile requires what did not come about; only if the child succeeded
 */
export function concludeRun(
  account: Account,
  child: ChildResult,
  unrecorded: AgentctlError | undefined,
  observe: Observe,
): void {
  const error = unrecorded ?? account.unclosed ?? notTakenBack(account);
  if (error === undefined) return;
  if (child.exitCode === 0) throw error;
  observe({ kind: "warning", text: `${error.code}: ${error.message}` });
}

function notTakenBack({ profile, terms, endings = [] }: Account): AgentctlError | undefined {
  const short = endings.filter(({ shortfall }) => shortfall !== undefined);
  if (profile?.revoke !== "required" || short.length === 0) return undefined;
  const what = short.map(({ cloud, shortfall, at }) => `${cloud}: ${shortfall}; usable until ${at}`).join("; ");
  const message = `what ${profile.name} requires to be taken back was not: ${what}`;
  return new AgentctlError("NOT_TAKEN_BACK", message, {
    hint: hintOf(short, terms?.leaseId),
  });
}

function hintOf(short: readonly Ending[], leaseId: string | undefined): string {
  if (!short.some(isUnfinished)) return "revoke: auto takes what comes; the receipt holds each step";
  const retryAt = lastRetryOf(short);
  if (retryAt === undefined) return `finish it with: agentctl lease sweep ${leaseId}`;
  const when = `at ${formatInstant(retryAt)}, if this machine still runs`;
  return `nothing to do: its watchdog takes it back ${when}; agentctl lease show ${leaseId} tells whether it has`;
}

/** A refusal is put on record as well; where even that fails, the first error stays the one that is told. */
export async function recordFailure(
  account: Account,
  receipt: Receipt,
  error: AgentctlError,
  observe: Observe,
  runtime: Runtime,
): Promise<void> {
  account.error = error;
  // Who names no profile has asked for nothing yet that could be granted or refused.
  if (account.request.profileName === undefined) return;
  try {
    const head = await appendAccount("lease.failed", account, runtime);
    receipt.write(account, head);
  } catch (thrown) {
    const second = toAgentctlError(thrown);
    if (second.code !== error.code) observe({ kind: "warning", text: `not on record: ${second.message}` });
  }
}
