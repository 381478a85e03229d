import type { Command } from "commander";
import { AgentctlError } from "../core/errors.js";
import type { CliContext } from "./context.js";

/** `agentctl help [COMMAND… | TOPIC]`, in the place of commander's own, which knows no topics. */
export function registerHelp(program: Command, context: CliContext, createWhole: () => Command): void {
  program
    .command("help")
    .summary("explain a command or a topic")
    .description("Print the help of a command, or explain a topic. With neither, list both.")
    .argument("[topic...]", "a command, such as run or audit log, or a topic, such as environment")
    .addHelpText("after", EXAMPLES)
    .action(async (words: readonly string[]) => {
      const { runtime } = context;
      const { findTopic, renderTopic, renderTopicList } = await import("./help-topics-render.js");
      const whole = createWhole();
      const topic = words.length === 1 ? findTopic(words[0]) : undefined;
      if (topic !== undefined) {
        runtime.stdout.write(renderTopic(topic, runtime.stdout.columns));
        return;
      }
      findCommand(whole, words).outputHelp();
      if (words.length === 0) runtime.stdout.write(renderTopicList());
    });
}

/** @throws {AgentctlError} USAGE */
function findCommand(program: Command, path: readonly string[]): Command {
  let command = program;
  for (const word of path) {
    const child = command.commands.find((candidate) => candidate.name() === word);
    if (child === undefined) {
      throw new AgentctlError("USAGE", `there is no command or topic '${path.join(" ")}'`, {
        hint: "agentctl help lists the commands and the topics",
      });
    }
    command = child;
  }
  return command;
}

const EXAMPLES = `
Examples:
  agentctl help
  agentctl help audit log
  agentctl help exit-codes
`;
