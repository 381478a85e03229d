import { BASH_COMPLETION } from "./completion-bash.js";
import { FISH_COMPLETION } from "./completion-fish.js";
import { POWERSHELL_COMPLETION } from "./completion-powershell.js";
import type { Shell } from "./completion-shells.js";
import { ZSH_COMPLETION } from "./completion-zsh.js";

/** Each asks `agentctl __complete` what may follow, so that it knows every command of the agentctl that is installed. */
export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: BASH_COMPLETION,
  zsh: ZSH_COMPLETION,
  fish: FISH_COMPLETION,
  powershell: POWERSHELL_COMPLETION,
};

/** The name under which each shell looks for it. */
export const COMPLETION_FILES: Readonly<Record<Shell, string>> = {
  bash: "agentctl.bash",
  zsh: "_agentctl",
  fish: "agentctl.fish",
  powershell: "agentctl.ps1",
};
