import fs from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  BASH_COMPLETION_LIBRARY,
  completeInPowerShell,
  Desk,
  explainMissingShell,
  ShellTerminal,
  type TerminalShell,
} from "./completion-terminal.js";

const AWS = '{ role_arn: "arn:aws:iam::111122223333:role/agentctl-demo", region: us-east-1 }';
const HOSTILE = "$(touch PWNED) `touch PWNED` %F{red} : \\\\e[31m {a,b} ; * 'x' \\\"y\\\"";

const CONFIG = `version: 1
profiles:
  demo: { description: "${HOSTILE}", aws: ${AWS} }
  staging: { description: "Deploy to staging", aws: ${AWS} }
  stable: { aws: ${AWS} }
`;

let desk: Desk;
beforeAll(() => {
  desk = new Desk(CONFIG);
  desk.write("other dir/other.yaml", `version: 1\nprofiles:\n  elsewhere: { aws: ${AWS} }\n`);
  desk.write("home/mine.yaml", `version: 1\nprofiles:\n  homely: { aws: ${AWS} }\n`);
  desk.write("project/some folder/file.txt", "");
  desk.write("state/leases/l-0000000000000000.json", "not a lease");
  // Whoever completes runs nothing of the project's.
  desk.write("project/agentctl", "#!/bin/sh\ntouch PWNED\n", 0o755);
});
afterAll(() => desk.close());

interface Case {
  readonly name: string;
  readonly typed: string;
  readonly want: string;
}

const CASES: readonly Case[] = [
  { name: "a command", typed: "agentctl le", want: "agentctl lease " },
  { name: "a subcommand", typed: "agentctl audit ver", want: "agentctl audit verify " },
  { name: "an option", typed: "agentctl run --dry", want: "agentctl run --dry-run " },
  {
    name: "an option's choice",
    typed: "agentctl audit log --decision d",
    want: "agentctl audit log --decision denied ",
  },
  { name: "a choice after =", typed: "agentctl audit log --decision=d", want: "agentctl audit log --decision=denied " },
  { name: "a profile", typed: "agentctl run -p de", want: "agentctl run -p demo " },
  { name: "a profile after =", typed: "agentctl run --profile=de", want: "agentctl run --profile=demo " },
  { name: "the common part of profiles", typed: "agentctl run -p s", want: "agentctl run -p sta" },
  { name: "a profile as an argument", typed: "agentctl profile show de", want: "agentctl profile show demo " },
  {
    name: "a profile of the file that --config names, with a space in its path",
    typed: "agentctl run --config ../other\\ dir/other.yaml -p el",
    want: "agentctl run --config ../other\\ dir/other.yaml -p elsewhere ",
  },
  {
    name: "the same in quotes, after =",
    typed: "agentctl run --config='../other dir/other.yaml' -p el",
    want: "agentctl run --config='../other dir/other.yaml' -p elsewhere ",
  },
  {
    name: "a profile of a file in the home directory",
    typed: "agentctl run --config ~/mine.yaml -p ho",
    want: "agentctl run --config ~/mine.yaml -p homely ",
  },
  { name: "a lease", typed: "agentctl audit log --lease l", want: "agentctl audit log --lease l-0000000000000000 " },
  {
    name: "an identity source",
    typed: "agentctl run --identity gith",
    want: "agentctl run --identity github-actions ",
  },
  { name: "a help topic", typed: "agentctl help exit", want: "agentctl help exit-codes " },
  { name: "a shell", typed: "agentctl completion pow", want: "agentctl completion powershell " },
  {
    name: "a file for --config",
    typed: "agentctl run --config agentctl.y",
    want: "agentctl run --config agentctl.yaml ",
  },
  {
    name: "a file after =",
    typed: "agentctl run --config=agentctl.y",
    want: "agentctl run --config=agentctl.yaml ",
  },
  {
    name: "a file for --receipt, escaped",
    typed: "agentctl run --receipt some",
    want: "agentctl run --receipt some\\ folder/",
  },
  {
    name: "a command on PATH after --",
    typed: "agentctl run -p demo -- zz-t",
    want: "agentctl run -p demo -- zz-tool ",
  },
  { name: "a command on PATH without --", typed: "agentctl run -p demo zz-t", want: "agentctl run -p demo zz-tool " },
  { name: "a file for the command", typed: "agentctl run -p demo -- ls /et", want: "agentctl run -p demo -- ls /etc/" },
  {
    name: "a file with a space for the command",
    typed: "agentctl run -p demo -- ls some",
    want: "agentctl run -p demo -- ls some\\ folder/",
  },
  {
    name: "agentctl within the sandbox",
    typed: "agentctl sandbox -- agentctl run -p de",
    want: "agentctl sandbox -- agentctl run -p demo ",
  },
  { name: "nothing for a free text", typed: "agentctl run --intent age", want: "agentctl run --intent age" },
  { name: "nothing where there is nothing to offer", typed: "agentctl run --intent ", want: "agentctl run --intent " },
  { name: "nothing of the answer's own words", typed: "agentctl run --intent w", want: "agentctl run --intent w" },
  { name: "nothing after an unknown command", typed: "agentctl nosuch age", want: "agentctl nosuch age" },
  { name: "the project's own agentctl is not run", typed: "./agentctl run -p de", want: "./agentctl run -p demo " },
  {
    name: "a broken configuration, silently",
    typed: "agentctl run --config agentctl -p de",
    want: "agentctl run --config agentctl -p de",
  },
];

