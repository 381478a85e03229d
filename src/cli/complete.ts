import type { Command } from "commander";
import type { CliContext } from "./context.js";

/**
 * `agentctl __complete --current=WORD -- SHELL WORDS…`, which the shells' own scripts ask. Hidden: the form may change
 * from version to version.
 */
export function registerComplete(program: Command, context: CliContext, createWhole: () => Command): void {
  program
    .command("__complete", { hidden: true })
    .argument("<shell>", "who asks: bash passes its words as they were typed, with their quotes")
    .argument("[words...]", "what stands before the cursor's word")
    .requiredOption("--current <word>", "the cursor's word, up to the cursor")
    .helpOption(false)
    .action(async (shell: string, words: readonly string[], { current }: { readonly current: string }) => {
      const { runtime } = context;
      const { answerCompletion } = await import("./complete-answer.js");
      const { unquoteWord } = await import("./complete-words.js");
      const read = shell === "bash" ? unquoteWord : (word: string) => word;
      try {
        const typed = { words: words.map(read), current: read(current) };
        runtime.stdout.write(await answerCompletion(createWhole(), typed, runtime));
      } catch {
        // A line of an error in the middle of somebody's typing helps nobody; running the command will tell it.
      }
    });
}
