import type { AgentctlError } from "../core/errors.js";
import type { AuditEvent } from "../core/event.js";
import type { Identity } from "../core/identity.js";
import type { Grant } from "../core/lease.js";
import type { Runtime } from "../core/runtime.js";
import { type Account, describeCaller, describeError, describeGrant, describeIdentity } from "./account.js";
import type { ChainHead } from "./chain.js";
import { appendEvent } from "./log.js";

/** A request to the lease's endpoint that is worth a record. */
export interface RecordedRequest extends NonNullable<AuditEvent["request"]> {
  /** Epoch ms. */
  readonly at: number;
}

/** With this reason it was answered: nobody could tell whose it was, and `peer_check` is not `require`. */
const ANSWERED = "undetermined";

/**
 * Records a grant that was issued anew, and the identity that it was issued to, acquired again for it.
 * @throws {AgentctlError} AUDIT_UNWRITABLE, AUDIT_BROKEN, LOCK_HELD
 */
export function appendRenewal(
  account: Account,
  renewed: { readonly grant: Grant; readonly identity?: Identity },
  runtime: Runtime,
): Promise<ChainHead> {
  const { grant, identity } = renewed;
  const who = identity && { identity: describeIdentity(identity) };
  return appendOf(account, { kind: "grant.renewed", ...who, grants: [describeGrant(grant)] }, runtime.now(), runtime);
}

/**
 * Records that a grant could not be renewed, why, and what is held meanwhile.
 * @throws {AgentctlError} AUDIT_UNWRITABLE, AUDIT_BROKEN, LOCK_HELD
 */
export function appendRenewalFailure(
  account: Account,
  failed: { readonly held: Grant; readonly error: AgentctlError },
  runtime: Runtime,
): Promise<ChainHead> {
  const { held, error } = failed;
  const parts = { error: describeError(error), grants: [describeGrant(held)] };
  return appendOf(account, { kind: "grant.renewal_failed", ...parts }, runtime.now(), runtime);
}

/**
 * Records a request to the endpoint that was refused, or that was answered although it could not be told whose it was.
 * @throws {AgentctlError} AUDIT_UNWRITABLE, AUDIT_BROKEN, LOCK_HELD
 */
export function appendRequest(account: Account, recorded: RecordedRequest, runtime: Runtime): Promise<ChainHead> {
  const { at, cloud, reason, message, peer } = recorded;
  const request = { ...(cloud !== undefined && { cloud }), reason, message, ...(peer !== undefined && { peer }) };
  const kind = reason === ANSWERED ? "endpoint.unverified" : "endpoint.refused";
  return appendOf(account, { kind, request }, at, runtime);
}

function appendOf(account: Account, parts: Omit<AuditEvent, "time">, at: number, runtime: Runtime): Promise<ChainHead> {
  const { kind, ...rest } = parts;
  const event = { kind, time: new Date(at).toISOString(), ...describeCaller(account), ...rest };
  return appendEvent(event, runtime, account.profile?.auditSinks ?? []);
}
