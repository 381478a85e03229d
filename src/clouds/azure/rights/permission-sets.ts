import { fieldOf } from "../../exchange/wire.js";

/** What a role grants: patterns such as `Microsoft.Storage/*`. */
export interface PermissionSet {
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
  readonly dataActions: readonly string[];
  readonly notDataActions: readonly string[];
}

export function isAction(permission: string, { actions, notActions }: PermissionSet): boolean {
  return isAmong(permission, actions) && !isAmong(permission, notActions);
}

export function isOnData(permission: string, { dataActions, notDataActions }: PermissionSet): boolean {
  return isAmong(permission, dataActions) && !isAmong(permission, notDataActions);
}

export function readSet(json: unknown): PermissionSet {
  const read = (name: string): readonly string[] => {
    const patterns = fieldOf(json, name);
    return Array.isArray(patterns) ? patterns.filter((pattern) => typeof pattern === "string") : [];
  };
  return {
    actions: read("actions"),
    notActions: read("notActions"),
    dataActions: read("dataActions"),
    notDataActions: read("notDataActions"),
  };
}

function isAmong(permission: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matches(pattern, permission));
}

/**
 * A star stands for anything, also for what has slashes in it. Without a regular expression: who writes a role could have
 * one take for ever.
 */
function matches(pattern: string, permission: string): boolean {
  const [first = "", ...pieces] = pattern.toLowerCase().split("*");
  const last = pieces.pop();
  const text = permission.toLowerCase();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let from = first.length;
  for (const piece of pieces) {
    const found = text.indexOf(piece, from);
    if (found < 0) return false;
    from = found + piece.length;
  }
  return text.length - last.length >= from && text.endsWith(last);
}
