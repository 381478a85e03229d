import type { BlockContext } from "./block-context.js";

/** Reports each entry of a list that says the same as one before it. */
export function reportRepeats(entries: readonly string[], key: string, context: BlockContext): void {
  entries.forEach((entry, index) => {
    const first = entries.indexOf(entry);
    if (first === index) return;
    context.report([key, index], `says the same as ${key}[${first}]`, { hint: "leave one of the two out" });
  });
}

/**
 * Reports a `ready` that has nothing to wait for, or that does not say where to look. `places` are where something is
 * given, and `gives` names the keys that do.
 */
export function reportReady(
  {
    at,
    places,
    gives,
  }: { readonly at: string | undefined; readonly places: readonly string[]; readonly gives: string },
  context: BlockContext,
): void {
  const different = new Set(places);
  if (different.size === 0) {
    context.report(["ready"], `has nothing to wait for: nothing is given, with ${gives}`, {
      hint: `write ${gives} beside it, or leave it out`,
    });
  } else if (at === undefined && different.size > 1) {
    context.report(["ready", "at"], "is missing: something is given in more places than one", {
      hint: `name where the permissions are tried, such as ${places[0]}`,
    });
  }
}
