import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type IPty, spawn } from "@lydell/node-pty";
import { COMPLETION_FILES, COMPLETION_SCRIPTS } from "../../src/cli/completion-scripts.js";
import { BIN, NODE } from "./agentctl.js";

export type TerminalShell = "bash" | "zsh" | "fish";

/** A key that makes the shell write its line to $DUMP: a terminal's output shows how a line is drawn, not what it is. */
const DUMP_KEY = "\x18\x14";
const CLEAR_KEY = "\x15";
const PROMPT = "READY>";

/** A home, a project in it, a tool on the PATH, and an agentctl that is the bundle under test. */
export class Desk {
  readonly dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-completion-")));
  readonly project = this.#makeDir("project");
  readonly env: Readonly<Record<string, string>>;

  constructor(config: string) {
    this.write("project/agentctl.yaml", config);
    this.write("bin/agentctl", `#!/bin/sh\nexec '${NODE}' '${BIN}' "$@"\n`, 0o755);
    this.write("bin/zz-tool", "#!/bin/sh\n", 0o755);
    this.env = {
      PATH: `${path.join(this.dir, "bin")}:${process.env["PATH"] ?? ""}`,
      HOME: this.#makeDir("home"),
      XDG_CACHE_HOME: path.resolve(import.meta.dirname, "../../.cache/test-code"),
      AGENTCTL_STATE_DIR: path.join(this.dir, "state"),
      TERM: "xterm",
      LANG: "C.UTF-8",
      DUMP: path.join(this.dir, "line"),
    };
  }

  write(name: string, text: string, mode = 0o644): string {
    const file = path.join(this.dir, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text, { mode });
    return file;
  }

  close(): void {
    fs.rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }

  #makeDir(name: string): string {
    const dir = path.join(this.dir, name);
    fs.mkdirSync(dir, { recursive: true });
    return dir;
  }
}

/** A real shell on a terminal of its own, with the completion script where that shell looks for it. */
export class ShellTerminal {
  readonly #desk: Pick<Desk, "project" | "env">;
  readonly #pty: IPty;
  #output = "";

  private constructor(desk: Desk, file: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#desk = desk;
    this.#pty = spawn(file, [...args], { cwd: desk.project, env: { ...desk.env, ...env }, cols: 200, rows: 50 });
    this.#pty.onData((data) => {
      this.#output += data;
    });
  }

  /** `settings` are lines of the shell's own language, read after the completion script. */
  static async open(shell: TerminalShell, desk: Desk, settings = ""): Promise<ShellTerminal> {
    const { args, env } = prepare(shell, desk, settings);
    const terminal = new ShellTerminal(desk, shell, args, env);
    await terminal.#until(() => terminal.#output.includes(PROMPT), "the prompt");
    return terminal;
  }

  /** Types a text and Tab; answers what then stands on the line. */
  async complete(text: string): Promise<string> {
    const { DUMP: dump = "" } = this.#desk.env;
    fs.rmSync(dump, { force: true });
    this.#pty.write(`${CLEAR_KEY}${text}\t${DUMP_KEY}`);
    await this.#until(() => fs.existsSync(dump), `the line after ${text}<Tab>`);
    return fs.readFileSync(dump, "utf8").replace(/\n$/, "");
  }

  /** Types a text and Tab twice, which shows the choices; answers when `wanted` is on the screen. */
  async waitForList(text: string, wanted: string): Promise<void> {
    this.#pty.write(`${CLEAR_KEY}${text}\t\t`);
    await this.#until(() => this.#output.includes(wanted), `${wanted} after ${text}<Tab>`);
  }

  close(): void {
    this.#pty.kill("SIGKILL");
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    const failAt = Date.now() + 25_000;
    while (!holds()) {
      if (Date.now() > failAt) throw new Error(`waited in vain for ${what}; on the screen: ${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  }
}

/** Why a shell can't be tested here; undefined when it can. */
export function explainMissingShell(shell: string): string | undefined {
  const dirs = (process.env["PATH"] ?? "").split(":");
  if (dirs.some((dir) => fs.existsSync(path.join(dir, shell)))) return undefined;
  return `there is no ${shell} on PATH`;
}

/** What PowerShell would offer after a text, asked of its own completion without a terminal. */
export function completeInPowerShell(desk: Desk, text: string): Promise<readonly string[]> {
  const script = desk.write(`powershell/${COMPLETION_FILES.powershell}`, COMPLETION_SCRIPTS.powershell);
  const lines = [
    `. '${script}'`,
    `$found = TabExpansion2 -inputScript '${text}' -cursorColumn ${text.length}`,
    "$found.CompletionMatches | ForEach-Object { $_.CompletionText }",
  ];
  const asked = desk.write("powershell/ask.ps1", `${lines.join("\n")}\n`);
  const args = ["-NoProfile", "-NonInteractive", "-File", asked];
  const options = { cwd: desk.project, env: desk.env };
  return new Promise((resolve, reject) => {
    execFile("pwsh", args, options, (error, stdout) =>
      error === null ? resolve(stdout.split("\n").filter((line) => line !== "")) : reject(error),
    );
  });
}

/** bash-completion, where Debian and its kin have it. */
export const BASH_COMPLETION_LIBRARY = "/usr/share/bash-completion/bash_completion";

function prepare(
  shell: TerminalShell,
  desk: Desk,
  settings: string,
): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  const script = desk.write(`${shell}/${COMPLETION_FILES[shell]}`, COMPLETION_SCRIPTS[shell]);
  const dump = 'mv "$DUMP.new" "$DUMP"';
  if (shell === "bash") {
    const key = `bind -x '"\\C-x\\C-t": printf %s "$READLINE_LINE" > "$DUMP.new"; ${dump}'`;
    const rc = [`PS1='${PROMPT} '`, "bind 'set bell-style none'", key, settings, `. '${script}'`];
    return { args: ["--noprofile", "--rcfile", desk.write("bash/rc", `${rc.join("\n")}\n`), "-i"], env: {} };
  }
  if (shell === "zsh") {
    const rc = [
      `PS1='${PROMPT} '`,
      `fpath=('${path.dirname(script)}' $fpath)`,
      "autoload -Uz compinit && compinit -u -D",
      `dump-line() { print -rn -- "$BUFFER" > "$DUMP.new"; ${dump} }`,
      "zle -N dump-line; bindkey -e; bindkey '^X^T' dump-line",
      settings,
    ];
    desk.write("zsh/.zshrc", `${rc.join("\n")}\n`);
    return { args: ["-d", "-i"], env: { ZDOTDIR: path.dirname(script) } };
  }
  const rc = [`function fish_prompt; echo -n '${PROMPT} '; end`, `bind \\cx\\ct 'commandline > $DUMP.new; ${dump}'`];
  desk.write("config/fish/completions/agentctl.fish", COMPLETION_SCRIPTS.fish);
  desk.write("config/fish/config.fish", `${[...rc, settings].join("\n")}\n`);
  return { args: ["-i"], env: { XDG_CONFIG_HOME: path.join(desk.dir, "config"), XDG_DATA_HOME: desk.dir } };
}
