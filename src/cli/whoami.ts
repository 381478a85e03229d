import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { WhoamiRequest } from "../whoami-session.js";
import type { CliContext } from "./context.js";

interface WhoamiOptions {
  readonly profile?: string;
  readonly config?: string;
  readonly identity?: string;
  readonly audience?: string;
  readonly actor?: string;
  readonly json?: boolean;
}

export function registerWhoami(program: Command, context: CliContext): void {
  program
    .command("whoami")
    .summary("show who the caller is, and how agentctl knows")
    .description(
      "Show every identity source and why it was taken or not, the identity, its claims and its end, the actor, and where trust starts. No token is printed, and no cloud is asked.",
    )
    .option("-p, --profile <name>", "the tokens that this profile's clouds would be shown")
    .option("--config <file>", "the configuration file (default: $AGENTCTL_CONFIG, else the nearest agentctl.yaml)")
    .option("--identity <source>", "where the OIDC identity comes from (default: the profile's, else detected)")
    .option("--audience <audience>", "a token for this audience", parseAudience)
    .option("--actor <kind[:name]>", "who asks: human, automation or agent (default: detected)")
    .option("--json", "print a JSON object")
    .addHelpText("after", EXAMPLES)
    .action(async (options: WhoamiOptions) => {
      const { runtime } = context;
      const { lookAtCaller } = await import("../whoami-session.js");
      const { presentCaller, renderCaller } = await import("./whoami-report.js");
      const report = await lookAtCaller(toRequest(options), runtime);
      const text =
        options.json === true ? `${JSON.stringify(presentCaller(report), null, 2)}\n` : renderCaller(report, runtime);
      runtime.stdout.write(text);
      if (report.error !== undefined) throw report.error;
    });
}

function toRequest({ profile, config, identity, audience, actor }: WhoamiOptions): WhoamiRequest {
  return {
    ...(profile !== undefined && { profileName: profile }),
    ...(config !== undefined && { configPath: config }),
    ...(identity !== undefined && { identitySource: identity }),
    ...(audience !== undefined && { audience }),
    ...(actor !== undefined && { actor }),
  };
}

function parseAudience(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("Give an audience.");
  return text;
}

const EXAMPLES = `
Exits with 0 only when there is an identity, and a token for each audience that was asked for.

Examples:
  agentctl whoami
  agentctl whoami -p deploy-web
  agentctl whoami --audience sts.amazonaws.com --json | jq .identity.tokens[0].claims
`;
