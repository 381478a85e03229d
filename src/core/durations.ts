import { AgentctlError } from "./errors.js";

const UNIT_SECONDS = { d: 86_400, h: 3_600, m: 60, s: 1 } as const;
const DURATION = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/;

/**
 * Reads a duration such as `30m`, `1h30m`, `45s` or `2d` into whole seconds.
 * @throws {AgentctlError} USAGE when the text is not a duration or is zero
 */
export function parseDuration(text: string): number {
  const seconds = tryParseDuration(text);
  if (seconds === undefined) {
    throw new AgentctlError("USAGE", `"${text}" is not a duration`, { hint: "write it like 45s, 30m, 1h or 1h30m" });
  }
  return seconds;
}

/** Like parseDuration, but answers undefined for what is not a duration. */
export function tryParseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (text === "" || match === null) return undefined;
  const [, days, hours, minutes, seconds] = match;
  const total =
    Number(days ?? 0) * UNIT_SECONDS.d +
    Number(hours ?? 0) * UNIT_SECONDS.h +
    Number(minutes ?? 0) * UNIT_SECONDS.m +
    Number(seconds ?? 0);
  return total > 0 && Number.isSafeInteger(total) ? total : undefined;
}

/** Writes seconds the way parseDuration reads them: 5400 → `1h30m`. */
export function formatDuration(totalSeconds: number): string {
  let rest = Math.max(0, Math.round(totalSeconds));
  if (rest === 0) return "0s";
  let text = "";
  for (const [unit, size] of Object.entries(UNIT_SECONDS)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text;
}

/** An instant as RFC 3339 in UTC with whole seconds, the form IAM policies and the AWS SDKs read. */
export function formatInstant(epochMs: number): string {
  return `${new Date(Math.floor(epochMs / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

/** What was observed, to the millisecond: in whole seconds it would be before it was so, or yet to come. */
export function formatExactInstant(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
