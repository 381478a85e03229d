import { type Account, appendAccount, checkAuditWritable } from "../audit/index.js";
import { endGrants, issueGrants, lookAtRights, orderOf, type RightsSights } from "../clouds/index.js";
import { AgentctlError, toAgentctlError } from "../core/errors.js";
import type { Actor } from "../core/identity.js";
import type { Ending, Grant, GrantPlan } from "../core/lease.js";
import type { Runtime } from "../core/runtime.js";
import { acquireIdentity } from "../identity/index.js";
import { type NewLease, openLease } from "../lease/index.js";
import { detectActor, permitActor } from "../policy/index.js";
import { watchInterruption } from "../run/index.js";
import type { Examination, Trial } from "./examination.js";

/** What came of asking one cloud. */
export interface CloudTrial {
  readonly plan: GrantPlan;
  readonly tookMs: number;
  /** Both, or an error. */
  readonly grant?: Grant;
  readonly ending?: Ending;
  readonly error?: AgentctlError;
  /** What was seen of the rights that a run would give there; where the grant came about. */
  readonly sights?: RightsSights;
}

/**
 * A lease like any other, but with no command: in the ledger and on record, each cloud asked by itself so that each
 * can be told of, and all of it ended at once.
 * @throws {AgentctlError} ACTOR_DENIED, AUDIT_UNWRITABLE, STATE_UNWRITABLE, INTERRUPTED; on record by then where it can be
 */
export async function tryGrants(trial: Trial, examination: Examination): Promise<readonly CloudTrial[]> {
  const { runtime, runRequest } = examination;
  const account: Account = { request: runRequest, profile: trial.profile, terms: trial.terms, plans: trial.plans };
  const interruption = watchInterruption(runtime);
  try {
    checkAuditWritable(runtime);
    const actor = permit(trial, account, runtime);
    return await holdTrial(trial, actor, account, examination, interruption.signal);
  } catch (thrown) {
    account.error = toAgentctlError(thrown);
    // What is thrown matters more than that it could not be recorded.
    await appendAccount("lease.failed", account, runtime).catch(() => {});
    throw account.error;
  } finally {
    interruption.stop();
  }
}

/** Nobody gets a grant here whom the profile is not for. Its commands are no matter: none is started. */
function permit({ profile }: Trial, account: Account, runtime: Runtime): Actor {
  const actor = detectActor(account.request.actor, runtime);
  account.actor = actor;
  account.decision = { allowed: true, actor, reasons: [permitActor(profile, actor), "no command is started"] };
  return actor;
}

async function holdTrial(
  trial: Trial,
  actor: Actor,
  account: Account,
  examination: Examination,
  signal: AbortSignal,
): Promise<readonly CloudTrial[]> {
  const { runtime } = examination;
  const lease = openLease(entryOf(trial, actor, examination), runtime);
  try {
    const trials = await Promise.all(trial.plans.map((plan) => tryCloud(plan, trial, account, examination, signal)));
    const grants = trials.flatMap(({ grant }) => grant ?? []);
    account.grants = grants;
    try {
      lease.update({ state: "ending", grants });
      if (grants.length > 0) await appendAccount("lease.start", account, runtime);
    } finally {
      account.endings = await endTrial(grants, trial, account, signal, runtime);
    }
    signal.throwIfAborted();
    await recordOutcome(trials, account, runtime);
    return trials.map((each) => withEnding(each, grants, account.endings ?? []));
  } finally {
    lease.close();
  }
}

/** Each cloud is asked with a proof of its own, so that nobody's subject is known yet. */
function entryOf({ profile, terms, plans }: Trial, actor: Actor, { request, runRequest }: Examination): NewLease {
  const source = request.identitySource ?? profile.identitySource;
  const identity = { source, issuer: "", subject: "" };
  return { terms, plans, actor, command: runRequest, identity, graceSeconds: profile.graceSeconds };
}

/** A trial is so short that its fence is nearer than anything that could be taken back. */
function endTrial(
  grants: readonly Grant[],
  { plans, terms }: Trial,
  { identity }: Account,
  signal: AbortSignal,
  runtime: Runtime,
): Promise<Ending[]> {
  const mintToken = async (audiences: readonly string[]) => {
    if (identity === undefined) throw new AgentctlError("NO_IDENTITY", "nothing was granted with an identity");
    return identity.mintToken(audiences);
  };
  const orders = grants.map((grant) => orderOf(grant, plans, terms));
  return endGrants(orders, { mintToken, unwatched: signal, signal, onProgress: () => {} }, runtime);
}

async function tryCloud(
  plan: GrantPlan,
  { profile, terms, run }: Trial,
  account: Account,
  { request, runtime }: Examination,
  signal: AbortSignal,
): Promise<CloudTrial> {
  const startedAt = runtime.now();
  try {
    const source = request.identitySource ?? profile.identitySource;
    const identity = await acquireIdentity({ source, audiences: [plan], signal }, runtime);
    account.identity ??= identity;
    const context = { mintToken: identity.mintToken, signal };
    const [grant] = await issueGrants(profile, [plan], terms, context, runtime);
    const tookMs = runtime.now() - startedAt;
    // Interrupted, the grant is to be ended all the same, and whoever interrupted is told by the signal.
    const sights = await lookAtRights(plan.cloud, run.profile, run.terms, context, runtime).catch(() => []);
    return { plan, ...(grant !== undefined && { grant }), tookMs, sights };
  } catch (thrown) {
    return { plan, error: toAgentctlError(thrown), tookMs: runtime.now() - startedAt };
  }
}

async function recordOutcome(trials: readonly CloudTrial[], account: Account, runtime: Runtime): Promise<void> {
  const failure = trials.find(({ error }) => error !== undefined)?.error;
  if (failure === undefined) {
    await appendAccount("lease.end", account, runtime);
    return;
  }
  await appendAccount("lease.failed", { ...account, error: failure }, runtime);
}

function withEnding(trial: CloudTrial, grants: readonly Grant[], endings: readonly Ending[]): CloudTrial {
  const ending = trial.grant && endings[grants.indexOf(trial.grant)];
  return ending === undefined ? trial : { ...trial, ending };
}
