import { createHash } from "node:crypto";
import type { TrustedIssuer } from "../oidc/trusted-issuer.js";
import type { ServiceName } from "../service.js";
import type { AccessTokens } from "./access-tokens.js";
import type { AzureApp, AzureWorld } from "./world.js";

/** What the embedded Azure works with. */
export interface AzureContext {
  readonly world: AzureWorld;
  readonly issuer: TrustedIssuer;
  readonly tokens: AccessTokens;
  /** Where it is served. */
  readonly origin: string;
  now(service: ServiceName): number;
}

/** The application that a client id names, without regard to case. */
export function findApp(world: AzureWorld, clientId: string): { id: string; app: AzureApp } | undefined {
  const found = Object.entries(world.apps).find(([id]) => id.toLowerCase() === clientId.toLowerCase());
  return found === undefined ? undefined : { id: found[0], app: found[1] };
}

export function objectIdOf(clientId: string, app: AzureApp): string {
  if (app.objectId !== undefined) return app.objectId;
  const hex = createHash("sha256").update(clientId).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
