import type { GrantTerms, RightsContext, Wait } from "../../../core/lease.js";
import type { GcpSettings } from "../../../core/profile.js";
import type { Runtime } from "../../../core/runtime.js";
import { EXCHANGE_LIMITS, type ExchangeLimits } from "../../exchange/exchange.js";
import { openStory, type Story } from "../../story.js";
import type { Asking, Bearer } from "./ask-rights.js";
import { beGranter, type Federation, memberOf, openFederation } from "./bearers.js";
import { type ChangeLimits, changePolicy } from "./change-policy.js";
import { addGift } from "./give-bindings.js";
import { tellGrantedBefore } from "./granted-before.js";
import { awaitReady } from "./ready.js";
import { type Renewal, renewPrincipal } from "./renewal.js";
import { requestEntitlement } from "./request-entitlement.js";
import { type Rights, rightsOf } from "./rights.js";

export interface OpenLimits {
  readonly exchange: ExchangeLimits;
  readonly change: ChangeLimits;
}

export const OPEN_LIMITS: OpenLimits = { exchange: EXCHANGE_LIMITS, change: { attempts: 100, changeMs: 180_000 } };

/** Rights being given. */
interface Opening {
  readonly settings: GcpSettings;
  readonly rights: Rights;
  readonly terms: GrantTerms;
  readonly context: RightsContext;
  readonly asking: Asking;
  readonly federation: Federation;
  readonly be: Renewal;
  readonly limits: OpenLimits;
  readonly story: Story;
  /** Nobody waits for anything to work any longer. */
  readonly wait: Required<Wait>;
}

/**
 * Gives the lease's principal what the profile names, until `terms.latestEndsAt`, and waits until it works. When this
 * throws, no write is under way any more, but for one that Google has not answered within seconds.
 * @throws {AgentctlError} BINDING_LIMIT, ASSIGNMENT_BUSY, NOT_READY, CONFIG_INVALID; as `askService` does, and what
 *   `mintToken` throws
 */
export async function openGcpRights(
  settings: GcpSettings,
  terms: GrantTerms,
  context: RightsContext,
  runtime: Runtime,
  limits: OpenLimits = OPEN_LIMITS,
): Promise<GcpSettings> {
  const story = openStory(runtime, context.onStep);
  const rights = rightsOf(settings);
  if (rights === undefined) return settings;
  const asking: Asking = { signal: context.signal, runtime, limits: limits.exchange };
  const mintToken: RightsContext["mintToken"] = (audiences) => context.mintToken(audiences);
  const federation = await openFederation(settings, mintToken, asking);
  const be = renewPrincipal(settings, mintToken, federation, asking);
  const since = runtime.now();
  const wait = { since, until: since + rights.waitSeconds * 1000 };
  const opening = { settings, rights, terms, context, asking, federation, be, limits, story, wait };
  await giveAll(opening);
  await askEntitlement(opening);
  await waitReady(opening);
  return settings;
}

/** Signs in whoever gives it; beside that, the lease's principal looks what is granted before. */
async function openGranter(opening: Opening): Promise<Bearer | undefined> {
  const { settings, rights, context, asking, federation, be, wait, story } = opening;
  const looking = rights.ready && tellGrantedBefore({ ...rights.ready, story }, be, context, asking);
  try {
    if (rights.granter === undefined || rights.gifts.length === 0) return undefined;
    context.onProgress(`asking ${rights.granter} to give what the profile names`, { since: wait.since });
    return await beGranter(settings, rights.granter, federation, asking);
  } finally {
    await looking;
  }
}

/** Side by side, since the resources have nothing to do with each other; each is waited for, also when another fails. */
async function giveAll(opening: Opening): Promise<void> {
  const { rights } = opening;
  const granter = await openGranter(opening);
  if (granter === undefined) return;
  const outcomes = await Promise.allSettled(rights.gifts.map((gift) => giveOne(gift, granter, opening)));
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}

async function giveOne({ resource, roles }: Rights["gifts"][number], granter: Bearer, opening: Opening): Promise<void> {
  const { settings, terms, context, asking, federation, limits, story } = opening;
  const gift = {
    resource: resource.name,
    roles,
    member: memberOf(settings, federation.used.subject),
    leaseId: terms.leaseId,
    profileName: terms.profileName,
    endsAt: terms.latestEndsAt,
  };
  const { isNew, pruned } = await changePolicy(
    resource,
    (bindings, googleNow) => ({
      ...addGift(gift, bindings, googleNow, asking.runtime.now()),
      onWrite: () => context.onAsking(),
    }),
    granter,
    asking,
    limits.change,
  );
  const said = isNew
    ? `gave ${gift.member} ${roles.join(", ")} on`
    : `${gift.member} has ${roles.join(", ")} already on`;
  story.tell(`${said} ${resource.name}, as ${granter.who}`);
  if (pruned.length > 0) story.tell(`pruned ${pruned.length} of our bindings on ${resource.name}, which had ended`);
}

async function askEntitlement({ rights, terms, context, asking, be, story, wait }: Opening): Promise<void> {
  const { entitlement } = rights;
  if (entitlement === undefined) return;
  await requestEntitlement({ entitlement, terms, wait, story }, be, context, asking);
}

async function waitReady({ rights, context, asking, be, story, wait }: Opening): Promise<void> {
  if (rights.ready === undefined) return;
  await awaitReady({ ...rights.ready, timeoutSeconds: rights.waitSeconds, wait, story }, be, context, asking);
}
