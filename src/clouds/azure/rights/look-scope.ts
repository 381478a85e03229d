import { AgentctlError } from "../../../core/errors.js";
import { type RightsSight, type RightsSights, seen, sightsOf, wrong } from "../../rights-sight.js";
import type { Arm } from "./arm.js";
import { armHint } from "./arm-hints.js";
import { azureCodeOf } from "./arm-service.js";
import { readGivenRole } from "./given-roles.js";
import { assertUnlocked } from "./locks.js";
import { askMissing, HAS_NONE } from "./permissions.js";

/** What giving a role and taking it back rests on, time-bound or not. */
const NEEDED = ["write", "delete"].map((verb) => `Microsoft.Authorization/roleAssignments/${verb}`);

/** The kinds of scopes that are read alike wherever they are, each with the version of its API. */
const READABLE: readonly (readonly [RegExp, string])[] = [
  [/^\/subscriptions\/[^/]+$/i, "2022-12-01"],
  [/^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+$/i, "2021-04-01"],
];

export interface ScopeLook {
  readonly scope: string;
  readonly roles: readonly string[];
  /** The granter. */
  readonly clientId: string;
}

/**
 * Looks, as the granter, whether the scope is there and not locked, the granter may give roles on it, and these are known there. Where
 * it is not so nothing else is asked.
 * @throws {AgentctlError} INTERRUPTED, and nothing else
 */
export function lookAtScope(arm: Arm, { scope, roles, clientId }: ScopeLook): Promise<RightsSights> {
  return sightsOf(`the scope ${scope}`, async () => {
    await lookForScope(arm, scope);
    await assertUnlocked(arm, [scope]);
    const missing = await findMissing(arm, scope);
    const looks = roles.map((role) => sightsOf(`the role ${role} on ${scope}`, () => lookForRole(arm, role, scope)));
    const unknown = (await Promise.all(looks)).flat();
    return [judgeGranter(missing, scope, clientId), ...(unknown.length > 0 ? unknown : [describeKnown(scope, roles)])];
  });
}

/** A granter need not be allowed to read it: then whether it is there is not told. */
async function lookForScope(arm: Arm, scope: string): Promise<void> {
  const version = versionFor(scope);
  if (version === undefined) return;
  await unlessForbidden(() => arm.get(scope, { "api-version": version }, `read ${scope}`));
}

function versionFor(scope: string): string | undefined {
  return READABLE.find(([pattern]) => pattern.test(scope))?.[1];
}

/** Of what it takes; by Azure's own account, which leaves out the conditions of what was assigned. */
async function findMissing(arm: Arm, scope: string): Promise<readonly string[]> {
  try {
    return await askMissing(arm, { permissions: NEEDED, at: scope });
  } catch (thrown) {
    if (HAS_NONE.includes(azureCodeOf(thrown) ?? "")) return NEEDED;
    throw thrown;
  }
}

function judgeGranter(missing: readonly string[], scope: string, clientId: string): RightsSight {
  if (missing.length === 0) {
    const untried = "which ones, and to whom, a condition lets it is not tried";
    return seen(`application ${clientId} may give and take roles on ${scope}; ${untried}`);
  }
  const message = `application ${clientId} does not have ${missing.join(", ")} on ${scope}`;
  const error = new AgentctlError("CLOUD_DENIED", message, {
    hint: armHint("AuthorizationFailed", clientId, ""),
    facts: { client: clientId, scope, permissions: missing },
  });
  return wrong(`what application ${clientId} may do on ${scope}`, error);
}

/** Nothing where it can be given there, for a lease alone. */
async function lookForRole(arm: Arm, role: string, scope: string): Promise<RightsSights> {
  await readGivenRole(arm, { role, scope });
  return [];
}

async function unlessForbidden(ask: () => Promise<unknown>): Promise<void> {
  try {
    await ask();
  } catch (thrown) {
    if (!HAS_NONE.includes(azureCodeOf(thrown) ?? "")) throw thrown;
  }
}

function describeKnown(scope: string, roles: readonly string[]): RightsSight {
  const untried = versionFor(scope) === undefined ? "; whether that is there is not asked" : "";
  return seen(`${roles.join(" and ")} ${roles.length === 1 ? "is" : "are"} known on ${scope}${untried}`);
}
