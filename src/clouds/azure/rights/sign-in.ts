import { decodeJwt } from "jose";
import { AgentctlError } from "../../../core/errors.js";
import type { IssueContext } from "../../../core/lease.js";
import type { Runtime } from "../../../core/runtime.js";
import type { Secret } from "../../../core/secret.js";
import type { ExchangeLimits } from "../../exchange/exchange.js";
import type { Application } from "../application.js";
import { askToken } from "../ask-token.js";
import { resolveAuthority } from "../authority.js";
import { type Arm, openArm } from "./arm.js";
import { type ResourceManager, resolveResourceManager } from "./resource-manager.js";

const OBJECT_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface SigningIn extends Pick<IssueContext, "mintToken" | "signal"> {
  readonly limits: ExchangeLimits;
  /** Told of each time that Azure Resource Manager is asked. */
  onTry?(): void;
}

/** An application that is signed in at Azure Resource Manager. */
export interface SignedIn {
  readonly arm: Arm;
  readonly token: Secret;
  readonly manager: ResourceManager;
}

/**
 * Signs an application in with the OIDC token.
 * @throws {AgentctlError} as `askToken` does; ENDPOINT_INVALID
 */
export async function signIn(application: Application, context: SigningIn, runtime: Runtime): Promise<SignedIn> {
  const manager = resolveResourceManager(runtime);
  const authority = resolveAuthority(runtime);
  const { token } = await askToken(manager.scope, application, authority, context, runtime, context.limits);
  return { arm: openArm({ ...context, manager, clientId: application.clientId, token }, runtime), token, manager };
}

/**
 * The service principal's object id, which role assignments are made to: its own token says it, so that Microsoft
 * Graph, and a right to ask it, is not needed.
 * @throws {AgentctlError} BAD_ANSWER
 */
export function objectIdOf({ token }: Pick<SignedIn, "token">, clientId: string): string {
  const objectId = readObjectId(token.reveal());
  if (objectId !== undefined) return objectId;
  throw new AgentctlError("BAD_ANSWER", `the token of application ${clientId} does not say its object id`, {
    hint: "check the endpoint in use",
  });
}

function readObjectId(token: string): string | undefined {
  try {
    const { oid } = decodeJwt(token);
    return typeof oid === "string" && OBJECT_ID.test(oid) ? oid : undefined;
  } catch {
    return undefined;
  }
}
