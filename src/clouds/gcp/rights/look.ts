import { AgentctlError, toAgentctlError } from "../../../core/errors.js";
import type { GrantTerms, IssueContext } from "../../../core/lease.js";
import type { GcpSettings } from "../../../core/profile.js";
import type { Runtime } from "../../../core/runtime.js";
import { EXCHANGE_LIMITS, type ExchangeLimits } from "../../exchange/exchange.js";
import { doubtful, type RightsSight, type RightsSights, remark, seen, sightsOf, wrong } from "../../rights-sight.js";
import type { Asking, Bearer } from "./ask-rights.js";
import { beGranter, memberOf, openFederation } from "./bearers.js";
import { addGift } from "./give-bindings.js";
import { lookAtEntitlement, lookAtItsEnding } from "./look-entitlement.js";
import { lookAtRoles } from "./look-roles.js";
import { getPolicy, neededHint, testPermissions } from "./policy-client.js";
import { type Renewal, renewPrincipal } from "./renewal.js";
import { type Rights, rightsOf } from "./rights.js";
import { workingText } from "./working-text.js";

type Gift = Rights["gifts"][number];

/** What is given by the granter, to whom, and how it is asked about. */
interface Looking {
  readonly rights: Rights;
  readonly terms: GrantTerms;
  readonly member: string;
  readonly asking: Asking;
}

/**
 * Looks, as the granter and as the lease's principal, whether what the profile names could be given. Asks for policies,
 * permissions, roles and entitlements, and writes nothing.
 * @throws {AgentctlError} as `openFederation` does; INTERRUPTED
 */
export async function lookAtGcpRights(
  settings: GcpSettings,
  terms: GrantTerms,
  context: IssueContext,
  runtime: Runtime,
  limits: ExchangeLimits = EXCHANGE_LIMITS,
): Promise<RightsSights> {
  const rights = rightsOf(settings);
  if (rights === undefined) return [];
  const { granter, entitlement, waitSeconds } = rights;
  const asking: Asking = { signal: context.signal, runtime, limits };
  const federation = await openFederation(settings, (audiences) => context.mintToken(audiences), asking);
  const member = memberOf(settings, federation.used.subject);
  const looking = { rights, terms, member, asking };
  const be = renewPrincipal(settings, (audiences) => context.mintToken(audiences), federation, asking);
  const parts = [
    granter === undefined
      ? []
      : sightsOf(`the granter, ${granter}`, async () =>
          lookAsGranter(await beGranter(settings, granter, federation, asking), looking),
        ).then((sights) => (rights.gifts.length > 0 ? sights : sights.map(asEnderOnly))),
    entitlement === undefined
      ? []
      : sightsOf(`the entitlement ${entitlement}`, async () =>
          lookAtEntitlement({ entitlement, terms, waitSeconds }, await be(), asking),
        ),
    rights.ready === undefined ? [] : lookAtReady(rights.ready, be, asking),
  ];
  return (await Promise.all(parts)).flat();
}

/** A granter that gives nothing only ends a grant, which without it whoever asked for it withdraws. */
function asEnderOnly(sight: RightsSight): RightsSight {
  return sight.status === "fail" ? doubtful(sight.text, sight.error) : sight;
}

/** That the principal is refused may be for want of the very right; a question that makes no sense never makes any. */
async function lookAtReady(ready: NonNullable<Rights["ready"]>, be: Renewal, asking: Asking): Promise<RightsSights> {
  const { resource, permissions } = ready;
  try {
    const granted = await testPermissions(resource, permissions, await be(), asking);
    if (!permissions.every((permission) => granted.includes(permission))) return [];
    return [
      remark(`${workingText(permissions, resource)} before anything is given: gcp.ready cannot tell when it does`),
    ];
  } catch (thrown) {
    const error = toAgentctlError(thrown);
    if (error.code === "INTERRUPTED") throw error;
    return error.facts["httpStatus"] === 400 ? [wrong(`the permissions of gcp.ready on ${resource.name}`, error)] : [];
  }
}

async function lookAsGranter(granter: Bearer, looking: Looking): Promise<RightsSights> {
  const { rights, member, asking } = looking;
  const { gifts, entitlement } = rights;
  const parts = [
    ...gifts.map((gift) => lookAtGift(gift, granter, looking)),
    ...(entitlement === undefined ? [] : [lookAtItsEnding(entitlement, granter, member, asking)]),
  ];
  return (await Promise.all(parts)).flat();
}

/** Where the policy cannot be read, the rest would be refused likewise. */
async function lookAtGift(gift: Gift, granter: Bearer, looking: Looking): Promise<RightsSights> {
  const { resource, roles } = gift;
  const what = `the policy of ${resource.name}, as ${granter.who}`;
  const read = await sightsOf(what, () => lookAtPolicy(gift, granter, looking));
  if (read.length > 0) return read;
  const [writing, known] = await Promise.all([
    sightsOf(what, () => lookAtWriting(gift, granter, looking.asking)),
    lookAtRoles(resource, roles, granter, looking.asking),
  ]);
  return [...writing, ...known];
}

/** Nothing where it can be read and has room; what would be written is thrown away. */
async function lookAtPolicy({ resource, roles }: Gift, granter: Bearer, looking: Looking): Promise<RightsSights> {
  const { terms, member, asking } = looking;
  const { policy, googleNow } = await getPolicy(resource, granter, asking);
  const { leaseId, profileName, latestEndsAt: endsAt } = terms;
  const gift = { resource: resource.name, roles, member, leaseId, profileName, endsAt };
  addGift(gift, policy.bindings, googleNow, asking.runtime.now());
  return [];
}

/** By Google's own account: a condition on roles counts there as if no role were changed. */
async function lookAtWriting({ resource }: Gift, granter: Bearer, asking: Asking): Promise<RightsSights> {
  const { name, permissions } = resource;
  const { who } = granter;
  const needed = `${permissions}.setIamPolicy`;
  let granted: readonly string[];
  try {
    granted = await testPermissions(resource, [needed], granter, asking);
  } catch (thrown) {
    const { code, message } = toAgentctlError(thrown);
    if (code !== "CLOUD_DENIED") throw thrown;
    return [remark(`${who} may read the policy of ${name}; whether it may write it is not known: ${message}`)];
  }
  if (granted.includes(needed)) {
    const text = `${who} may read and write the policy of ${name}; which roles a condition lets it give is not tried`;
    return [seen(text)];
  }
  const message = `${who} may read the policy of ${name} and not write it: testIamPermissions does not grant it ${needed}`;
  const facts = { resource: name, permission: needed };
  return [
    wrong(
      `the policy of ${name}, as ${who}`,
      new AgentctlError("CLOUD_DENIED", message, { hint: neededHint(resource, who), facts }),
    ),
  ];
}
