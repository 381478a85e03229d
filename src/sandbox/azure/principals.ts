import { guidOf } from "./guid.js";
import type { AzureApp, AzureWorld } from "./world.js";

/** The application that a client id names, without regard to case. */
export function findApp(world: AzureWorld, clientId: string): { id: string; app: AzureApp } | undefined {
  return listApps(world).find(({ id }) => id.toLowerCase() === clientId.toLowerCase());
}

/** The application whose service principal has an object id, without regard to case. */
export function findPrincipal(world: AzureWorld, objectId: string): { id: string; app: AzureApp } | undefined {
  return listApps(world).find(({ id, app }) => objectIdOf(id, app).toLowerCase() === objectId.toLowerCase());
}

export function objectIdOf(clientId: string, app: AzureApp): string {
  return app.objectId ?? guidOf(clientId);
}

function listApps(world: AzureWorld): readonly { id: string; app: AzureApp }[] {
  return Object.entries(world.apps).map(([id, app]) => ({ id, app }));
}
