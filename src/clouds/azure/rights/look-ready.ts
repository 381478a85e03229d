import { toAgentctlError } from "../../../core/errors.js";
import { type RightsSights, sightsOf } from "../../rights-sight.js";
import type { Arm } from "./arm.js";
import { azureCodeOf } from "./arm-service.js";
import { assertGiven, findUngiven, readGivenRole } from "./given-roles.js";
import { askMissing, HAS_NONE } from "./permissions.js";
import type { Readiness, Rights } from "./rights-settings.js";
import type { SignedIn } from "./sign-in.js";

/**
 * Looks whether the roles give what is waited for, or the first application of the pool that is let in has it otherwise:
 * nothing where that is so. `arm` is the granter's, and `signIn` signs an application of the pool in.
 * @throws {AgentctlError} INTERRUPTED, and nothing else
 */
export async function lookAtReady(
  arm: Arm,
  { ready, assignments, clientIds }: Rights,
  signIn: (clientId: string) => Promise<SignedIn>,
): Promise<RightsSights> {
  if (ready === undefined) return [];
  return sightsOf("what azure.ready waits for", async () => {
    const roles = await Promise.all(assignments.map((one) => readGivenRole(arm, one)));
    const ungiven = findUngiven(ready, roles);
    const one = ungiven.length === 0 ? undefined : await findUsable(clientIds, signIn);
    if (one === undefined) return [];
    assertGiven(
      await findMissing(one.signedIn.arm, { permissions: ungiven, at: ready.at }),
      ready,
      roles,
      one.clientId,
    );
    return [];
  });
}

/** Those that are not let in are told elsewhere. */
async function findUsable(clientIds: readonly string[], signIn: (clientId: string) => Promise<SignedIn>) {
  for (const clientId of clientIds) {
    try {
      return { clientId, signedIn: await signIn(clientId) };
    } catch (thrown) {
      const error = toAgentctlError(thrown);
      if (error.code === "INTERRUPTED") throw error;
    }
  }
  return undefined;
}

async function findMissing(arm: Arm, asked: Readiness): Promise<readonly string[]> {
  try {
    return await askMissing(arm, asked);
  } catch (thrown) {
    if (HAS_NONE.includes(azureCodeOf(thrown) ?? "")) return asked.permissions;
    throw thrown;
  }
}
