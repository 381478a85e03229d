/** One word of a POSIX shell, whatever is in it. */
export function shellQuote(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command over several lines: the first words on one, then an option and its value a line. */
export function shellCommand(words: readonly string[], options: readonly (readonly string[])[] = []): string {
  return [words.join(" "), ...options.map((option) => `  ${option.join(" ")}`)].join(" \\\n");
}
