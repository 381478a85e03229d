/**
 * C0 and C1 controls, line and paragraph separators, and the invisible marks of Unicode's bidirectional algorithm
 * (UAX #9; "Trojan Source", CVE-2021-42574).
 */
const STEERING = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/**
 * Writes every character that could steer a terminal or forge a line as `\uXXXX`. On the output of JSON.stringify
 * the result is the same JSON.
 */
export function escapeControlCharacters(text: string): string {
  return text.replace(STEERING, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
