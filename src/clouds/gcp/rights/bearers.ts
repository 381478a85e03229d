import { AgentctlError } from "../../../core/errors.js";
import type { IdToken } from "../../../core/identity.js";
import type { IssueContext } from "../../../core/lease.js";
import type { GcpSettings } from "../../../core/profile.js";
import { untilAborted } from "../../../core/until-aborted.js";
import { resolveEndpoints } from "../endpoints.js";
import type { GoogleToken } from "../google-token.js";
import { poolMember, principalOf } from "../provider.js";
import { CLOUD_PLATFORM } from "../scopes.js";
import { federate, impersonate, type Steps } from "../steps.js";
import type { Asking, Bearer } from "./ask-rights.js";
import type { Identities } from "./identities.js";

/** Long enough for what is asked at once; nobody is handed these tokens. */
const LIFETIME_SECONDS = 600;
/** Google's limit of a mapped subject: of a longer `sub` the provider makes something else, or nothing. */
const MAX_SUBJECT_BYTES = 127;

/** The caller's federated token, by which the others are had. */
export interface Federation {
  readonly federated: GoogleToken;
  readonly used: IdToken;
}

/** @throws {AgentctlError} as `federate` does, and what `mintToken` throws */
export function openFederation(
  who: Identities,
  mintToken: IssueContext["mintToken"],
  asking: Asking,
): Promise<Federation> {
  return federate(stepsOf(who, mintToken, asking));
}

/** The granter, for a moment. @throws {AgentctlError} as `impersonate` does */
export function beGranter(who: Identities, granter: string, federation: Federation, asking: Asking): Promise<Bearer> {
  return impersonateAs(granter, { ...who, serviceAccount: granter }, federation, asking);
}

/** The lease's own principal, with a token that the lease's command never sees. @throws {AgentctlError} as `impersonate` does */
export async function bePrincipal(who: Identities, federation: Federation, asking: Asking): Promise<Bearer> {
  const { serviceAccount, granter: _other, ...rest } = who;
  if (serviceAccount !== undefined)
    return impersonateAs(serviceAccount, { ...rest, serviceAccount }, federation, asking);
  const { token, expiresAt } = federation.federated;
  return { who: principalOf(settingsOf(who)), token, expiresAt };
}

/**
 * As a policy names the lease's principal; a federated one by its subject, which providers map from `sub`.
 * @throws {AgentctlError} TOKEN_MALFORMED for a subject that would mean others too; CONFIG_INVALID for one that no
 *   provider can have mapped as it is
 */
export function memberOf(who: Identities, subject: string): string {
  const { serviceAccount } = who;
  // In a policy that would be everybody of the pool.
  if (serviceAccount === undefined && subject === "*") throw allOfPool();
  if (serviceAccount === undefined && Buffer.byteLength(subject) > MAX_SUBJECT_BYTES) throw notMapped(subject);
  return serviceAccount === undefined ? poolMember(settingsOf(who), subject) : `serviceAccount:${serviceAccount}`;
}

function allOfPool(): AgentctlError {
  return new AgentctlError(
    "TOKEN_MALFORMED",
    "the token's subject is *, which in a policy means every identity of the pool",
    {
      hint: "give the profile a service_account, or use an identity with a subject of its own",
    },
  );
}

function notMapped(subject: string): AgentctlError {
  const message = `the token's subject is ${Buffer.byteLength(subject)} bytes long, and Google takes ${MAX_SUBJECT_BYTES}: by what the provider calls it, it is not known here`;
  return new AgentctlError("CONFIG_INVALID", message, {
    hint: "give the profile a service_account, which is given the roles then",
  });
}

async function impersonateAs(
  account: string,
  who: Identities,
  { federated, used }: Federation,
  asking: Asking,
): Promise<Bearer> {
  const endsAt = asking.runtime.now() + LIFETIME_SECONDS * 1000;
  const mintToken = () => Promise.resolve(used);
  const { token, expiresAt } = await impersonate(stepsOf(who, mintToken, asking), account, federated, used, { endsAt });
  return { who: account, token, expiresAt };
}

function stepsOf(who: Identities, mintToken: IssueContext["mintToken"], asking: Asking): Steps {
  const { signal, runtime, limits } = asking;
  const context = { signal, mintToken: (audiences: readonly string[]) => untilAborted(mintToken(audiences), signal) };
  return { settings: settingsOf(who), endpoints: resolveEndpoints(runtime), context, runtime, limits };
}

function settingsOf({ workloadIdentityProvider, serviceAccount, granter, audiences }: Identities): GcpSettings {
  return {
    workloadIdentityProvider,
    ...(serviceAccount !== undefined && { serviceAccount }),
    ...(granter !== undefined && { granter }),
    ...(audiences !== undefined && { audiences }),
    scopes: [CLOUD_PLATFORM],
    accessBoundary: [],
    bindings: [],
    metadata: false,
  };
}
