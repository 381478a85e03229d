import { formatDuration, formatInstant } from "../core/durations.js";
import type { GrantPlan } from "../core/lease.js";
import type { Runtime } from "../core/runtime.js";
import type { RunPreview } from "../session.js";
import { printable } from "./printable.js";

/** What `--dry-run` prints: who would be what, where, how narrowly, for how long; and what the child would find and lose. */
export function renderPreview(preview: RunPreview, runtime: Runtime): string {
  const { profile, terms, identity, decision, command, plans, delivery } = preview;
  const actor = decision.actor;
  const lines: [string, string][] = [
    ["profile", `${profile.name} (${profile.file})`],
    ["identity", `${identity.subject}`],
    ["", `issuer ${identity.issuer}`],
    ["", `from ${identity.source}: ${identity.reason}`],
    ["actor", `${actor.kind}${actor.name === undefined ? "" : ` ${actor.name}`} (${actor.reason})`],
    ["command", [command.path, ...command.argv.slice(1)].join(" ")],
    ...rows("decision", ["allowed", ...decision.reasons]),
    ["lease", describeTime(terms)],
    ["at expiry", atExpiry(profile)],
    ...plans.flatMap(renderPlan),
    ...rows("child finds", wrapNames(delivery.given)),
    ...rows("child loses", wrapNames(delivery.removed)),
    ...(delivery.passed.length > 0 ? rows("child keeps", wrapNames(delivery.passed)) : []),
  ];
  const body = lines.map(([label, text]) => `${label.padEnd(12)}${printable(text)}`.trimEnd()).join("\n");
  const end = "Nothing was issued: no cloud was asked for anything.";
  return runtime.stdout.isTTY ? `${body}\n\n${end}\n` : `${body}\n${end}\n`;
}

function describeTime({ ttlSeconds, deadlineAt, latestDeadlineAt }: RunPreview["terms"]): string {
  const length = formatDuration(ttlSeconds);
  if (latestDeadlineAt === deadlineAt) return `${length}; started now, until ${formatInstant(deadlineAt)}`;
  return `${length}, counted from when it has its roles; started now, until ${formatInstant(latestDeadlineAt)} at the latest`;
}

function renderPlan(plan: GrantPlan): [string, string][] {
  return [
    [plan.cloud, plan.principal],
    ["  given by", GIVEN_BY[plan.channel]],
    ...rows("  steps", plan.steps),
    ...rows("  narrowed", plan.narrowing),
    ...rows(
      "  endpoint",
      plan.endpoints.map((endpoint) => `${endpoint.url} (${endpoint.variable})`),
    ),
    ...rows("  ends", [plan.ending.word, ...plan.ending.detail.split("; ")]),
  ];
}

const GIVEN_BY = {
  env: "variables, for as long as the lease lasts",
  endpoint: "the loopback endpoint, renewed while the lease lasts",
} as const;

const NAMES_WIDTH = 88;

/** Names in lines of readable length, separated so that they can be copied. */
function wrapNames(names: readonly string[]): string[] {
  if (names.length === 0) return ["nothing"];
  const lines: string[] = [];
  for (const name of names) {
    const last = lines.at(-1);
    if (last === undefined || last.length + name.length + 1 > NAMES_WIDTH) lines.push(name);
    else lines[lines.length - 1] = `${last} ${name}`;
  }
  return lines;
}

/** A label beside the first line, and the others below it. */
function rows(label: string, texts: readonly string[]): [string, string][] {
  return texts.map((text, index) => [index === 0 ? label : "", text]);
}

function atExpiry(profile: RunPreview["profile"]): string {
  if (profile.onExpiry === "warn") return "warn: the command goes on, and is given no credentials any more";
  return `stop: SIGTERM, then SIGKILL after ${formatDuration(profile.graceSeconds)}`;
}
