import { escapeControlCharacters } from "../core/control-characters.js";

/** A value from elsewhere, made safe to print: it can neither steer the terminal nor begin a line of its own. */
export function printable(text: string): string {
  return escapeControlCharacters(text);
}
