import { Argument, type Command } from "commander";
import { SHELLS, type Shell } from "./completion-shells.js";
import type { CliContext } from "./context.js";

export function registerCompletion(program: Command, { runtime }: CliContext): void {
  program
    .command("completion")
    .summary("print the completion script of a shell")
    .description(
      "Print a script that makes a shell complete agentctl: commands, options, profiles, leases and sources.",
    )
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .addHelpText("after", HELP)
    .action(async (shell: Shell) => {
      const { COMPLETION_SCRIPTS } = await import("./completion-scripts.js");
      runtime.stdout.write(COMPLETION_SCRIPTS[shell]);
    });
}

const HELP = `
Where the script goes; a new shell then finds it:
  bash        ~/.local/share/bash-completion/completions/agentctl; without bash-completion: source it in ~/.bashrc
  zsh         _agentctl in a directory of $fpath, before compinit
  fish        ~/.config/fish/completions/agentctl.fish
  powershell  a file that $PROFILE runs

Examples:
  agentctl completion bash > ~/.local/share/bash-completion/completions/agentctl
  agentctl completion zsh > "\${fpath[1]}/_agentctl"
  agentctl completion fish > ~/.config/fish/completions/agentctl.fish
  agentctl completion powershell >> $PROFILE
`;
