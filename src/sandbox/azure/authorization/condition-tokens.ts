export type ConditionToken =
  | { readonly kind: "mark"; readonly text: "(" | ")" | "{" | "}" | "," | "!" | "AND" | "OR" }
  | { readonly kind: "attribute"; readonly source: string; readonly name: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "word"; readonly text: string };

const TOKEN = /\s*(?:([(){},!])|(&&|\|\|)|@(\w+)\[([^\]]+)\]|'([^']*)'|([\w.:*/-]+))/y;
const JOINS: Readonly<Record<string, "AND" | "OR" | "!">> = { "&&": "AND", "||": "OR", AND: "AND", OR: "OR", NOT: "!" };

/** The parts of a role assignment's condition; undefined where something is none. */
export function splitCondition(text: string): readonly ConditionToken[] | undefined {
  const tokens: ConditionToken[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const match = TOKEN.exec(text);
    if (match === null) return undefined;
    tokens.push(readToken(match));
  }
  return tokens;
}

function readToken([, mark, join, source, name, quoted, word]: RegExpExecArray): ConditionToken {
  if (mark !== undefined) return { kind: "mark", text: mark as "(" };
  if (source !== undefined) return { kind: "attribute", source, name: name ?? "" };
  if (quoted !== undefined) return { kind: "text", text: quoted };
  const joint = JOINS[(join ?? word ?? "").toUpperCase()];
  return joint === undefined ? { kind: "word", text: word ?? "" } : { kind: "mark", text: joint };
}
