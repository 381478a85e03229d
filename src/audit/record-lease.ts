import { AgentctlError, toAgentctlError } from "../core/errors.js";
import type { ChildResult } from "../core/lease.js";
import type { Observe } from "../core/run-request.js";
import type { Runtime } from "../core/runtime.js";
import { type Account, appendAccount } from "./account.js";
import type { Receipt } from "./receipt.js";

/**
 * The last record of a lease whose child ran, and its receipt. The child's own failure is worth more than a record
 * that could not be kept; its success is not.
 * @throws {AgentctlError} AUDIT_UNWRITABLE, LOCK_HELD, RECEIPT_UNWRITABLE, STATE_UNWRITABLE; NOT_TAKEN_BACK where the
 *   profile requires what did not come about; only if the child succeeded
 */
export async function recordEnd(
  account: Account,
  receipt: Receipt,
  child: ChildResult,
  observe: Observe,
  runtime: Runtime,
): Promise<void> {
  try {
    const head = await appendAccount("lease.end", account, runtime);
    receipt.write(account, head);
    if (account.unclosed !== undefined) throw account.unclosed;
    requireTakenBack(account);
  } catch (thrown) {
    const error = toAgentctlError(thrown);
    if (child.exitCode === 0) throw error;
    observe({ kind: "warning", text: `${error.code}: ${error.message}` });
  }
}

function requireTakenBack({ profile, terms, endings = [] }: Account): void {
  const short = endings.filter(({ shortfall }) => shortfall !== undefined);
  if (profile?.revoke !== "required" || short.length === 0) return;
  const what = short.map(({ cloud, shortfall, at }) => `${cloud}: ${shortfall}; usable until ${at}`).join("; ");
  throw new AgentctlError(
    "NOT_TAKEN_BACK",
    `the command succeeded, and what ${profile.name} requires to be taken back was not: ${what}`,
    {
      hint: short.some(({ isUnfinished }) => isUnfinished)
        ? `finish it with: agentctl lease sweep ${terms?.leaseId}`
        : "revoke: auto takes what comes; the receipt holds each step",
    },
  );
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
