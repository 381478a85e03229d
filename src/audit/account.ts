import type { Decision, ResolvedCommand } from "../core/decision.js";
import { formatInstant } from "../core/durations.js";
import type { AgentctlError } from "../core/errors.js";
import type { AuditEvent, EventKind } from "../core/event.js";
import { EXIT } from "../core/exit-codes.js";
import type { Actor, Identity } from "../core/identity.js";
import type { ChildResult, Ending, EndStep, Grant, GrantPlan, LeaseTerms } from "../core/lease.js";
import type { CloudName, Profile } from "../core/profile.js";
import type { RenewalCount } from "../core/renewal-count.js";
import type { RunRequest } from "../core/run-request.js";
import type { Runtime } from "../core/runtime.js";
import { describeCommand } from "./command.js";
import { appendEvent, type ChainHead } from "./log.js";

/**
 * One lease's story, begun with the request and filled in as things happen, so that a refusal at any
 * step is recorded with all that was known by then.
 */
export interface Account {
  readonly request: RunRequest;
  profile?: Profile;
  actor?: Actor;
  terms?: LeaseTerms;
  plans?: readonly GrantPlan[];
  command?: ResolvedCommand;
  identity?: Identity;
  decision?: Decision;
  /** What was done to give rights for the time of the lease. */
  rights?: readonly { readonly cloud: CloudName; readonly steps: readonly EndStep[] }[];
  grants?: readonly Grant[];
  delivery?: {
    readonly given: readonly string[];
    readonly removed: readonly string[];
    readonly passed: readonly string[];
  };
  /** Of the grants that go by the endpoint, and how many requests to it were refused. */
  renewals?: readonly RenewalCount[];
  refusals?: number;
  child?: ChildResult;
  endings?: readonly Ending[];
  /** Who had the lease revoked while its command ran. */
  revokedBy?: NonNullable<AuditEvent["revokedBy"]>;
  error?: AgentctlError;
  /** Why the lease could not be taken out of the ledger. */
  unclosed?: AgentctlError;
}

/**
 * Appends what is known so far. An error that the exit code calls a denial is recorded as `lease.refused`.
 * @throws {AgentctlError} AUDIT_UNWRITABLE, LOCK_HELD
 */
export function appendAccount(
  kind: "lease.start" | "lease.end" | "lease.failed" | "lease.revoked",
  account: Account,
  runtime: Runtime,
): Promise<ChainHead> {
  return appendEvent(
    toEvent(recordedKind(kind, account), account, runtime),
    runtime,
    account.profile?.auditSinks ?? [],
  );
}

function recordedKind(kind: EventKind, account: Account): EventKind {
  return kind === "lease.failed" && account.error?.exitCode === EXIT.denied ? "lease.refused" : kind;
}

function toEvent(kind: EventKind, account: Account, runtime: Runtime): AuditEvent {
  const { request, profile, plans, command, decision, rights, grants } = account;
  const { delivery, renewals, refusals, child, endings, revokedBy, error } = account;
  return {
    kind,
    time: new Date(runtime.now()).toISOString(),
    ...describeCaller(account),
    command: describeCommand(request.argv, command?.path, profile?.auditArgv ?? "first", runtime),
    ...(request.intent !== undefined && { intent: request.intent }),
    ...((decision || error) && { decision: describeDecision(account) }),
    ...(error && { error: describeError(error) }),
    ...(rights && { rights }),
    ...(grants && { grants: grants.map(describeGrant) }),
    ...(delivery && delivery.passed.length > 0 && { passed: delivery.passed }),
    ...(renewals && renewals.length > 0 && { renewals: renewals.map(describeRenewals) }),
    ...(refusals !== undefined && { refusals }),
    ...(child && { child: describeChild(child) }),
    ...(endings && { endings }),
    ...(revokedBy && { revokedBy }),
    ...(plans?.some((plan) => plan.endpoints.length > 0) && { endpoints: plans.flatMap((plan) => plan.endpoints) }),
  };
}

/** Whose lease a record is about. */
export function describeCaller(account: Account): Pick<AuditEvent, "lease" | "profile" | "actor" | "identity"> {
  const { request, profile, actor, terms, identity } = account;
  const profileName = profile?.name ?? request.profileName;
  return {
    ...(terms && { lease: terms.leaseId }),
    ...(profileName !== undefined && { profile: profileName }),
    ...(actor && { actor }),
    ...(identity && { identity: describeIdentity(identity) }),
  };
}

export function describeIdentity(identity: Identity): NonNullable<AuditEvent["identity"]> {
  const { source, issuer, subject, claims, tokenSha256 } = identity;
  return { source, issuer, subject, claims, tokenSha256 };
}

/** A decision to allow is not taken back by a later failure that is no denial. */
export function describeDecision(account: Account): { readonly allowed: boolean; readonly reasons: readonly string[] } {
  const reasons = account.decision?.reasons ?? [];
  if (account.error?.exitCode === EXIT.denied) return { allowed: false, reasons: [...reasons, account.error.message] };
  return { allowed: account.decision !== undefined, reasons };
}

export function describeError(error: AgentctlError): NonNullable<AuditEvent["error"]> {
  return {
    code: error.code,
    message: error.message,
    ...(Object.keys(error.facts).length > 0 && { facts: error.facts }),
  };
}

export function describeGrant(grant: Grant): NonNullable<AuditEvent["grants"]>[number] {
  return {
    cloud: grant.cloud,
    channel: grant.channel,
    principal: grant.principal,
    usableUntil: formatInstant(grant.usableUntil),
    expiresAt: formatInstant(grant.expiresAt),
    facts: grant.facts,
  };
}

export function describeRenewals(count: RenewalCount): NonNullable<AuditEvent["renewals"]>[number] {
  const { cloud, renewed, failed, firstAt, lastAt } = count;
  return {
    cloud,
    renewed,
    failed,
    ...(firstAt !== undefined && { firstAt: formatInstant(firstAt) }),
    ...(lastAt !== undefined && { lastAt: formatInstant(lastAt) }),
  };
}

export function describeChild(child: ChildResult): NonNullable<AuditEvent["child"]> {
  return {
    exitCode: child.exitCode,
    ...(child.signal && { signal: child.signal }),
    ...(child.stoppedAtExpiry && { stoppedAtExpiry: true }),
    endedAt: new Date(child.endedAt).toISOString(),
  };
}
