import type { PolicyResource } from "./resources.js";

/** Such as `storage.objects.get on //… works`. */
export function workingText(permissions: readonly string[], { name }: Pick<PolicyResource, "name">): string {
  return `${permissions.join(", ")} on ${name} ${permissions.length === 1 ? "works" : "work"}`;
}
