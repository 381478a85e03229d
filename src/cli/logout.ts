import type { Command } from "commander";
import { AgentctlError } from "../core/errors.js";
import type { CliContext } from "./context.js";
import { printable } from "./printable.js";

export function registerLogout(program: Command, context: CliContext): void {
  program
    .command("logout")
    .summary("end a login")
    .description("Take a login back at its provider where that can be done, and delete it here in any case.")
    .argument("[name]", "which (default: $AGENTCTL_LOGIN, else the only one, else default)")
    .option("--all", "all of them")
    .addHelpText("after", EXAMPLES)
    .action(async (name: string | undefined, { all }: { readonly all?: boolean }) => {
      const { runtime } = context;
      if (all === true && name !== undefined) {
        throw new AgentctlError("USAGE", "--all takes no name", { hint: "leave one of them out" });
      }
      const { logOut } = await import("../identity/index.js");
      const reports = await logOut({ all: all === true, ...(name !== undefined && { name }) }, runtime);
      if (reports.length === 0) runtime.stderr.write("agentctl: nobody has logged in\n");
      for (const report of reports) {
        runtime.stderr.write(`agentctl: logged out of ${report.name}: ${printable(report.reason)}\n`);
      }
      const left = reports.find((report) => report.left !== undefined)?.left;
      if (left !== undefined) throw left;
    });
}

const EXAMPLES = `
Examples:
  agentctl logout
  agentctl logout --all
`;
