import {
  type Account,
  appendAccount,
  checkAuditWritable,
  concludeRun,
  type Receipt,
  recordEnd,
  recordFailure,
  recordHappenings,
  reserveReceipt,
} from "./audit/index.js";
import { closeLease, endAtDeadline, leaveLedger, revokeWhileRunning } from "./closing-session.js";
import { issueGrants, loadEndpoints, warmClouds } from "./clouds/index.js";
import { callAt } from "./core/call-at.js";
import { toAgentctlError } from "./core/errors.js";
import type { ChildResult, Grant } from "./core/lease.js";
import type { Prepared } from "./core/prepared.js";
import type { Observe, RunRequest } from "./core/run-request.js";
import type { Runtime } from "./core/runtime.js";
import {
  type Delivery,
  type DeliveryInput,
  type DeliveryPreview,
  prepareDelivery,
  previewDelivery,
} from "./deliver/index.js";
import { type HeldLease, hold } from "./held-session.js";
import { tokenVariables } from "./identity/index.js";
import {
  type KeptGrants,
  leaseFile,
  type NewLease,
  openLease,
  privateDirOf,
  renewalNotice,
  startWatchdog,
  type Watchdog,
} from "./lease/index.js";
import { prepare } from "./prepare-session.js";
import { issueContext, keepRenewed } from "./renewal-session.js";
import { giveRights } from "./rights-session.js";
import { type Interruption, runChild, watchInterruption } from "./run/index.js";
import { sweepBeside } from "./sweep-session.js";

/** What `--dry-run` shows. */
export interface RunPreview extends Prepared {
  readonly delivery: DeliveryPreview;
}

/**
 * The life of a lease, from the request to the receipt. Answers the exit code: the child's own, unless it
 * succeeded and the record of it could not be kept, or what has to be taken back was not.
 * @throws {AgentctlError} whatever kept the child from running; it is on record by then
 */
export async function runSession(request: RunRequest, observe: Observe, runtime: Runtime): Promise<number> {
  const interruption = watchInterruption(runtime);
  const account: Account = { request };
  const receipt = reserveReceipt(request.receiptPath, runtime);
  let watchdog: Watchdog | undefined;
  let held: HeldLease | undefined;
  try {
    const preparing = prepare(request, account, runtime, (profile, { leaseId }) => {
      checkAuditWritable(runtime);
      watchdog = startWatchdog({ leaseId, entryFile: leaseFile(leaseId, "json", runtime) }, runtime);
      warmClouds(profile);
    });
    const prepared = await interruption.interrupt(preparing);
    held = await openHeld(prepared, account, receipt, watchdog as Watchdog, observe, interruption, runtime);
    const child = await holdLease(held, interruption);
    const unrecorded = await recordEnd(account, receipt, runtime);
    leaveLedger(held);
    concludeRun(account, child, unrecorded, observe);
    return child.exitCode;
  } catch (thrown) {
    const error = toAgentctlError(thrown);
    if (account.child === undefined) await recordFailure(account, receipt, error, observe, runtime);
    if (held !== undefined) leaveLedger(held);
    throw error;
  } finally {
    receipt.release();
    interruption.stopAfterExit();
  }
}

/** Settles everything and asks no cloud for anything. */
export async function previewSession(request: RunRequest, runtime: Runtime): Promise<RunPreview> {
  const prepared = await prepare(request, { request }, runtime);
  return { ...prepared, delivery: previewDelivery(deliveryInput(prepared, request, runtime), runtime) };
}

/** The ledger, with somebody beside it who finishes what it says, before anything is asked for. */
async function openHeld(
  prepared: Prepared,
  account: Account,
  receipt: Receipt,
  watchdog: Watchdog,
  observe: Observe,
  interruption: Interruption,
  runtime: Runtime,
): Promise<HeldLease> {
  interruption.throwIfInterrupted();
  for (const plan of prepared.plans) for (const endpoint of plan.endpoints) observe({ kind: "endpoint", endpoint });
  await watchdog.ready;
  const entry = openLease(entryOf(prepared, receipt), runtime);
  return hold({
    prepared,
    account,
    receipt,
    observe,
    runtime,
    entry,
    watchdog,
    recorder: recordHappenings(account, observe, runtime),
  });
}

