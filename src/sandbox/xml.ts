/** Text as XML content or attribute value. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&"'\r]/g, (char) => `&#${char.charCodeAt(0)};`);
}
