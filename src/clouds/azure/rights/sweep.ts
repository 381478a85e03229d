import { formatInstant } from "../../../core/durations.js";
import type { EndContext } from "../../../core/lease.js";
import type { AzureSettings } from "../../../core/profile.js";
import type { Runtime } from "../../../core/runtime.js";
import type { CloudSweep } from "../../cloud.js";
import { EXCHANGE_LIMITS, type ExchangeLimits } from "../../exchange/exchange.js";
import type { Arm } from "./arm.js";
import { isStale } from "./give.js";
import { deletePlain, isAt, listPlain, type PlainAssignment } from "./plain-assignments.js";
import { GRANTER_SETTING, poolSettingOf, type Rights, rightsOf } from "./rights-settings.js";
import { objectIdOf, signIn } from "./sign-in.js";

/**
 * Deletes the plain assignments of leases that are over, whoever made them, from the profile's applications at the
 * profile's scopes. Time-bound ones end by themselves. Undefined where the profile gives none.
 * @throws {AgentctlError} as `signIn` and `Arm` do
 */
export async function sweepRights(
  settings: AzureSettings,
  context: Pick<EndContext, "mintToken" | "signal">,
  runtime: Runtime,
  limits: ExchangeLimits = EXCHANGE_LIMITS,
): Promise<CloudSweep | undefined> {
  const rights = rightsOf(settings);
  if (rights === undefined) return undefined;
  const mintToken: EndContext["mintToken"] = (audiences) => context.mintToken(audiences);
  const signInAs = (clientId: string, setting: string) =>
    signIn({ ...settings, clientId, setting }, { mintToken, signal: context.signal, limits }, runtime);
  const { arm } = await signInAs(rights.granterClientId, GRANTER_SETTING);
  const principals = await Promise.all(
    rights.clientIds.map(async (clientId) => ({
      clientId,
      principalId: objectIdOf(await signInAs(clientId, poolSettingOf(rights)), clientId),
    })),
  );
  const ours = await findOurs(arm, rights, principals, runtime.now());
  const stale = ours.filter((one) => one.isStale);
  const kept = ours.filter((one) => !one.isStale);
  for (const one of stale) await deletePlain(arm, one);
  return {
    cloud: "azure",
    where: scopesOf(rights).join(", "),
    removed: stale.map(nameOf),
    kept: kept.map((one) => ({ name: nameOf(one), until: formatInstant(one.mark?.endsAt ?? 0) })),
  };
}

interface Found extends PlainAssignment {
  readonly isStale: boolean;
}

async function findOurs(
  arm: Arm,
  rights: Rights,
  principals: readonly { readonly clientId: string; readonly principalId: string }[],
  now: number,
): Promise<readonly Found[]> {
  const lists = scopesOf(rights).flatMap((scope) =>
    principals.map(async ({ clientId, principalId }) => {
      const given = rights.assignments.filter((one) => one.scope.toLowerCase() === scope.toLowerCase());
      const all = await listPlain(arm, scope, principalId);
      return all
        .filter((one) => one.mark !== undefined && isAt(one, scope))
        .map((one) => ({ ...one, isStale: given.some(({ role }) => isStale(one, { clientId, role, scope }, now)) }));
    }),
  );
  return (await Promise.all(lists)).flat();
}

function scopesOf({ assignments }: Rights): readonly string[] {
  const scopes = new Map(assignments.map(({ scope }) => [scope.toLowerCase(), scope]));
  return [...scopes.values()];
}

function nameOf({ name, mark }: PlainAssignment): string {
  return `${name} (lease ${mark?.leaseId})`;
}
