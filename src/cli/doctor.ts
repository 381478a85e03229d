import type { Command } from "commander";
import { AgentctlError } from "../core/errors.js";
import type { CheckFinding, DoctorRequest } from "../doctor/index.js";
import type { CliContext } from "./context.js";
import { printable } from "./printable.js";

interface DoctorOptions {
  readonly profile?: string;
  readonly config?: string;
  readonly identity?: string;
  readonly actor?: string;
  readonly json?: boolean;
}

export function registerDoctor(program: Command, context: CliContext): void {
  program
    .command("doctor")
    .summary("check what a run needs")
    .description(
      "Check what a run needs, from Node to the clouds. With a profile, its clouds are asked: a grant of a minute is issued by each, and ended. Whether what the profile gives for the time of a lease could be given is looked at as whoever gives it, by questions alone: nothing is given.",
    )
    .option("-p, --profile <name>", "try this profile's clouds; without it nothing leaves this machine")
    .option("--config <file>", "the configuration file (default: $AGENTCTL_CONFIG, else the nearest agentctl.yaml)")
    .option("--identity <source>", "where the OIDC identity comes from (default: the profile's, else detected)")
    .option("--actor <kind[:name]>", "who asks: human, automation or agent (default: detected)")
    .option("--json", "print a JSON object")
    .addHelpText("after", EXAMPLES)
    .action(async (options: DoctorOptions) => {
      const { runtime } = context;
      const { runDoctor } = await import("../doctor/index.js");
      const tell = (finding: CheckFinding): void => {
        if (options.json !== true) runtime.stdout.write(renderFinding(finding));
      };
      const findings = await runDoctor(toRequest(options), tell, runtime);
      const verdict = judge(findings);
      if (options.json === true) {
        runtime.stdout.write(`${JSON.stringify({ ok: verdict === undefined, checks: findings }, null, 2)}\n`);
      }
      if (verdict !== undefined) throw verdict;
    });
}

function toRequest({ profile, config, identity, actor }: DoctorOptions): DoctorRequest {
  return {
    ...(profile !== undefined && { profileName: profile }),
    ...(config !== undefined && { configPath: config }),
    ...(identity !== undefined && { identitySource: identity }),
    ...(actor !== undefined && { actor }),
  };
}

const INDENT = " ".repeat(17);

function renderFinding({ check, status, message, details = [], hint }: CheckFinding): string {
  const below = [...details, ...(hint === undefined ? [] : [`hint: ${hint}`])];
  const lines = below.map((text) => `${INDENT}${printable(text)}\n`);
  return `${status.padEnd(6)}${check.padEnd(11)}${printable(message)}\n${lines.join("")}`;
}

/** The first failure's own code, since what others rest on is checked first; else the first warning's. */
function judge(findings: readonly CheckFinding[]): AgentctlError | undefined {
  const failed = findings.filter(({ status }) => status === "fail");
  const warned = findings.filter(({ status }) => status === "warn");
  const [first] = [...failed, ...warned];
  if (first === undefined) return undefined;
  const counts = [countOf(failed, "fails", "fail"), countOf(warned, "needs attention", "need attention")];
  return new AgentctlError(first.code ?? "DEFECT", counts.filter((count) => count !== "").join(", "), {
    facts: { checks: [...new Set([...failed, ...warned].map(({ check }) => check))] },
  });
}

/** Such as `2 fail (config, identity)`. */
function countOf(findings: readonly CheckFinding[], one: string, many: string): string {
  if (findings.length === 0) return "";
  const names = [...new Set(findings.map(({ check }) => check))].join(", ");
  return `${findings.length} ${findings.length === 1 ? one : many} (${names})`;
}

const EXAMPLES = `
ok and note are well; warn works and should be seen to; fail does not work. Exits with 0 only when all is well,
else with the first failure's own code (see agentctl run --help), or the first warning's.

Examples:
  agentctl doctor
  agentctl doctor -p deploy-web
  agentctl doctor -p deploy-web --json | jq '.checks[] | select(.status == "fail")'
`;
