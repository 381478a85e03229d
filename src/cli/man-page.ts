import type { Command, Option } from "commander";
import { HELP_TOPICS } from "./help-topics.js";
import { bold, escapeRoff, roffBlock, roffLines, roffRows, roffText, roffTitle } from "./man-roff.js";

/** What stands behind a command's options in its help: notes and examples, as lines. */
export type NotesOf = (command: Command) => readonly string[];

/** The names that manual pages have for what a topic explains. */
const TITLE_OF_TOPIC: Readonly<Record<string, string>> = {
  config: "CONFIGURATION",
  "exit-codes": "EXIT STATUS",
};

/** agentctl(1) in the man macros of roff, from the program and the help topics. */
export function renderManPage(program: Command, version: string, notesOf: NotesOf): string {
  const lines = [
    '.\\" Made by: npm run completions',
    `.TH AGENTCTL 1 "" "agentctl ${escapeRoff(version)}" "User Commands"`,
    ".SH NAME",
    `agentctl \\- ${escapeRoff(program.description())}`,
    ".SH SYNOPSIS",
    ...synopsis(program),
    ".SH COMMANDS",
    ...leavesOf(program).flatMap((command) => describeCommand(command, notesOf)),
    // A paragraph needs no macro at the beginning of a section.
    ...HELP_TOPICS.flatMap(({ name, blocks }) => [
      roffTitle("SH", TITLE_OF_TOPIC[name] ?? name.toUpperCase()),
      ...blocks.flatMap(roffBlock).slice(typeof blocks[0] === "string" ? 1 : 0),
    ]),
    ".SH EXAMPLES",
    ...roffLines(notesOf(program)).slice(1),
  ];
  return `${lines.join("\n")}\n`;
}

function synopsis(program: Command): readonly string[] {
  return leavesOf(program).flatMap((command, index) => [
    ...(index === 0 ? [] : [".br"]),
    `${bold(pathOf(command))} ${escapeRoff(usageOf(command))}`.trimEnd(),
  ]);
}

/** The commands that do something: not a group, and not one that is hidden. */
function leavesOf(command: Command): readonly Command[] {
  const visible = command.createHelp().visibleCommands(command);
  return visible.flatMap((child) => (child.commands.length > 0 ? leavesOf(child) : [child]));
}

function describeCommand(command: Command, notesOf: NotesOf): readonly string[] {
  const help = command.createHelp();
  const given = help.visibleArguments(command).map((argument): [string, string] => {
    return [escapeRoff(help.argumentTerm(argument)), help.argumentDescription(argument)];
  });
  const options = ownOptions(command).map((option): [string, string] => {
    return [optionTerm(option), help.optionDescription(option)];
  });
  return [
    roffTitle("SS", `${pathOf(command)} ${usageOf(command)}`.trimEnd()),
    roffText(command.description()),
    ...roffRows([...given, ...options]),
    ...roffLines(notesOf(command)),
  ];
}

/** Flags are bold, their values italic. */
function optionTerm(option: Option): string {
  return option.flags
    .split(/([<[].*)/)
    .map((part, index) => (index % 2 === 1 ? `\\fI${escapeRoff(part)}\\fR` : bold(part)))
    .filter((part) => part !== bold(""))
    .join("");
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** Without --help, which every command has. */
function ownOptions(command: Command): readonly Option[] {
  const visible = command.createHelp().visibleOptions(command);
  return visible.filter(({ long }) => long !== "--help");
}

function usageOf(command: Command): string {
  return ownOptions(command).length > 0 ? command.usage() : command.usage().replace("[options]", "").trim();
}
