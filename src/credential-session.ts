import { type Account, appendAccount, checkAuditWritable } from "./audit/index.js";
import { endGrants, issueGrants, planGrants, warmClouds } from "./clouds/index.js";
import { loadProfile } from "./config/index.js";
import { fittingAudience } from "./core/audience.js";
import type { Decision, ResolvedCommand } from "./core/decision.js";
import { type AgentctlError, toAgentctlError } from "./core/errors.js";
import type { Identity } from "./core/identity.js";
import type { Grant, GrantPlan, IssueContext, LeaseTerms } from "./core/lease.js";
import type { Profile } from "./core/profile.js";
import type { Observe } from "./core/run-request.js";
import type { Runtime } from "./core/runtime.js";
import {
  assertHandOut,
  type Credential,
  type CredentialRequest,
  commandOf,
  endIdToken,
  explainNesting,
  findSurroundingLease,
  grantIdToken,
  hasAzureVariables,
  narrowProfile,
  readFromLease,
  readGrant,
  readIdToken,
  resolveSelf,
  type SurroundingLease,
} from "./credential/index.js";
import { acquireIdentity } from "./identity/index.js";
import { type OpenLease, openLease, setTerms } from "./lease/index.js";
import { decide, detectActor } from "./policy/index.js";
import { findOnPath, type Interruption, watchInterruption } from "./run/index.js";

interface Prepared {
  readonly profile: Profile;
  readonly terms: LeaseTerms;
  readonly plans: readonly GrantPlan[];
  readonly command: ResolvedCommand;
  readonly identity: Identity;
  readonly decision: Decision;
}

/**
 * The credential that a tool asks a helper for: out of the surrounding lease when that is the profile's, else of a
 * lease of its own, which is on record from beginning to end before anything leaves.
 * @throws {AgentctlError} whatever kept it from being handed out; on record, but for what the surrounding lease refuses
 */
export async function obtainCredential(
  request: CredentialRequest,
  observe: Observe,
  runtime: Runtime,
): Promise<Credential> {
  const lease = findSurroundingLease(request.profileName, runtime.env);
  if (lease === undefined) return issueCredential(request, observe, runtime);
  return readFromLease({ ...request, ...defaultScope(request, lease, runtime) }, lease, runtime);
}

/** Which of Azure's scopes is the first, the endpoint does not say. */
function defaultScope(
  request: CredentialRequest,
  { profileName }: SurroundingLease,
  runtime: Runtime,
): { readonly scope?: string } {
  if (request.cloud !== "azure" || request.scope !== undefined || hasAzureVariables(runtime.env)) return {};
  const scope = loadProfile({ ...request, profileName }, runtime).clouds.azure?.scopes[0];
  return scope === undefined ? {} : { scope };
}

async function issueCredential(request: CredentialRequest, observe: Observe, runtime: Runtime): Promise<Credential> {
  const interruption = watchInterruption(runtime);
  const account: Account = { request: { ...request, argv: commandOf(request), passEnv: [] } };
  try {
    const prepared = await interruption.interrupt(prepare(request, account, runtime));
    return await holdLease(request, prepared, account, observe, interruption, runtime);
  } catch (thrown) {
    const error = explainNesting(toAgentctlError(thrown), runtime.env);
    await recordFailure(account, error, observe, runtime);
    throw error;
  } finally {
    interruption.stop();
  }
}

/** Profile → terms → plan → command → identity → decision, as for a run. */
async function prepare(request: CredentialRequest, account: Account, runtime: Runtime): Promise<Prepared> {
  const profile = narrowProfile(loadProfile(request, runtime), request);
  account.profile = profile;
  if (request.format === "executable") assertHandOut(profile, runtime.env);
  const actor = detectActor(undefined, runtime);
  account.actor = actor;
  const terms = setTerms(profile, account.request, runtime);
  account.terms = terms;
  const plans = await planGrants(profile, terms, runtime);
  account.plans = plans;
  const resolve = (name: string): string | undefined => findOnPath(name, runtime.env["PATH"] ?? "", runtime);
  const command = resolveSelf(account.request.argv, profile, resolve);
  account.command = command;
  checkAuditWritable(runtime);
  if (request.format !== "executable") warmClouds(profile);
  const source = request.identitySource ?? profile.identitySource;
  const identity = await acquireIdentity({ source, audiences: plans }, runtime);
  account.identity = identity;
  const decision = decide({ profile, actor, identity, command, resolve }, runtime);
  account.decision = decision;
  return { profile, terms, plans, command, identity, decision };
}

/** Ledger → grant → record → end: what is handed out is not taken back here, since it is to be used after this. */
async function holdLease(
  request: CredentialRequest,
  prepared: Prepared,
  account: Account,
  observe: Observe,
  interruption: Interruption,
  runtime: Runtime,
): Promise<Credential> {
  const { profile, terms, plans, command, decision } = prepared;
  const isIdToken = request.format === "executable";
  interruption.throwIfInterrupted();
  for (const plan of plans) for (const endpoint of plan.endpoints) observe({ kind: "endpoint", endpoint });
  const lease = openLease({ terms, plans, actor: decision.actor, command }, runtime);
  try {
    const grants = await (isIdToken
      ? mintIdToken(prepared, runtime)
      : issueGrants(profile, plans, terms, contextOf(prepared, interruption), runtime));
    account.grants = grants;
    lease.update({ state: "ending", grants });
    await appendAccount("lease.start", account, runtime);
    interruption.throwIfInterrupted();
  } finally {
    const grants = account.grants ?? [];
    account.endings = isIdToken ? grants.map(endIdToken) : await endGrants(grants, runtime);
    closeEntry(lease, account);
  }
  await appendAccount("lease.end", account, runtime);
  if (account.unclosed !== undefined) throw account.unclosed;
  return isIdToken ? readIdToken(account.grants) : readGrant(account.grants, profile);
}

function contextOf({ identity }: Prepared, { signal }: Interruption): IssueContext {
  return { mintToken: identity.mintToken, signal };
}

async function mintIdToken({ plans, identity }: Prepared, runtime: Runtime): Promise<Grant[]> {
  const minting = plans.map(async ({ audiences }) => {
    const token = await identity.mintToken(audiences);
    return grantIdToken(token, fittingAudience(token, audiences), runtime.now());
  });
  return Promise.all(minting);
}

/** An entry that stays in the ledger is told after what failed first, not instead of it. */
function closeEntry(lease: OpenLease, account: Account): void {
  try {
    lease.close();
  } catch (thrown) {
    account.unclosed = toAgentctlError(thrown);
  }
}

/** Where even the record fails, the first error stays the one that is told. */
async function recordFailure(
  account: Account,
  error: AgentctlError,
  observe: Observe,
  runtime: Runtime,
): Promise<void> {
  account.error = error;
  // Who names no profile has asked for nothing yet that could be granted or refused.
  if (account.request.profileName === undefined) return;
  try {
    await appendAccount("lease.failed", account, runtime);
  } catch (thrown) {
    const second = toAgentctlError(thrown);
    if (second.code !== error.code) observe({ kind: "warning", text: `not on record: ${second.message}` });
  }
}
