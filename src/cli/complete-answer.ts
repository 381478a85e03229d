import type { Command } from "commander";
import { escapeControlCharacters } from "../core/control-characters.js";
import type { Runtime } from "../core/runtime.js";
import { findPosition, type Position } from "./complete-line.js";
import { type Candidate, listValues } from "./complete-values.js";

/** What a shell has typed so far: the words before the cursor's, without `agentctl`, and the cursor's up to the cursor. */
export interface TypedLine {
  readonly words: readonly string[];
  readonly current: string;
}

/**
 * What may stand where the cursor is, for the shell's own script. The first line says what to do:
 * `words`, offer the lines below, each a word, a tab and a description; `files` or `directories`, offer those, in the place of
 * what follows the `=` where the word has one; `command N`, complete another command's line, which begins N words after `agentctl`.
 * @throws {AgentctlError} what reading the configuration or the ledger does
 */
export async function answerCompletion(program: Command, typed: TypedLine, runtime: Runtime): Promise<string> {
  const position = findPosition(program, typed.words, typed.current);
  if (position.kind === "wrapped") return `command ${position.at}\n`;
  if (position.kind === "value" && "kind" in position.values) {
    if (position.values.kind === "file") return "files\n";
    if (position.values.kind === "directory") return "directories\n";
  }
  const candidates = await listCandidates(position, typed.current, runtime);
  return `words\n${candidates.filter(isPlain).map(renderCandidate).join("")}`;
}

async function listCandidates(position: Position, current: string, runtime: Runtime): Promise<readonly Candidate[]> {
  switch (position.kind) {
    case "commands":
      return [...listCommands(position.command), ...(position.withTopics ? await listTopics() : [])];
    case "options":
      return listOptions(position.command, current);
    case "value": {
      const found = await listValues(position.values, { ...position, runtime });
      return found.map((candidate) => ({ ...candidate, value: `${position.before}${candidate.value}` }));
    }
    default:
      return [];
  }
}

function listCommands(command: Command): readonly Candidate[] {
  const visible = command.createHelp().visibleCommands(command);
  return visible.map((child) => ({ value: child.name(), description: child.summary() || child.description() }));
}

async function listTopics(): Promise<readonly Candidate[]> {
  const { HELP_TOPICS } = await import("./help-topics.js");
  return HELP_TOPICS.map(({ name, summary }) => ({ value: name, description: summary }));
}

/** Long ones, unless a short one has been begun. */
function listOptions(command: Command, current: string): readonly Candidate[] {
  const visible = command.createHelp().visibleOptions(command);
  return visible.flatMap(({ long, short, description }) => {
    const value = /^-[^-]/.test(current) ? short : (long ?? short);
    return value === undefined || value === null ? [] : [{ value, description }];
  });
}

/**
 * Only what no shell gives a meaning to: names come from files that somebody else may have written, and a valid one
 * has no other characters.
 */
function isPlain({ value }: Candidate): boolean {
  return /^[\w.,:/@+=-]+$/.test(value);
}

const MOST_CHARACTERS = 72;

function renderCandidate({ value, description }: Candidate): string {
  const line = escapeControlCharacters(description.replace(/\s+/g, " ").trim());
  return `${value}\t${line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS - 1)}…` : line}\n`;
}
