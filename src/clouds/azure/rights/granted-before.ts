import { AgentctlError } from "../../../core/errors.js";
import type { Runtime } from "../../../core/runtime.js";
import type { ExchangeLimits } from "../../exchange/exchange.js";
import { openArm } from "./arm.js";
import { azureCodeOf } from "./arm-service.js";
import { askMissing, HAS_NONE } from "./permissions.js";
import type { Readiness } from "./rights-settings.js";
import type { SignedIn } from "./sign-in.js";

/** Nothing depends on it, and others may be waiting for what is about to be given. */
const LIMITS: ExchangeLimits = { attempts: 1, requestMs: 5_000 };

/** What applications of the pool could do already, so that nothing can be told from their being able to afterwards. */
export interface GrantedBefore {
  /**
   * Asks once, as the application. Answers which of the permissions it has not; none where that cannot be told.
   * @throws {AgentctlError} INTERRUPTED, and nothing else
   */
  look(clientId: string, signedIn: SignedIn): Promise<readonly string[]>;
  /** Whether all permissions were there when it was last looked. */
  has(clientId: string): boolean;
}

export function openGrantedBefore(
  awaited: { readonly ready: Readiness; readonly onData: readonly string[]; readonly signal: AbortSignal },
  runtime: Runtime,
): GrantedBefore {
  const { ready, onData, signal } = awaited;
  const granted = new Set<string>();
  return {
    async look(clientId, { manager, token }) {
      granted.delete(clientId);
      try {
        const arm = openArm({ manager, clientId, token, signal, limits: LIMITS }, runtime);
        const missing = await askMissing(arm, ready, onData);
        if (missing.length === 0) granted.add(clientId);
        return missing;
      } catch (thrown) {
        if (thrown instanceof AgentctlError && thrown.code === "INTERRUPTED") throw thrown;
        return HAS_NONE.includes(azureCodeOf(thrown) ?? "") ? ready.permissions : [];
      }
    },
    has: (clientId) => granted.has(clientId),
  };
}

/** Such as `Microsoft.Web/sites/read at /subscriptions/… was granted before …`. */
export function describeGrantedBefore({ permissions, at }: Readiness): string {
  const were = permissions.length === 1 ? "was" : "were";
  return `${permissions.join(", ")} at ${at} ${were} granted before anything was given: ready cannot tell when this lease's role works`;
}
