/** One line of a listing: a name, or the beginning that several names share. */
export type ListEntry = { readonly name: string } | { readonly prefix: string };

/** Names in order, those that share a part up to the delimiter folded into one prefix. */
export function groupNames(names: Iterable<string>, prefix: string, delimiter: string): readonly ListEntry[] {
  const entries: ListEntry[] = [];
  let shared: string | undefined;
  for (const name of [...names].sort()) {
    if (!name.startsWith(prefix)) continue;
    const mark = delimiter === "" ? -1 : name.indexOf(delimiter, prefix.length);
    const common = mark < 0 ? undefined : name.slice(0, mark + delimiter.length);
    if (common === undefined) entries.push({ name });
    else if (common !== shared) entries.push({ prefix: common });
    shared = common;
  }
  return entries;
}
