/**
 * Writes every character that could steer a terminal or forge a line as `\uXXXX`: C0 and C1 controls, line and
 * paragraph separators, and the marks that change the direction of text. On the output of JSON.stringify the
 * result is the same JSON.
 */
export function escapeControlCharacters(text: string): string {
  let escaped = "";
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    escaped += isControl(code) ? `\\u${code.toString(16).padStart(4, "0")}` : character;
  }
  return escaped;
}

function isControl(code: number): boolean {
  if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  return DIRECTION_MARKS.has(code) || code === 0x2028 || code === 0x2029 || code === 0xfeff;
}

/** The characters of Unicode's bidirectional algorithm that are invisible (UAX #9; "Trojan Source", CVE-2021-42574). */
const DIRECTION_MARKS: ReadonlySet<number> = new Set([
  0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
]);
