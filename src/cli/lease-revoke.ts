import type { Command } from "commander";
import { AgentctlError } from "../core/errors.js";
import type { CliContext } from "./context.js";

interface RevokeOptions {
  readonly all?: boolean;
  readonly profile?: string;
  readonly identity?: string;
  readonly json?: boolean;
}

export function registerLeaseRevoke(lease: Command, context: CliContext): void {
  lease
    .command("revoke")
    .summary("end leases now")
    .description(
      "End leases before their time. The agentctl of a lease hands out no credentials any more, ends the grants, and does with its command what on_expiry says. Where it does not answer, its grants are ended from here; its command is not, as long as that agentctl is there, even stopped.",
    )
    .argument("[id...]", "the leases; the beginning of an id will do")
    .option("--all", "all open leases")
    .option("-p, --profile <name>", "the open leases of this profile")
    .option(
      "--identity <source>",
      "where the OIDC identity comes from, should it be needed here (default: each lease's own)",
    )
    .option("--json", "print the report as JSON")
    .addHelpText("after", NOTES)
    .action((ids: readonly string[], options: RevokeOptions) => revoke(ids, options, context));
}

/** @throws {AgentctlError} USAGE, NOT_TAKEN_BACK, and what `revokeSession` throws */
async function revoke(ids: readonly string[], options: RevokeOptions, { runtime }: CliContext): Promise<void> {
  const request = toRequest(ids, options);
  const { revokeSession } = await import("../revoke-session.js");
  const { createObserver } = await import("./run-lines.js");
  const { renderSweep, requireEnded } = await import("./sweep-lines.js");
  const report = await revokeSession(request, createObserver(runtime, false), runtime);
  if (options.json === true) runtime.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else runtime.stderr.write(renderSweep(report, runtime.now()) || "agentctl: no such leases are open\n");
  requireEnded(report, ["unfinished", "queued", "unreadable", "running", "unknown", "busy"]);
}

/** @throws {AgentctlError} USAGE: what ends other people's work is not guessed at */
function toRequest(ids: readonly string[], { all = false, profile, identity }: RevokeOptions) {
  const given = [ids.length > 0, all, profile !== undefined].filter((isGiven) => isGiven).length;
  if (given !== 1) {
    throw new AgentctlError("USAGE", given === 0 ? "no lease is named" : "more than one of ID, --all and -p is given", {
      hint: "give ids, or --all, or -p NAME; agentctl lease list shows what is open",
    });
  }
  return {
    ids,
    all,
    ...(profile !== undefined && { profileName: profile }),
    ...(identity !== undefined && { identitySource: identity }),
  };
}

const NOTES = `
The exit code is 79 when a lease is not ended, or not taken back as far as its profile asks.

Examples:
  agentctl lease revoke l-0H2K4N6Q8SAVCXEZ
  agentctl lease revoke -p deploy-web
  agentctl lease revoke --all --json
`;
