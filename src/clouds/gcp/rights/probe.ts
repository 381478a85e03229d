import { AgentctlError } from "../../../core/errors.js";
import type { EndOrder } from "../../../core/lease.js";
import type { Runtime } from "../../../core/runtime.js";
import { grantSecret } from "../../grant-secret.js";
import type { Looking } from "../../look-before.js";
import type { Bearer } from "./ask-rights.js";
import { testPermissions } from "./policy-client.js";
import type { Target } from "./undo.js";

const PROBE_LIMITS = { attempts: 2, requestMs: 4_000 };

/** Asks with the lease's own token which of the permissions seen working it has. */
export type Probe = Looking<readonly string[]>;

/** Undefined where there is nothing to ask with, or about. */
export function openProbe(order: EndOrder, { ready }: Target, runtime: Runtime): Probe | undefined {
  if (order.grant === undefined || ready === undefined) return undefined;
  const { value: token, usableUntil: expiresAt } = grantSecret(order.grant, "token");
  const bearer: Bearer = { who: order.principal, token, expiresAt };
  return {
    async ask(signal) {
      const asking = { signal, runtime, limits: PROBE_LIMITS };
      try {
        return await testPermissions(ready.resource, ready.permissions, bearer, asking);
      } catch (error) {
        if (error instanceof AgentctlError) return "nothing";
        throw error;
      }
    },
  };
}
