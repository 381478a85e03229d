import inquirer from "inquirer";
import { explainProfileName } from "../config/index.js";
import { CLOUD_TITLES } from "../core/cloud-titles.js";
import { AgentctlError } from "../core/errors.js";
import { exitCodeOfSignal } from "../core/exit-codes.js";
import { CLOUD_NAMES, type CloudName } from "../core/profile.js";
import type { CiName, Surroundings } from "./look-around.js";
import { DEFAULT_PROFILE, type InitRequest, kindsOf, type Settled } from "./settle.js";
import { explainValue, type ValueKind, type Values } from "./values.js";

const SIGINT = 2;

/**
 * Asks on the terminal for what no flag has said, with what was found as the answer that Enter gives.
 * @throws {AgentctlError} INTERRUPTED on Ctrl-C, when a last answer is no, or when the terminal goes away
 */
export async function askForRest(
  request: InitRequest,
  found: Surroundings,
  filesOf: (settled: Settled) => readonly string[],
): Promise<Settled> {
  try {
    const clouds = request.clouds ?? (await askClouds(found));
    const profileName = request.profileName ?? (await askProfile());
    const values: Record<string, string> = {};
    for (const kind of kindsOf(clouds)) {
      const value = request.values[kind.key] ?? (await askValue(kind, found.values));
      if (value !== "") values[kind.key] = value;
    }
    const settled = { clouds, profileName, values, ci: request.ci ?? (await askCi(found)) };
    if (await confirm(`Write ${filesOf(settled).join(" and ")}?`)) return settled;
  } catch (thrown) {
    // inquirer's own, whose class is not exported: Ctrl-C, Ctrl-D or the end of stdin.
    if (!(thrown instanceof Error && thrown.name === "ExitPromptError")) throw thrown;
  }
  throw new AgentctlError("INTERRUPTED", "init was given up: nothing was written", {
    exitCode: exitCodeOfSignal(SIGINT),
  });
}

async function askClouds(found: Surroundings): Promise<readonly CloudName[]> {
  const { clouds } = await inquirer.prompt<{ clouds: CloudName[] }>([
    {
      type: "checkbox",
      name: "clouds",
      message: "Which clouds does the task use?",
      choices: CLOUD_NAMES.map((value) => ({
        name: CLOUD_TITLES[value],
        value,
        checked: found.clouds.includes(value),
      })),
      required: true,
    },
  ]);
  return CLOUD_NAMES.filter((name) => clouds.includes(name));
}

function askProfile(): Promise<string> {
  return askText("The profile's name, after its task", DEFAULT_PROFILE, explainProfileName);
}

function askValue(kind: ValueKind, found: Values): Promise<string> {
  const { cloud, title, example, required } = kind;
  const known = found[kind.key];
  const likeThis = known === undefined ? ` (such as ${example}${required ? "" : "; Enter for none"})` : "";
  return askText(`${CLOUD_TITLES[cloud]}: ${title}${likeThis}`, known, (value) => {
    if (value === "") return required ? `is needed, such as ${example}` : undefined;
    return explainValue(kind, value);
  });
}

async function askText(
  message: string,
  known: string | undefined,
  explain: (value: string) => string | undefined,
): Promise<string> {
  const { value } = await inquirer.prompt<{ value: string }>([
    {
      type: "input",
      name: "value",
      message,
      ...(known !== undefined && { default: known }),
      // The words go on after the path of a value, and here there is none.
      validate: (text: string) => explain(text.trim())?.replace(/^(?=is )/, "this ") ?? true,
    },
  ]);
  return value.trim();
}

async function askCi(found: Surroundings): Promise<CiName | "none"> {
  const { ci } = await inquirer.prompt<{ ci: CiName | "none" }>([
    {
      type: "select",
      name: "ci",
      message: "A CI job for",
      choices: [
        { name: "GitHub Actions", value: "github" },
        { name: "GitLab CI", value: "gitlab" },
        { name: "none", value: "none" },
      ],
      default: found.ci ?? "none",
    },
  ]);
  return ci;
}

async function confirm(message: string): Promise<boolean> {
  const { yes } = await inquirer.prompt<{ yes: boolean }>([{ type: "confirm", name: "yes", message, default: true }]);
  return yes;
}
