import { AgentctlError, toAgentctlError } from "../../../core/errors.js";
import type { IssueContext } from "../../../core/lease.js";
import type { AzureSettings } from "../../../core/profile.js";
import type { Runtime } from "../../../core/runtime.js";
import { EXCHANGE_LIMITS, type ExchangeLimits } from "../../exchange/exchange.js";
import { doubtful, type RightsSight, type RightsSights, remark, seen, sightsOf, wrong } from "../../rights-sight.js";
import type { Arm } from "./arm.js";
import { azureCodeOf } from "./arm-service.js";
import { UNLICENSED } from "./give.js";
import { lookAtReady } from "./look-ready.js";
import { lookAtScope } from "./look-scope.js";
import { GRANTER_SETTING, poolSettingOf, type Rights, rightsOf } from "./rights-settings.js";
import { listSchedules } from "./schedules.js";
import { objectIdOf, type SignedIn, signIn } from "./sign-in.js";
import { NOT_LET_IN } from "./take-rights.js";

type SignInAs = (clientId: string, setting: string) => Promise<SignedIn>;

/**
 * Looks, as the granter and as each application of the pool, whether what the profile names could be given. Asks for
 * scopes, roles and permissions, and writes nothing.
 * @throws {AgentctlError} INTERRUPTED, ENDPOINT_INVALID
 */
export async function lookAtAzureRights(
  settings: AzureSettings,
  context: IssueContext,
  runtime: Runtime,
  limits: ExchangeLimits = EXCHANGE_LIMITS,
): Promise<RightsSights> {
  const rights = rightsOf(settings);
  if (rights === undefined) return [];
  const mintToken: IssueContext["mintToken"] = (audiences) => context.mintToken(audiences);
  const signInAs: SignInAs = (clientId, setting) =>
    signIn({ ...settings, clientId, setting }, { mintToken, signal: context.signal, limits }, runtime);
  const parts = [
    sightsOf(`the granter, application ${rights.granterClientId}`, () => lookAsGranter(rights, signInAs)),
    lookAtPool(rights, signInAs),
  ];
  return (await Promise.all(parts)).flat();
}

async function lookAsGranter(rights: Rights, signInAs: SignInAs): Promise<RightsSights> {
  const { granterClientId, assignments } = rights;
  const granter = await signInAs(granterClientId, GRANTER_SETTING);
  const { arm } = granter;
  const scopes = [...new Map(assignments.map(({ scope }) => [scope.toLowerCase(), scope])).values()];
  const looks = scopes.map((scope) => {
    const roles = assignments.filter((one) => one.scope.toLowerCase() === scope.toLowerCase()).map(({ role }) => role);
    return lookAtScope(arm, { scope, roles, clientId: granterClientId });
  });
  const sights = (await Promise.all(looks)).flat();
  const [first = ""] = scopes;
  // What is not there has no assignments of either kind.
  if (sights.some(({ status }) => status === "fail")) return sights;
  const setting = poolSettingOf(rights);
  const parts = [
    lookAtLicence(arm, first, objectIdOf(granter, granterClientId), rights),
    lookAtReady(arm, rights, (clientId) => signInAs(clientId, setting)),
  ];
  return [...sights, ...(await Promise.all(parts)).flat()];
}

/** Whether the tenant has time-bound assignments: without a licence Azure refuses every question about them. */
async function lookAtLicence(
  arm: Arm,
  scope: string,
  principalId: string,
  { allowUnbounded, granterClientId }: Rights,
): Promise<RightsSights> {
  try {
    await listSchedules(arm, scope, principalId);
    return [seen(`the tenant has time-bound assignments: Azure answers about those on ${scope}`)];
  } catch (thrown) {
    const error = toAgentctlError(thrown);
    if (error.code === "INTERRUPTED") throw error;
    const isUnlicensed = azureCodeOf(error) === UNLICENSED;
    if (isUnlicensed && !allowUnbounded) return [wrong("time-bound assignments", error)];
    const instead = "a run gives plain ones, which stay until they are taken back";
    if (isUnlicensed) return [remark(`the tenant has no time-bound assignments (${UNLICENSED}): ${instead}`)];
    return [
      remark(
        `whether application ${granterClientId} can ask for time-bound assignments is not known: ${error.message}`,
      ),
    ];
  }
}

/** A run leaves out an application that is not let in, as long as another is; it may never come to those after the first. */
async function lookAtPool(rights: Rights, signInAs: SignInAs): Promise<RightsSights> {
  const { clientIds } = rights;
  const setting = poolSettingOf(rights);
  const looked = await Promise.all(clientIds.map((clientId) => lookAtApplication(clientId, setting, signInAs)));
  const failures = looked.filter(({ error }) => error !== undefined);
  const usable = looked.filter(({ error }) => error === undefined).map(({ clientId }) => clientId);
  const isPassable = usable.length > 0;
  return [
    ...(isPassable ? [seen(`${usable.join(", ")} of ${setting} can sign in, to be given the roles`)] : []),
    ...failures.map(
      ({ clientId, error }): RightsSight => judgeFailure(clientId, setting, error as AgentctlError, isPassable),
    ),
  ];
}

interface LookedAt {
  readonly clientId: string;
  readonly error?: AgentctlError;
}

async function lookAtApplication(clientId: string, setting: string, signInAs: SignInAs): Promise<LookedAt> {
  try {
    objectIdOf(await signInAs(clientId, setting), clientId);
    return { clientId };
  } catch (thrown) {
    const error = toAgentctlError(thrown);
    if (error.code === "INTERRUPTED") throw error;
    return { clientId, error };
  }
}

function judgeFailure(clientId: string, setting: string, error: AgentctlError, isPassable: boolean): RightsSight {
  const what = `application ${clientId} of ${setting}`;
  if (!isPassable) return wrong(what, error);
  const { code, message, hint, facts } = error;
  const isLeftOut = NOT_LET_IN.includes(code);
  const then = isLeftOut ? "and a run leaves it out" : "and a run that comes to it stops";
  const text = `application ${clientId} of the pool cannot be used, ${then}: ${message}`;
  return doubtful(what, new AgentctlError(code, text, { facts, ...(hint !== undefined && { hint }) }));
}
