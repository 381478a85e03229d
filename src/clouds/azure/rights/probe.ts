import type { Grant } from "../../../core/lease.js";
import type { Runtime } from "../../../core/runtime.js";
import type { ExchangeLimits } from "../../exchange/exchange.js";
import type { Looking } from "../../look-before.js";
import { findToken } from "../find-token.js";
import { openArm } from "./arm.js";
import { azureCodeOf } from "./arm-service.js";
import { askMissing } from "./permissions.js";
import { resolveResourceManager } from "./resource-manager.js";
import type { Readiness } from "./rights-settings.js";

/** What Azure says of the lease's own token: it has all of the permissions, none of them, or nothing can be told. */
export type Seen = "open" | "closed" | "nothing";

/** Asks Azure Resource Manager by the lease's own token what it may do. Never throws. */
export interface Probe extends Looking<Seen> {
  /** The permissions, and where. */
  readonly ready: Readiness;
}

/** Undefined where there is nothing to ask about, or no token to ask with. */
export function openProbe(
  grant: Grant | undefined,
  ready: Readiness | undefined,
  runtime: Runtime,
  limits: ExchangeLimits,
): Probe | undefined {
  if (grant === undefined || ready === undefined) return undefined;
  const manager = resolveResourceManager(runtime);
  const found = findToken(manager.scope, grant);
  if ("reason" in found) return undefined;
  const caller = { manager, clientId: String(grant.facts["client"]), token: found.value, limits };
  return {
    ready,
    async ask(signal) {
      try {
        const missing = await askMissing(openArm({ ...caller, signal }, runtime), ready);
        if (missing.length === 0) return "open";
        return missing.length === ready.permissions.length ? "closed" : "nothing";
      } catch (error) {
        return azureCodeOf(error) === "AuthorizationFailed" ? "closed" : "nothing";
      }
    },
  };
}
