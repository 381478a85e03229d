/** A word as a POSIX shell would pass it on, with nothing expanded: quotes and backslashes go, also where a quote is still open. */
export function unquoteWord(word: string): string {
  return word.replace(QUOTED, (part) => {
    if (part.startsWith("'")) return part.replaceAll("'", "");
    if (part.startsWith('"')) return part.replace(/^"|(?<!\\)"$/g, "").replace(/\\(["\\$`])/g, "$1");
    return part.slice(1);
  });
}

const QUOTED = /'[^']*'?|"(?:\\.|[^"\\])*"?|\\.?/gs;

/** A path as typed, with the home directory for a `~/` in front; no shell does that for a word that is not finished. */
export function expandHome(path: string, home: string | undefined): string {
  return home !== undefined && path.startsWith("~/") ? `${home}${path.slice(1)}` : path;
}
