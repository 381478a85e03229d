import { WireError } from "../wire-error.js";
import type { AzureWorld } from "./world.js";

const MANAGEMENT_GROUP = /^\/providers\/Microsoft\.Management\/managementGroups\/[^/]+$/i;

/** Resource ids compare without regard to case. A management group is above the one subscription, the root above all. */
export function isWithin(resource: string, scope: string): boolean {
  const [inner, outer] = [resource.toLowerCase(), scope.toLowerCase().replace(/\/$/, "")];
  if (outer === "" || inner === outer || inner.startsWith(`${outer}/`)) return true;
  return MANAGEMENT_GROUP.test(outer) && inner.startsWith("/subscriptions/");
}

export function isSameScope(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/**
 * Makes sure that what a path names as a scope is there.
 * @throws {WireError} SubscriptionNotFound, ResourceGroupNotFound, ResourceNotFound
 */
export function assertScopeExists(scope: string, world: AzureWorld): void {
  const [, , subscription, , group, ...resource] = scope.split("/");
  if (!/^\/subscriptions\//i.test(scope)) return;
  assertSubscription(subscription ?? "", world);
  if (group === undefined) return;
  if (!hasName(world.resourceGroups, group)) {
    throw new WireError(404, "ResourceGroupNotFound", `Resource group '${group}' could not be found.`);
  }
  const [, provider, type, name] = resource;
  if (provider === undefined) return;
  const account = Object.entries(world.storageAccounts).find(([account]) => hasName([account], name ?? ""))?.[1];
  const isStorage = `${provider}/${type}`.toLowerCase() === "microsoft.storage/storageaccounts";
  if (isStorage && account !== undefined && hasName([account.resourceGroup], group)) return;
  const text = `The Resource '${provider}/${type}/${name}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`;
  throw new WireError(404, "ResourceNotFound", text);
}

/** @throws {WireError} SubscriptionNotFound */
export function assertSubscription(id: string, world: AzureWorld): void {
  if (id.toLowerCase() === world.subscriptionId.toLowerCase()) return;
  throw new WireError(404, "SubscriptionNotFound", `The subscription '${id}' could not be found.`);
}

function hasName(names: readonly string[], name: string): boolean {
  return names.some((one) => one.toLowerCase() === name.toLowerCase());
}
