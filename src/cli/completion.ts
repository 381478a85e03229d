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
Where the script goes, in a directory that may have to be made; a new shell then finds it:
  bash        ~/.local/share/bash-completion/completions/agentctl; without bash-completion: source it in ~/.bashrc
  zsh         _agentctl in a directory of $fpath: for ~/.zfunc, fpath=(~/.zfunc $fpath) in ~/.zshrc, before compinit
  fish        ~/.config/fish/completions/agentctl.fish
  powershell  a file that $PROFILE runs

Examples:
  mkdir -p ~/.local/share/bash-completion/completions
  agentctl completion bash > ~/.local/share/bash-completion/completions/agentctl

  mkdir -p ~/.zfunc
  agentctl completion zsh > ~/.zfunc/_agentctl

  mkdir -p ~/.config/fish/completions
  agentctl completion fish > ~/.config/fish/completions/agentctl.fish

  New-Item -ItemType Directory -Force (Split-Path $PROFILE)
  agentctl completion powershell >> $PROFILE
`;
