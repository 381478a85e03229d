import type { Argument, Command, Option } from "commander";

/** What a word stands for, where the program itself cannot list its values. */
export type ValueKind =
  | "profile"
  | "lease"
  | "source"
  | "login"
  | "actor"
  | "variable"
  | "file"
  | "directory"
  | "nothing";

/** What may stand at a place: a closed list, or something to look up. */
export type Values = { readonly choices: readonly string[] } | { readonly kind: ValueKind };

const KIND_OF_OPTION: Readonly<Record<string, ValueKind>> = {
  "--profile": "profile",
  "--lease": "lease",
  "--identity": "source",
  "--actor": "actor",
  "--pass-env": "variable",
};

/** By the name between the brackets, as in `--receipt <file>`. */
const KIND_OF_PLACEHOLDER: Readonly<Record<string, ValueKind>> = {
  file: "file",
  path: "file",
  dir: "directory",
  directory: "directory",
};

/** By the command or its group and the argument, as in `agentctl logout [name]` and `agentctl profile show <name>`. */
const KIND_OF_ARGUMENT: Readonly<Record<string, ValueKind>> = {
  "profile name": "profile",
  "lease id": "lease",
  "login name": "login",
  "logout name": "login",
};

export function valuesOfOption(option: Option): Values {
  if (option.argChoices !== undefined) return { choices: option.argChoices };
  const placeholder = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1] ?? "";
  return { kind: KIND_OF_OPTION[option.long ?? ""] ?? KIND_OF_PLACEHOLDER[placeholder] ?? "nothing" };
}

export function valuesOfArgument(argument: Argument, command: Command): Values {
  if (argument.argChoices !== undefined) return { choices: argument.argChoices };
  const owner = command.parent?.parent === null ? command : command.parent;
  const kind = KIND_OF_ARGUMENT[`${owner?.name()} ${argument.name()}`];
  return { kind: kind ?? KIND_OF_PLACEHOLDER[argument.name()] ?? "nothing" };
}

/** `run` and `sandbox` take another command line, of which nothing is theirs any more. */
export function wrapsCommand(command: Command): boolean {
  return command.registeredArguments.some((argument) => argument.variadic && argument.name() === "command");
}
