/** A policy as IAM gives it: percent-encoded as RFC 3986 has it, so beyond what `encodeURIComponent` does. */
export function encodeDocument(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
