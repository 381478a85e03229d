import type { HelpBlock } from "./help-topics.js";

/** Any text as roff that prints it as it is: hyphens stay ASCII, so that an option can be copied and searched for. */
export function escapeRoff(text: string): string {
  return escapeCharacters(text).replace(/^(?=\.)/gm, "\\&");
}

function escapeCharacters(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replaceAll("…", "...")
    .replace(/\P{ASCII}/gu, (character) => `\\[u${codePoint(character)}]`);
}

function codePoint(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

/** `code` between backquotes becomes bold. */
export function roffText(text: string): string {
  const parts = text.split("`").map((part, index) => (index % 2 === 1 ? bold(part) : escapeCharacters(part)));
  return parts.join("").replace(/^(?=\.)/, "\\&");
}

export function bold(text: string): string {
  return `\\fB${escapeRoff(text)}\\fR`;
}

/** A section's or subsection's title: one argument of its macro. */
export function roffTitle(macro: "SH" | "SS", title: string): string {
  return `.${macro} "${escapeRoff(title).replaceAll('"', "\\(dq")}"`;
}

/** Tagged paragraphs: terms, which are roff already, and what they mean. */
export function roffRows(rows: readonly (readonly [term: string, meaning: string])[]): readonly string[] {
  return rows.flatMap(([term, meaning]) => [".TP", term, roffText(meaning)]);
}

/** Lines as they are, in a fixed width where there is one. */
export function roffLines(lines: readonly string[]): readonly string[] {
  return [".PP", ".nf", ".RS 2", ...lines.map((line) => (line === "" ? "\\&" : escapeRoff(line))), ".RE", ".fi"];
}

export function roffBlock(block: HelpBlock): readonly string[] {
  if (typeof block === "string") return [".PP", roffText(block)];
  if ("lines" in block) return roffLines(block.lines);
  return roffRows(block.rows.map(([term, meaning]) => [bold(term), meaning]));
}
