import { type Account, appendAccount, checkAuditWritable, type Receipt, reserveReceipt } from "./audit/index.js";
import { endGrants, issueGrants, planGrants, warmClouds } from "./clouds/index.js";
import { loadProfile } from "./config/index.js";
import type { Decision, ResolvedCommand } from "./core/decision.js";
import { type AgentctlError, toAgentctlError } from "./core/errors.js";
import type { Identity } from "./core/identity.js";
import type { ChildResult, GrantPlan, LeaseTerms } from "./core/lease.js";
import type { Profile } from "./core/profile.js";
import type { Observe, RunRequest } from "./core/run-request.js";
import type { Runtime } from "./core/runtime.js";
import { type DeliveryPreview, prepareDelivery, previewDelivery } from "./deliver/index.js";
import { acquireIdentity, tokenVariables } from "./identity/index.js";
import { type OpenLease, openLease, privateDirOf, setTerms } from "./lease/index.js";
import { decide, detectActor } from "./policy/index.js";
import { findOnPath, type Interruption, resolveCommand, runChild, watchInterruption } from "./run/index.js";

/** Everything that is settled before anything is issued. */
export interface Prepared {
  readonly profile: Profile;
  readonly terms: LeaseTerms;
  readonly plans: readonly GrantPlan[];
  readonly command: ResolvedCommand;
  readonly identity: Identity;
  readonly decision: Decision;
}

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
  try {
    const preparing = prepare(request, account, runtime, (profile) => {
      checkAuditWritable(runtime);
      warmClouds(profile);
    });
    const prepared = await interruption.interrupt(preparing);
    const child = await holdLease(prepared, account, observe, interruption, runtime);
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
  beforeIdentity: (profile: Profile) => void = () => {},
): Promise<Prepared> {
  const profile = loadProfile(request, runtime);
  account.profile = profile;
  const actor = detectActor(request.actor, runtime);
  account.actor = actor;
  const terms = setTerms(profile, request, runtime);
  account.terms = terms;
  const plans = await planGrants(profile, terms, runtime);
  account.plans = plans;
  const searchPath = profile.env.set["PATH"] ?? runtime.env["PATH"] ?? "";
  const command = resolveCommand(request.argv, searchPath, runtime);
  account.command = command;
  beforeIdentity(profile);
  const identity = await acquireIdentity(
    { source: request.identitySource ?? profile.identitySource, audiences: plans },
    runtime,
  );
  account.identity = identity;
  const resolve = (name: string): string | undefined => findOnPath(name, searchPath, runtime);
  const decision = decide({ profile, actor, identity, command, resolve }, runtime);
  account.decision = decision;
  return { profile, terms, plans, command, identity, decision };
}

/** Ledger → grants → delivery → child; and, whatever happens, the one closing of it all. */
async function holdLease(
  prepared: Prepared,
  account: Account,
  observe: Observe,
  interruption: Interruption,
  runtime: Runtime,
): Promise<ChildResult> {
  const { profile, terms, plans, command, identity, decision } = prepared;
  interruption.throwIfInterrupted();
  for (const plan of plans) for (const endpoint of plan.endpoints) observe({ kind: "endpoint", endpoint });
  const lease = openLease({ terms, plans, actor: decision.actor, command }, runtime);
  const delivered = { remove: (): boolean => true };
  try {
    observe({ kind: "opened", profile, terms, identity, actor: decision.actor });
    const context = { mintToken: identity.mintToken, signal: interruption.signal };
    const grants = await issueGrants(profile, plans, terms, context, runtime);
    account.grants = grants;
    for (const grant of grants) observe({ kind: "granted", grant });
    for (const { facts } of grants)
      if (typeof facts["notice"] === "string") observe({ kind: "notice", text: facts["notice"] });

    const input = deliveryInput(prepared, account.request, runtime);
    const delivery = prepareDelivery({ ...input, grants }, runtime);
    delivered.remove = delivery.remove;
    account.delivery = { given: delivery.given, removed: delivery.removed, passed: delivery.passed };
    if (delivery.passed.length > 0) observe({ kind: "warning", text: describePassed(delivery.passed) });
    lease.update({ state: "running", grants });
    await appendAccount("lease.start", account, runtime);
    interruption.throwIfInterrupted();
    account.child = await runChild(
      {
        command,
        env: delivery.env,
        cwd: runtime.cwd,
        deadlineAt: terms.deadlineAt,
        onExpiry: profile.onExpiry,
        graceSeconds: profile.graceSeconds,
        onNotice: (text) => observe({ kind: "notice", text }),
      },
      runtime,
    );
    return account.child;
  } finally {
    if (!delivered.remove()) observe({ kind: "warning", text: "the lease's private files could not be removed" });
    account.endings = await endGrants(account.grants ?? [], runtime);
    for (const ending of account.endings) observe({ kind: "ended", ending });
    closeEntry(lease, account);
  }
}

function describePassed(names: readonly string[]): string {
  return `the command keeps ${names.join(", ")}, as you asked: with that it may be more than the profile`;
}

/** An entry that stays in the ledger is told after the child's own failure, not instead of it. */
function closeEntry(lease: OpenLease, account: Account): void {
  try {
    lease.close();
  } catch (thrown) {
    account.unclosed = toAgentctlError(thrown);
  }
}

function deliveryInput(prepared: Prepared, request: RunRequest, runtime: Runtime) {
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

/** The child's own failure is worth more than a record that could not be kept; its success is not. */
async function recordEnd(
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
  } catch (thrown) {
    const error = toAgentctlError(thrown);
    if (child.exitCode === 0) throw error;
    observe({ kind: "warning", text: `${error.code}: ${error.message}` });
  }
}

/** A refusal is put on record as well; where even that fails, the first error stays the one that is told. */
async function recordFailure(
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