/** Lines of the shell's own language, by which it knows what zz-tool takes. */
const TOOL_COMPLETION: Readonly<Record<TerminalShell, string>> = {
  bash: `. ${BASH_COMPLETION_LIBRARY}\ncomplete -W "omega" zz-tool`,
  zsh: "_zz_tool() { compadd omega }; compdef _zz_tool zz-tool",
  fish: "complete -c zz-tool -f -a omega",
};

const SHELLS: readonly TerminalShell[] = ["bash", "zsh", "fish"];

describe.each(SHELLS)("in %s", (shell) => {
  const missing = explainMissingShell(shell);
  const terminals: ShellTerminal[] = [];
  const open = async (settings?: string): Promise<ShellTerminal> => {
    const opened = await ShellTerminal.open(shell, desk, settings);
    terminals.push(opened);
    return opened;
  };
  let terminal: ShellTerminal;
  beforeAll(async () => {
    if (missing === undefined) terminal = await open();
    else console.info(`skipped: ${missing}`);
  });
  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(missing);
  });
  afterAll(() => {
    for (const each of terminals) each.close();
  });

  test.each(CASES)("$name: $typed", async ({ typed, want }) => {
    expect(await terminal.complete(typed)).toBe(want);
  });

  test("the command's own completion goes on after --", async ({ skip }) => {
    if (shell === "bash" && !fs.existsSync(BASH_COMPLETION_LIBRARY)) {
      console.info("skipped: there is no bash-completion here");
      skip("there is no bash-completion here");
    }
    const withTool = await open(TOOL_COMPLETION[shell]);
    const line = "agentctl run --profile=demo -- zz-tool om";
    expect(await withTool.complete(line)).toBe(`${line}ega `);
    expect(await withTool.complete("agentctl run --profile=demo -- zz-t")).toBe(
      "agentctl run --profile=demo -- zz-tool ",
    );
  });

  test("the choices are shown, with descriptions where the shell has them, and nothing in one is run", async () => {
    const fresh = await open();
    await fresh.waitForList("agentctl run -p sta", shell === "bash" ? "staging" : "Deploy to staging");
    const other = await open();
    await other.waitForList("agentctl run -p ", shell === "bash" ? "demo" : "%F{red}");
    expect(fs.readdirSync(desk.project)).not.toContain("PWNED");
  });
});

describe("in PowerShell", () => {
  const missing = explainMissingShell("pwsh");
  beforeAll(() => {
    if (missing !== undefined) console.info(`skipped: ${missing}`);
  });
  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(missing);
  });

  test.each([
    { typed: "agentctl le", want: ["lease"] },
    { typed: "agentctl run -p de", want: ["demo"] },
    { typed: "agentctl run --profile=de", want: ["--profile=demo"] },
    { typed: "agentctl run --identity gith", want: ["github-actions"] },
    { typed: "agentctl run -p demo -- zz-t", want: ["zz-tool"] },
    { typed: "agentctl run --intent age", want: [] },
  ])("$typed", async ({ typed, want }) => {
    expect(await completeInPowerShell(desk, typed)).toEqual(want);
  });
});
