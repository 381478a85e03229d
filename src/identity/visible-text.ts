import { escapeControlCharacters } from "../core/control-characters.js";

const MAX_SHOWN_CHARACTERS = 300;

/** Text from a token or a service, which nobody has vouched for yet, made fit for one line of an error or a record. */
export function makeVisible(text: string, maxCharacters = MAX_SHOWN_CHARACTERS): string {
  return escapeControlCharacters(text.length > maxCharacters ? `${text.slice(0, maxCharacters)}…` : text);
}
