import type { Command } from "commander";
import type { Runtime } from "../core/runtime.js";
import { COMPLETION_FILES, COMPLETION_SCRIPTS } from "./completion-scripts.js";
import { SHELLS } from "./completion-shells.js";
import { createProgram } from "./index.js";
import { renderManPage } from "./man-page.js";

/** The files of the repository that come from the commands and the help topics: each text by its path. */
export function generateFiles(runtime: Runtime): Readonly<Record<string, string>> {
  const scripts = SHELLS.map((shell) => [`completions/${COMPLETION_FILES[shell]}`, COMPLETION_SCRIPTS[shell]]);
  const { program, notesOf } = openProgram(runtime);
  return { ...Object.fromEntries(scripts), "man/agentctl.1": renderManPage(program, runtime.version, notesOf) };
}

/** The whole program, and a way to what its commands' help says behind the options, which commander only prints. */
function openProgram(runtime: Runtime): { readonly program: Command; notesOf(command: Command): readonly string[] } {
  let printed = "";
  const write = (text: string): void => {
    printed += text;
  };
  const stdout = { isTTY: false, columns: 100, write };
  const program = createProgram({ runtime: { ...runtime, stdout }, exit: () => {} });
  const notesOf = (command: Command): readonly string[] => {
    printed = "";
    command.outputHelp();
    const notes = printed.slice(command.helpInformation().length).trim();
    return notes === "" ? [] : notes.split("\n");
  };
  return { program, notesOf };
}
