import { formatInstant } from "../../../core/durations.js";
import type { EndContext } from "../../../core/lease.js";
import type { AzureSettings } from "../../../core/profile.js";
import type { Runtime } from "../../../core/runtime.js";
import type { CloudSweep } from "../../cloud.js";
import { EXCHANGE_LIMITS, type ExchangeLimits } from "../../exchange/exchange.js";
import { openParts, type SweepParts } from "../../sweep-parts.js";
import type { Arm } from "./arm.js";
import { isStale } from "./give.js";
import { nameTarget } from "./names.js";
import { deletePlain, isAt, listPlain, type PlainAssignment } from "./plain-assignments.js";
import { GRANTER_SETTING, poolSettingOf, type Rights, rightsOf } from "./rights-settings.js";
import { objectIdOf, signIn } from "./sign-in.js";
import { sweepTimeBound } from "./sweep-time-bound.js";

/**
 * Takes the assignments of leases that are over, whoever made them, from the profile's applications at the profile's
 * scopes, and tells which others there are of leases: time-bound ones end by themselves. Undefined where the profile gives
 * none. An application that cannot be signed in, or a scope that cannot be read, leaves the others be.
 * @throws {AgentctlError} as `signIn` does, for the granter; INTERRUPTED
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
  const parts = openParts(context.signal);
  const findPrincipal = async (clientId: string) =>
    objectIdOf(await signInAs(clientId, poolSettingOf(rights)), clientId);
  const principals = await Promise.all(
    rights.clientIds.map(async (clientId) => ({
      clientId,
      principalId: await parts.attempt(`application ${clientId}`, () => findPrincipal(clientId)),
    })),
  );
  const signedIn = principals.filter(isSignedIn);
  const ours = await findOurs(arm, rights, signedIn, parts, runtime.now());
  const kept = ours.filter((one) => !one.isStale);
  const removed: string[] = [];
  for (const one of ours.filter(({ isStale }) => isStale)) {
    await parts.attempt(`assignment ${one.name} at ${one.scope}`, async () => {
      await deletePlain(arm, one);
      removed.push(nameOf(one));
    });
  }
  const timeBound = await sweepAllTimeBound(arm, rights, signedIn, parts, runtime);
  return {
    cloud: "azure",
    where: scopesOf(rights).join(", "),
    removed: [...removed, ...timeBound.removed],
    kept: [
      ...kept.map((one) => ({ name: nameOf(one), until: formatInstant(one.mark?.endsAt ?? 0) })),
      ...timeBound.kept,
    ],
    failures: parts.failures,
  };
}

async function sweepAllTimeBound(
  arm: Arm,
  rights: Rights,
  principals: readonly Principal[],
  parts: SweepParts,
  runtime: Pick<Runtime, "now" | "sleep">,
): Promise<Pick<CloudSweep, "removed" | "kept">> {
  const scopes = scopesOf(rights);
  const sweeps = scopes.flatMap((scope) =>
    principals.map(async (principal) => {
      const place = { ...principal, scope, roles: rolesAt(rights, scope) };
      const nameOne = ({ role, leaseId }: { readonly role: string; readonly leaseId: string }) =>
        `${scopes.length === 1 ? role : nameTarget({ role, scope })} of application ${principal.clientId} (lease ${leaseId})`;
      const part = `time-bound assignments at ${scope} of application ${principal.clientId}`;
      const swept = await parts.attempt(part, () => sweepTimeBound(arm, place, parts, runtime));
      const { removed = [], kept = [] } = swept ?? {};
      const tell = (one: (typeof kept)[number]) => ({
        name: nameOne(one),
        until: formatInstant(Math.ceil(one.until / 1000) * 1000),
        ...(one.endsByItself && { endsByItself: true }),
      });
      return { removed: removed.map(nameOne), kept: kept.map(tell) };
    }),
  );
  const all = await Promise.all(sweeps);
  return { removed: all.flatMap(({ removed }) => removed), kept: all.flatMap(({ kept }) => kept) };
}

interface Principal {
  readonly clientId: string;
  readonly principalId: string;
}

function isSignedIn(one: { readonly clientId: string; readonly principalId: string | undefined }): one is Principal {
  return one.principalId !== undefined;
}

interface Found extends PlainAssignment {
  readonly isStale: boolean;
}

async function findOurs(
  arm: Arm,
  rights: Rights,
  principals: readonly Principal[],
  parts: SweepParts,
  now: number,
): Promise<readonly Found[]> {
  const lists = scopesOf(rights).flatMap((scope) =>
    principals.map(async ({ clientId, principalId }) => {
      const given = rolesAt(rights, scope);
      const list = () => listPlain(arm, scope, principalId);
      const all = await parts.attempt(`${scope} for application ${clientId}`, list);
      return (all ?? [])
        .filter((one) => one.mark !== undefined && isAt(one, scope))
        .map((one) => ({ ...one, isStale: given.some((role) => isStale(one, { clientId, role, scope }, now)) }));
    }),
  );
  return (await Promise.all(lists)).flat();
}

function rolesAt({ assignments }: Rights, scope: string): readonly string[] {
  return assignments.filter((one) => one.scope.toLowerCase() === scope.toLowerCase()).map(({ role }) => role);
}

function scopesOf({ assignments }: Rights): readonly string[] {
  const scopes = new Map(assignments.map(({ scope }) => [scope.toLowerCase(), scope]));
  return [...scopes.values()];
}

function nameOf({ name, mark }: PlainAssignment): string {
  return `${name} (lease ${mark?.leaseId})`;
}
