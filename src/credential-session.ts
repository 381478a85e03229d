import { type Account, appendAccount, checkAuditWritable, recordFailure, reserveReceipt } from "./audit/index.js";
import { endGrants, issueGrants, orderOf, planGrants, warmClouds } from "./clouds/index.js";
import { loadProfile } from "./config/index.js";
import { fittingAudience } from "./core/audience.js";
import { toAgentctlError } from "./core/errors.js";
import type { Ending, Grant } from "./core/lease.js";
import type { Prepared } from "./core/prepared.js";
import type { Observe } from "./core/run-request.js";
import type { Runtime } from "./core/runtime.js";
import { explainNesting, findSurroundingLease, type SurroundingLease } from "./core/surrounding-lease.js";
import {
  assertHandOut,
  type Credential,
  type CredentialRequest,
  commandOf,
  endIdToken,
  grantIdToken,
  hasAzureVariables,
  narrowProfile,
  readFromLease,
  readGrant,
  readIdToken,
  resolveSelf,
} from "./credential/index.js";
import { acquireIdentity } from "./identity/index.js";
import { type NewLease, type OpenLease, openLease, setTerms } from "./lease/index.js";
import { decide, detectActor } from "./policy/index.js";
import { issueContext } from "./renewal-session.js";
import { findOnPath, type Interruption, watchInterruption } from "./run/index.js";

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
  let lease: OpenLease | undefined;
  try {
    const prepared = await interruption.interrupt(prepare(request, account, runtime));
    interruption.throwIfInterrupted();
    for (const plan of prepared.plans) for (const endpoint of plan.endpoints) observe({ kind: "endpoint", endpoint });
    lease = openLease(entryOf(prepared), runtime);
    const credential = await holdLease(request, prepared, lease, account, interruption, runtime);
    lease.close();
    return credential;
  } catch (thrown) {
    const error = explainNesting(toAgentctlError(thrown), runtime.env, wayOut);
    await recordFailure(account, reserveReceipt(undefined, runtime), error, observe, runtime);
    if (lease !== undefined) closeAfterFailure(lease);
    throw error;
  } finally {
    interruption.stop();
  }
}

function wayOut(profileName: string): string {
  return `ask for -p ${profileName}, or outside of it`;
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

function entryOf({ profile, terms, plans, command, identity, decision }: Prepared): NewLease {
  return { terms, plans, actor: decision.actor, command, identity, graceSeconds: profile.graceSeconds };
}

/** Grant → record → end: what is handed out is not taken back here, since it is to be used after this. */
async function holdLease(
  request: CredentialRequest,
  prepared: Prepared,
  lease: OpenLease,
  account: Account,
  interruption: Interruption,
  runtime: Runtime,
): Promise<Credential> {
  const { profile, terms, plans, identity } = prepared;
  const isIdToken = request.format === "executable";
  try {
    const grants = await (isIdToken
      ? mintIdToken(prepared, runtime)
      : issueGrants(profile, plans, terms, issueContext(identity, interruption.signal), runtime));
    account.grants = grants;
    lease.update({ state: "ending", grants });
    await appendAccount("lease.start", account, runtime);
    interruption.throwIfInterrupted();
  } finally {
    const grants = account.grants ?? [];
    account.endings = isIdToken ? grants.map(endIdToken) : await endByThemselves(grants, prepared, runtime);
  }
  await appendAccount("lease.end", account, runtime);
  return isIdToken ? readIdToken(account.grants) : readGrant(account.grants, profile);
}

/** The profile was narrowed to `revoke: none`, so that nobody is asked for anything. */
function endByThemselves(
  grants: readonly Grant[],
  { plans, terms, identity }: Prepared,
  runtime: Runtime,
): Promise<Ending[]> {
  const { signal } = new AbortController();
  const context = { mintToken: identity.mintToken, unwatched: signal, signal, onProgress: () => {} };
  const orders = grants.map((grant) => orderOf(grant, plans, terms));
  return endGrants(orders, context, runtime);
}

async function mintIdToken({ plans, identity }: Prepared, runtime: Runtime): Promise<Grant[]> {
  const minting = plans.map(async ({ audiences }) => {
    const token = await identity.mintToken(audiences);
    return grantIdToken(token, fittingAudience(token, audiences), runtime.now());
  });
  return Promise.all(minting);
}

/** What failed first is told, and not that its entry stays in the ledger. */
function closeAfterFailure(lease: OpenLease): void {
  try {
    lease.close();
  } catch {
    // A sweep takes it out.
  }
}
