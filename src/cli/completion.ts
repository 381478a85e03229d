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
Once for all; each new shell then has it:

  bash; without bash-completion, source the file in ~/.bashrc:
    mkdir -p ~/.local/share/bash-completion/completions
    agentctl completion bash > ~/.local/share/bash-completion/completions/agentctl

  zsh; in ~/.zshrc, before compinit: fpath=(~/.zfunc $fpath)
    mkdir -p ~/.zfunc
    agentctl completion zsh > ~/.zfunc/_agentctl

  fish:
    mkdir -p ~/.config/fish/completions
    agentctl completion fish > ~/.config/fish/completions/agentctl.fish

  PowerShell:
    New-Item -ItemType Directory -Force (Split-Path $PROFILE)
    agentctl completion powershell >> $PROFILE

Examples:
  agentctl completion zsh > _agentctl
  agentctl completion powershell >> $PROFILE
  source <(agentctl completion bash)
`;
