import { formatDuration } from "../../../core/durations.js";
import type { GrantTerms, RightsContext } from "../../../core/lease.js";
import type { AzureSettings } from "../../../core/profile.js";
import type { Runtime } from "../../../core/runtime.js";
import { EXCHANGE_LIMITS, type ExchangeLimits } from "../../exchange/exchange.js";
import { openStory, type Story } from "../../story.js";
import { assertGiven, findOnData, findUngiven, readGivenRole } from "./given-roles.js";
import { describeGrantedBefore, openGrantedBefore } from "./granted-before.js";
import { assertUnlocked } from "./locks.js";
import { type Awaiting, awaitReady } from "./ready.js";
import { GRANTER_SETTING, poolSettingOf, type Readiness, rightsOf } from "./rights-settings.js";
import { objectIdOf, type SignedIn, type SigningIn, signIn } from "./sign-in.js";
import { takeRights } from "./take-rights.js";

/**
 * Has the granter give an application of the pool, for this lease alone, what the settings name, and waits until it
 * works. Answers the settings with that application.
 * @throws {AgentctlError} as `Cloud.openRights` says
 */
export async function openAzureRights(
  settings: AzureSettings,
  terms: GrantTerms,
  context: RightsContext,
  runtime: Runtime,
  limits: ExchangeLimits = EXCHANGE_LIMITS,
): Promise<AzureSettings> {
  const rights = rightsOf(settings);
  const story = openStory(runtime, context.onStep);
  if (rights === undefined) return settings;
  const mintToken: RightsContext["mintToken"] = (audiences) => context.mintToken(audiences);
  const signingIn: SigningIn = { mintToken, signal: context.signal, limits };
  const signInAs = (clientId: string, setting = poolSettingOf(rights)) =>
    signIn({ ...settings, clientId, setting }, signingIn, runtime);
  context.onProgress(`signing in as the granter, application ${rights.granterClientId}`, { since: story.startedAt });
  const { arm } = await signInAs(rights.granterClientId, GRANTER_SETTING);
  story.tell(`signed in as the granter, application ${rights.granterClientId}`);
  const [roles] = await Promise.all([
    Promise.all(rights.assignments.map((one) => readGivenRole(arm, one))),
    assertUnlocked(arm, [...new Set(rights.assignments.map(({ scope }) => scope))]),
  ]);
  const { ready } = rights;
  const onData = ready === undefined ? [] : findOnData(ready, roles);
  const before = ready && openGrantedBefore({ ready, onData, signal: context.signal }, runtime);
  const principals = openPrincipals((clientId) => signInAs(clientId));
  const findPrincipal = async (clientId: string) => objectIdOf(await principals(clientId), clientId);
  const lookBefore = async (clientId: string) => {
    if (ready === undefined || before === undefined) return;
    const missing = await before.look(clientId, await principals(clientId));
    const ungiven = findUngiven(ready, roles).filter((permission) => missing.includes(permission));
    assertGiven(ungiven, ready, roles, clientId);
  };
  const roleDefinitionIds = roles.map(({ definitionId }) => definitionId);
  const taking = { arm, rights, roleDefinitionIds, terms, story, findPrincipal, lookBefore };
  const clientId = await takeRights(taking, context, runtime);
  if (ready !== undefined) {
    if (before?.has(clientId) === true) tellOfBefore(ready, story, context);
    const own = (await principals(clientId)).arm;
    const awaiting = { arm: own, clientId, ready, onData, timeoutSeconds: rights.waitSeconds };
    await seeWork(awaiting, { context, story, runtime });
  }
  return { ...settings, clientId, otherClientIds: [] };
}

/** Each application of the pool is signed in when it is its turn, and once; anew where that came to nothing. */
function openPrincipals(signInAs: (clientId: string) => Promise<SignedIn>): typeof signInAs {
  const signedIn = new Map<string, Promise<SignedIn>>();
  return (clientId) => {
    const found = signedIn.get(clientId) ?? signInAs(clientId);
    signedIn.set(clientId, found);
    found.catch(() => signedIn.delete(clientId));
    return found;
  };
}

function tellOfBefore(ready: Readiness, story: Story, { onNotice }: Pick<RightsContext, "onNotice">): void {
  const text = describeGrantedBefore(ready);
  story.tell(text);
  onNotice(`azure: ${text}`);
}

async function seeWork(
  awaiting: Awaiting,
  { context, story, runtime }: { readonly context: RightsContext; readonly story: Story; readonly runtime: Runtime },
): Promise<void> {
  const { clientId, ready } = awaiting;
  const startedAt = runtime.now();
  await awaitReady(awaiting, context, runtime);
  const after = formatDuration((runtime.now() - startedAt) / 1000);
  story.tell(`application ${clientId} had ${ready.permissions.join(", ")} at ${ready.at} after ${after}`);
}
