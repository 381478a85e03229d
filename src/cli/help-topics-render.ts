import { HELP_TOPICS, type HelpBlock, type HelpTopic } from "./help-topics.js";

const MOST_COLUMNS = 100;
const INDENT = "  ";
/** A term longer than this stands on a line of its own. */
const LONGEST_TERM = 24;

export function findTopic(name: string | undefined): HelpTopic | undefined {
  return HELP_TOPICS.find((topic) => topic.name === name);
}

/** A topic as plain text of at most `columns` characters a line. */
export function renderTopic(topic: HelpTopic, columns: number): string {
  const width = Math.min(columns, MOST_COLUMNS);
  const blocks = topic.blocks.map((block) => renderBlock(block, width).join("\n"));
  return `${[`${topic.name}: ${topic.summary}`, ...blocks].join("\n\n")}\n`;
}

/** The topics, in the manner of the list of commands that stands before it. */
export function renderTopicList(): string {
  const width = Math.max(...HELP_TOPICS.map(({ name }) => name.length));
  const rows = HELP_TOPICS.map(({ name, summary }) => `${INDENT}${name.padEnd(width)}  ${summary}\n`);
  return `\nTopics (agentctl help TOPIC):\n${rows.join("")}`;
}

function renderBlock(block: HelpBlock, width: number): readonly string[] {
  if (typeof block === "string") return wrap(block, width);
  if ("lines" in block) return block.lines.map((line) => `${INDENT}${line}`);
  const fitting = block.rows.map(([term]) => term.length).filter((length) => length <= LONGEST_TERM);
  const column = INDENT.length + Math.max(...fitting) + INDENT.length;
  return block.rows.flatMap(([term, meaning]) => {
    const [first = "", ...rest] = wrap(meaning, width - column);
    const hung = rest.map((line) => `${" ".repeat(column)}${line}`);
    if (term.length <= LONGEST_TERM) return [`${INDENT}${term}`.padEnd(column) + first, ...hung];
    const terms = wrap(term, width - INDENT.length).map((line) => `${INDENT}${line}`);
    return [...terms, `${" ".repeat(column)}${first}`, ...hung];
  });
}

/** Lines of whole words; a word that is longer than a line keeps its length. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
