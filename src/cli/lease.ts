import type { Command } from "commander";
import type { CliContext } from "./context.js";
import { registerLeaseList } from "./lease-list.js";
import { registerLeaseRevoke } from "./lease-revoke.js";
import { registerLeaseShow } from "./lease-show.js";
import { registerLeaseSweep } from "./lease-sweep.js";

export function registerLease(program: Command, context: CliContext): void {
  const lease = program
    .command("lease")
    .summary("show the open leases, and end them")
    .description("Show the leases that are open, end one early, and finish those whose agentctl died.")
    .helpCommand(false)
    .addHelpText("after", EXAMPLES);
  registerLeaseList(lease, context);
  registerLeaseShow(lease, context);
  registerLeaseRevoke(lease, context);
  registerLeaseSweep(lease, context);
}

const EXAMPLES = `
Examples:
  agentctl lease list
  agentctl lease revoke l-0H2K4N6Q8SAVCXEZ
  agentctl lease sweep
`;
