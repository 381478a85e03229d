import type { Command, Option } from "commander";
import { type Values, valuesOfArgument, valuesOfOption, wrapsCommand } from "./complete-kinds.js";

/** What may stand where the cursor is. */
export type Position =
  | { readonly kind: "commands"; readonly command: Command; readonly withTopics: boolean }
  | { readonly kind: "options"; readonly command: Command }
  | {
      readonly kind: "value";
      readonly values: Values;
      /** What stands before the value in the same word, such as `--config=`. */
      readonly before: string;
      /** The file that `--config` names further left, as typed. */
      readonly configPath?: string;
    }
  /** Another command's line, which begins with the word of this index. */
  | { readonly kind: "wrapped"; readonly at: number }
  | { readonly kind: "nothing" };

/** The words up to the cursor as the program will take them. */
interface Reading {
  command: Command;
  readonly positionals: string[];
  /** An option that the next word is the value of. */
  pending: Option | undefined;
  /** A `--` has been: no word is an option any more. */
  isTerminated: boolean;
  wrappedAt: number | undefined;
  configPath: string | undefined;
}

const NOTHING: Position = { kind: "nothing" };

/**
 * Where the cursor is in `agentctl WORDS… CURRENT`. The words are as the program would get them; what the program
 * does not know is passed over, since the line is still being written.
 */
export function findPosition(program: Command, words: readonly string[], current: string): Position {
  const reading = readWords(program, words);
  const at = reading.wrappedAt ?? (isWrappedCommand(reading, current) ? words.length : undefined);
  if (at !== undefined) return insideWrapped(program, words, current, at);
  if (reading.pending !== undefined && !(reading.pending.optional && isOption(current))) {
    return valueAt(valuesOfOption(reading.pending), "", reading);
  }
  if (!reading.isTerminated && isOption(current)) return optionAt(reading, current);
  return operandAt(program, reading);
}

function readWords(program: Command, words: readonly string[]): Reading {
  const reading: Reading = {
    command: program,
    positionals: [],
    pending: undefined,
    isTerminated: false,
    wrappedAt: undefined,
    configPath: undefined,
  };
  for (const [index, word] of words.entries()) {
    readWord(reading, word, index);
    if (reading.wrappedAt !== undefined) break;
  }
  return reading;
}

function readWord(reading: Reading, word: string, index: number): void {
  const { pending } = reading;
  reading.pending = undefined;
  if (pending !== undefined && !(pending.optional && isOption(word))) takeValue(reading, pending, word);
  else if (reading.isTerminated || !isOption(word)) takeOperand(reading, word, index);
  else if (word === "--") reading.isTerminated = true;
  else if (word.startsWith("--")) takeLongOption(reading, word);
  else takeShortOptions(reading, word);
}

function takeValue(reading: Reading, option: Option, value: string): void {
  if (option.long === "--config") reading.configPath = value;
}

function takeOperand(reading: Reading, word: string, index: number): void {
  const next = reading.positionals.length === 0 ? childOf(reading.command, word) : undefined;
  if (next !== undefined) reading.command = next;
  else if (wrapsCommand(reading.command)) reading.wrappedAt = index;
  else reading.positionals.push(word);
}

function takeLongOption(reading: Reading, word: string): void {
  const { name, value } = splitOption(word);
  const option = reading.command.options.find(({ long }) => long === name);
  if (option === undefined || !(option.required || option.optional)) return;
  if (value !== undefined) takeValue(reading, option, value);
  else reading.pending = option;
}

/** `-f`, `-fp NAME`, `-pNAME`. */
function takeShortOptions(reading: Reading, word: string): void {
  for (let at = 1; at < word.length; at += 1) {
    const option = reading.command.options.find(({ short }) => short === `-${word[at]}`);
    if (option === undefined || !(option.required || option.optional)) continue;
    if (at === word.length - 1) reading.pending = option;
    return;
  }
}

function isWrappedCommand(reading: Reading, current: string): boolean {
  if (reading.pending !== undefined || !wrapsCommand(reading.command)) return false;
  return reading.isTerminated || !isOption(current);
}

/** A line of agentctl's own inside, as in `agentctl sandbox -- agentctl run …`, is read on. */
function insideWrapped(program: Command, words: readonly string[], current: string, at: number): Position {
  if (words[at] !== program.name()) return { kind: "wrapped", at };
  const inner = findPosition(program, words.slice(at + 1), current);
  return inner.kind === "wrapped" ? { kind: "wrapped", at: at + 1 + inner.at } : inner;
}

function optionAt({ command, configPath }: Reading, current: string): Position {
  const { name, value } = splitOption(current);
  if (value === undefined) return { kind: "options", command };
  const option = command.options.find(({ long, required, optional }) => long === name && (required || optional));
  return option === undefined ? NOTHING : valueAt(valuesOfOption(option), `${name}=`, { configPath });
}

function operandAt(program: Command, reading: Reading): Position {
  const { command, positionals } = reading;
  if (command.name() === "help" && command.parent === program) return helpAt(program, positionals);
  if (command.commands.length > 0) {
    return positionals.length === 0 ? { kind: "commands", command, withTopics: false } : NOTHING;
  }
  const all = command.registeredArguments;
  const argument = all[positionals.length] ?? (all.at(-1)?.variadic === true ? all.at(-1) : undefined);
  return argument === undefined ? NOTHING : valueAt(valuesOfArgument(argument, command), "", reading);
}

/** After `agentctl help` come the words of a command, or one topic. */
function helpAt(program: Command, path: readonly string[]): Position {
  let command: Command | undefined = program;
  for (const word of path) command = command && childOf(command, word);
  if (command === undefined || (command.commands.length === 0 && command !== program)) return NOTHING;
  return { kind: "commands", command, withTopics: path.length === 0 };
}

function valueAt(values: Values, before: string, { configPath }: Pick<Reading, "configPath">): Position {
  return { kind: "value", values, before, ...(configPath !== undefined && { configPath }) };
}

function childOf(command: Command, word: string): Command | undefined {
  return command.commands.find((child) => child.name() === word || child.aliases().includes(word));
}

function splitOption(word: string): { readonly name: string; readonly value?: string } {
  const equals = word.startsWith("--") ? word.indexOf("=") : -1;
  return equals < 0 ? { name: word } : { name: word.slice(0, equals), value: word.slice(equals + 1) };
}

/** A lone `-` is a file by convention, stdin or stdout; while it is being typed it begins an option as well. */
function isOption(word: string): boolean {
  return word.startsWith("-");
}
