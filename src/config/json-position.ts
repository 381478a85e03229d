const SPACE = /[\t\n\r ]*/y;
const TOKEN =
  /([{}[\],:])|("(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/uy;

/**
 * Where a text stops being JSON. JSON.parse stays the judge of whether it is; its messages give a position only
 * sometimes, and quote the text, which may be a file that nobody meant to show.
 */
export function locateJsonFault(text: string): { readonly line: number; readonly column: number } {
  const offset = faultOffset(text);
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}

type Expect = "value" | "value or ]" | "key or }" | "key" | "colon" | "comma or end";

function faultOffset(text: string): number {
  const open: ("{" | "[")[] = [];
  let expect: Expect = "value";
  let offset = 0;
  for (;;) {
    SPACE.lastIndex = offset;
    SPACE.exec(text);
    TOKEN.lastIndex = SPACE.lastIndex;
    const match: RegExpExecArray | null = TOKEN.exec(text);
    const ended: boolean = expect === "comma or end" && open.length === 0;
    const next: Expect | undefined =
      match === null || ended ? undefined : advance(expect, match[1], match[2] !== undefined, open);
    if (next === undefined) return SPACE.lastIndex;
    expect = next;
    offset = TOKEN.lastIndex;
  }
}

/** What may come after this token, or undefined when the token may not stand here. Keeps `open` up to date. */
function advance(expect: Expect, mark: string | undefined, isString: boolean, open: ("{" | "[")[]): Expect | undefined {
  if (expect === "colon") return mark === ":" ? "value" : undefined;
  if (expect === "key" || expect === "key or }") {
    if (isString) return "colon";
    return mark === "}" && expect === "key or }" ? close(open) : undefined;
  }
  if (expect === "comma or end") {
    const inside = open.at(-1);
    if (mark === ",") return inside === "{" ? "key" : "value";
    return mark === (inside === "{" ? "}" : "]") ? close(open) : undefined;
  }
  if (mark === undefined) return "comma or end";
  if (mark === "]" && expect === "value or ]") return close(open);
  if (mark !== "{" && mark !== "[") return undefined;
  open.push(mark);
  return mark === "{" ? "key or }" : "value or ]";
}

function close(open: ("{" | "[")[]): Expect {
  open.pop();
  return "comma or end";
}
