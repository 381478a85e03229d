import {
  type Account,
  appendAccount,
  checkAuditWritable,
  type Receipt,
  recordEnd,
  recordFailure,
  recordHappenings,
  reserveReceipt,
} from "./audit/index.js";
import { closeLease, type HeldLease, hold, revokeWhileRunning } from "./closing-session.js";
import { issueGrants, loadEndpoints, planGrants, warmClouds } from "./clouds/index.js";
import { loadProfile } from "./config/index.js";
import { toAgentctlError } from "./core/errors.js";
import type { ChildResult, Grant, LeaseTerms } from "./core/lease.js";
import type { Prepared } from "./core/prepared.js";
import type { Profile } from "./core/profile.js";
import type { Observe, RunRequest } from "./core/run-request.js";
import type { Runtime } from "./core/runtime.js";
import { explainNesting } from "./core/surrounding-lease.js";
import {
  type Delivery,
  type DeliveryInput,
  type DeliveryPreview,
  prepareDelivery,
  previewDelivery,
} from "./deliver/index.js";
import { acquireIdentity, tokenVariables } from "./identity/index.js";
import {
  type KeptGrants,
  leaseFile,
  type NewLease,
  openLease,
  privateDirOf,
  renewalNotice,
  setTerms,
  startWatchdog,
  type Watchdog,
} from "./lease/index.js";
import { decide, detectActor } from "./policy/index.js";
import { issueContext, keepRenewed, programLookup, searchPathOf } from "./renewal-session.js";
import { type Interruption, resolveCommand, runChild, watchInterruption } from "./run/index.js";
import { sweepBeside } from "./sweep-session.js";

/** What `--dry-run` shows. */
export interface RunPreview extends Prepared {
  readonly delivery: DeliveryPreview;
}

/**
 * The life of a lease, from the request to the receipt. Answers the exit code: the child's own, unless it
 * succeeded and the record of it could not be kept.
 * @throws {AgentctlError} whatever kept the child from running; it is on record by then
 */
export async function runSession(request: RunRequest, observe: Observe, runtime: Runtime): Promise<number> {
  const interruption = watchInterruption(runtime);
  const account: Account = { request };
  const receipt = reserveReceipt(request.receiptPath, runtime);
  let watchdog: Watchdog | undefined;
  try {
    const preparing = prepare(request, account, runtime, (profile, terms) => {
      checkAuditWritable(runtime);
      watchdog = startWatchdog(
        { leaseId: terms.leaseId, entryFile: leaseFile(terms.leaseId, "json", runtime) },
        runtime,
      );
      warmClouds(profile);
    });
    const prepared = await interruption.interrupt(preparing);
    const child = await holdLease(prepared, account, receipt, watchdog as Watchdog, observe, interruption, runtime);
    await recordEnd(account, receipt, child, observe, runtime);
    return child.exitCode;
  } catch (thrown) {
    const error = toAgentctlError(thrown);
    if (account.child === undefined) await recordFailure(account, receipt, error, observe, runtime);
    throw error;
  } finally {
    receipt.release();
    interruption.stop();
  }
}

/** Settles everything and asks no cloud for anything. */
export async function previewSession(request: RunRequest, runtime: Runtime): Promise<RunPreview> {
  const prepared = await prepare(request, { request }, runtime);
  return { ...prepared, delivery: previewDelivery(deliveryInput(prepared, request, runtime), runtime) };
}

/** Profile → terms → plan → command → identity → decision; each is on the account as soon as it is known. */
async function prepare(
  request: RunRequest,
  account: Account,
  runtime: Runtime,
  beforeIdentity: (profile: Profile, terms: LeaseTerms) => void = () => {},
): Promise<Prepared> {
  const profile = loadProfile(request, runtime);
  account.profile = profile;
  const actor = detectActor(request.actor, runtime);
  account.actor = actor;
  const terms = setTerms(profile, request, runtime);
  account.terms = terms;
  const plans = await planGrants(profile, terms, runtime);
  account.plans = plans;
  const command = resolveCommand(request.argv, searchPathOf(profile, runtime), runtime);
  account.command = command;
  beforeIdentity(profile, terms);
  const identity = await acquireIdentity(
    { source: request.identitySource ?? profile.identitySource, audiences: plans },
    runtime,
  ).catch((thrown: unknown) => {
    throw explainNesting(toAgentctlError(thrown), runtime.env, wayOut);
  });
  account.identity = identity;
  const decision = decide({ profile, actor, identity, command, resolve: programLookup(profile, runtime) }, runtime);
  account.decision = decision;
  return { profile, terms, plans, command, identity, decision };
}

function wayOut(profileName: string): string {
  return `start the tool without agentctl run, as ${profileName}, or start this outside of it`;
}

/** Ledger → grants → delivery → child; and, whatever happens, the one closing of it all. */
async function holdLease(
  prepared: Prepared,
  account: Account,
  receipt: Receipt,
  watchdog: Watchdog,
  observe: Observe,
  interruption: Interruption,
  runtime: Runtime,
): Promise<ChildResult> {
  const { profile, terms, plans, identity, decision } = prepared;
  interruption.throwIfInterrupted();
  for (const plan of plans) for (const endpoint of plan.endpoints) observe({ kind: "endpoint", endpoint });
  await watchdog.ready;
  const entry = openLease(entryOf(prepared, receipt), runtime);
  const recorder = recordHappenings(account, observe, runtime);
  const held = hold({ prepared, account, observe, runtime, entry, watchdog, recorder });
  try {
    observe({ kind: "opened", profile, terms, identity, actor: decision.actor });
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
    account.child = await runWatched(held, held.delivery);
    return account.child;
  } finally {
    await closeLease(held);
  }
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
    held.revocation = revokeWhileRunning(held, request);
  });
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
