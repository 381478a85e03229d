import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import path from "node:path";
import { formatInstant } from "../core/durations.js";
import { AgentctlError } from "../core/errors.js";
import { explainSystemError, openPrivate } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";
import {
  type Account,
  describeChild,
  describeDecision,
  describeError,
  describeGrant,
  describeIdentity,
  describeRenewals,
} from "./account.js";
import { describeCommand } from "./command.js";
import type { ChainHead } from "./log.js";

/** The place of a receipt, known to be there since before anything was asked for. */
export interface Receipt {
  /** Where it will be, and the file beside it that holds its place; absent when none was asked for. */
  readonly place?: { readonly file: string; readonly temporary: string };
  /** Takes the place, once somebody knows of it who clears it should this process die. @throws {AgentctlError} RECEIPT_UNWRITABLE */
  hold(): void;
  /** Writes the account of the lease, as a whole or not at all. @throws {AgentctlError} RECEIPT_UNWRITABLE */
  write(account: Account, head: ChainHead): void;
  /** Lets go of a place that was not written to. */
  release(): void;
}

const NO_RECEIPT: Receipt = { hold: () => {}, write: () => {}, release: () => {} };

/**
 * Looks whether a receipt can be written there, so that a path that can't be is known before anything is asked for. The
 * receipt appears under its name by a rename: a reader sees all of it.
 * @throws {AgentctlError} RECEIPT_UNWRITABLE
 */
export function reserveReceipt(file: string | undefined, runtime: Runtime): Receipt {
  if (file === undefined) return NO_RECEIPT;
  const { fs } = runtime;
  const target = path.resolve(runtime.cwd, file);
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${randomBytes(6).toString("hex")}.tmp`);
  const guarded = <T>(step: () => T): T => {
    try {
      return step();
    } catch (error) {
      throw new AgentctlError("RECEIPT_UNWRITABLE", `cannot write the receipt ${file}: ${explainSystemError(error)}`, {
        hint: "give --receipt a file in a directory that you can write",
        cause: error,
      });
    }
  };
  guarded(() => {
    const existing = fs.lstatSync(target, { throwIfNoEntry: false });
    if (existing !== undefined && !existing.isFile()) throw new Error("it exists and is not a regular file");
    fs.accessSync(path.dirname(target), constants.W_OK | constants.X_OK);
  });
  let fd: number | undefined;
  const hold = (): number => {
    fd ??= guarded(() => openPrivate(temporary, "create", fs));
    return fd;
  };
  return {
    place: { file: target, temporary },
    hold,
    write: (account, head) => {
      const held = hold();
      guarded(() => {
        fs.writeFileSync(held, `${JSON.stringify(toReceipt(account, head, runtime), null, 2)}\n`);
        fs.fsyncSync(held);
        fs.renameSync(temporary, target);
      });
    },
    release: () => {
      if (fd === undefined) return;
      fs.closeSync(fd);
      fd = undefined;
      fs.rmSync(temporary, { force: true });
    },
  };
}

function toReceipt(account: Account, head: ChainHead, runtime: Runtime): object {
  const {
    request,
    profile,
    actor,
    terms,
    plans,
    command,
    identity,
    decision,
    rights,
    grants,
    delivery,
    renewals,
    refusals,
    child,
    endings,
    revokedBy,
    error,
  } = account;
  return {
    version: 1,
    ...(terms && {
      lease: terms.leaseId,
      openedAt: formatInstant(terms.openedAt),
      deadlineAt: formatInstant(terms.deadlineAt),
    }),
    closedAt: formatInstant(runtime.now()),
    ...(profile && { profile: profile.name, config: profile.file }),
    ...(actor && { actor }),
    ...(identity && { identity: describeIdentity(identity) }),
    command: describeCommand(request.argv, command?.path, profile?.auditArgv ?? "first", runtime),
    ...(request.intent !== undefined && { intent: request.intent }),
    ...((decision || error) && { decision: describeDecision(account) }),
    ...(plans && { endpoints: plans.flatMap((plan) => plan.endpoints) }),
    ...(delivery && { delivery: { mode: terms?.deliver, ...delivery } }),
    ...(rights && { rights }),
    grants: (grants ?? []).map((grant) => ({ ...describeGrant(grant), issuedAt: formatInstant(grant.issuedAt) })),
    ...(renewals && renewals.length > 0 && { renewals: renewals.map(describeRenewals) }),
    ...(refusals !== undefined && { refusals }),
    ...(child && {
      child: {
        ...describeChild(child),
        startedAt: formatInstant(child.startedAt),
        endedAt: formatInstant(child.endedAt),
      },
    }),
    endings: endings ?? [],
    ...(revokedBy && { revokedBy }),
    ...(error && { error: describeError(error) }),
    audit: head,
  };
}