/** Rights → grants → delivery → child; and, whatever happens, the one closing of it all. */
async function holdLease(held: HeldLease, interruption: Interruption): Promise<ChildResult> {
  const { account, receipt, observe, runtime, entry, recorder } = held;
  try {
    receipt.hold();
    tellOpened(held);
    await giveRights(held, interruption);
    const { prepared } = held;
    const { profile, terms, plans, identity } = prepared;
    const issued: Grant[] = [];
    account.grants = issued;
    const context = issueContext(identity, interruption.signal);
    const grants = await issueGrants(profile, plans, terms, context, runtime, (grant) => issued.push(grant));
    account.grants = grants;
    tellGrants(grants, prepared, observe);
    held.kept = keepRenewed(grants, prepared, recorder, runtime, (newest) => {
      account.grants = newest;
      recorder.attempt(() => held.delivery?.refreshFiles(newest));
      recorder.attempt(() => entry.update({ grants: newest }));
    });
    held.delivery = await deliver(grants, held.kept, held);
    entry.update({ state: "running", grants });
    await appendAccount("lease.start", account, runtime);
    interruption.throwIfInterrupted();
    held.isHandedOut = true;
    account.child = await runWatched(held, held.delivery);
    return account.child;
  } finally {
    await closeLease(held);
  }
}

function tellOpened({ prepared, observe }: HeldLease): void {
  const { profile, terms, identity, decision } = prepared;
  observe({ kind: "opened", profile, terms, identity, actor: decision.actor });
}

function entryOf({ profile, terms, plans, command, identity, decision }: Prepared, { place }: Receipt): NewLease {
  const { graceSeconds } = profile;
  return { terms, plans, actor: decision.actor, command, identity, graceSeconds, ...(place && { receipt: place }) };
}

/** The child, while the lease can be revoked and what others left behind is swept: neither holds it up. */
async function runWatched(held: HeldLease, delivery: Delivery): Promise<ChildResult> {
  const { prepared, observe, runtime, entry, recorder } = held;
  const { profile, terms, command } = prepared;
  const stopWatching = entry.onRevoked((request) => {
    held.earlyEnd = revokeWhileRunning(held, request);
  });
  const stopTimer = held.askedForRights.size === 0 ? undefined : callAt(terms.deadlineAt, endEarly, runtime);
  function endEarly(): void {
    held.earlyEnd ??= endAtDeadline(held);
  }
  try {
    return await runChild(
      {
        command,
        env: delivery.env,
        cwd: runtime.cwd,
        deadlineAt: terms.deadlineAt,
        onExpiry: profile.onExpiry,
        graceSeconds: profile.graceSeconds,
        revoked: held.revoked.signal,
        onNotice: (text) => observe({ kind: "notice", text }),
        onStarted: (child) => {
          delivery.watchChild(child.pid);
          recorder.attempt(() => entry.update({ child }));
          held.sweeping = sweepBeside(entry.id, held.sweepStop.signal, observe, runtime);
        },
      },
      runtime,
    );
  } finally {
    stopWatching();
    stopTimer?.();
  }
}

function tellGrants(grants: readonly Grant[], { terms, identity }: Prepared, observe: Observe): void {
  const unrenewed = renewalNotice(grants, terms, identity);
  for (const grant of grants) {
    const isRenewed = grant.channel === "endpoint" && grant.usableUntil < terms.deadlineAt && unrenewed === undefined;
    observe({ kind: "granted", grant, isRenewed });
  }
  const notices = [...grants.map(({ facts }) => facts["notice"]), unrenewed];
  for (const text of notices) if (typeof text === "string") observe({ kind: "notice", text });
}

async function deliver(grants: readonly Grant[], kept: KeptGrants, held: HeldLease): Promise<Delivery> {
  const { prepared, account, observe, recorder, runtime } = held;
  const endpoints = await loadEndpoints(prepared.profile, prepared.plans, runtime);
  const deliverables = { grants, endpoints, current: kept.current, onRefused: recorder.requestRefused };
  const delivery = await prepareDelivery(deliveryInput(prepared, account.request, runtime), deliverables, runtime);
  account.delivery = { given: delivery.given, removed: delivery.removed, passed: delivery.passed };
  if (delivery.passed.length > 0) observe({ kind: "warning", text: describePassed(delivery.passed) });
  return delivery;
}

function describePassed(names: readonly string[]): string {
  return `the command keeps ${names.join(", ")}, as you asked: with that it may be more than the profile`;
}

function deliveryInput(prepared: Prepared, request: RunRequest, runtime: Runtime): DeliveryInput {
  const { profile, terms, plans, decision } = prepared;
  return {
    profile,
    terms,
    plans,
    actorKind: decision.actor.kind,
    passEnv: request.passEnv,
    alsoRemove: tokenVariables(runtime),
    privateDir: privateDirOf(terms.leaseId, runtime),
  };
}
