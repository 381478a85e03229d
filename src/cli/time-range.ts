import { tryParseDuration } from "../core/durations.js";
import { AgentctlError } from "../core/errors.js";

export interface TimeRange {
  /** Milliseconds since the epoch, inclusive. */
  readonly since?: number;
  /** Milliseconds since the epoch, exclusive. */
  readonly until?: number;
}

const DAY_MS = 86_400_000;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
/** RFC 3339: with an offset, since a time without one means another instant on every machine. */
const INSTANT = /^(\d{4}-\d{2}-\d{2})[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Reads `--since` and `--until`: a duration ago, an RFC 3339 time, or a date in UTC. A day given to `--until` is
 * within the range.
 * @throws {AgentctlError} USAGE
 */
export function parseTimeRange(
  { since, until }: { readonly since?: string; readonly until?: string },
  now: number,
): TimeRange {
  return {
    ...(since !== undefined && { since: parseTime("--since", since, now, 0) }),
    ...(until !== undefined && { until: parseTime("--until", until, now, DAY_MS) }),
  };
}

function parseTime(option: string, text: string, now: number, afterDateMs: number): number {
  const seconds = tryParseDuration(text);
  if (seconds !== undefined) return now - seconds * 1000;
  if (DATE.test(text) && isCalendarDate(text)) return Date.parse(text) + afterDateMs;
  const date = INSTANT.exec(text)?.[1];
  const time = date !== undefined && isCalendarDate(date) ? Date.parse(text.replace(" ", "T")) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new AgentctlError("USAGE", `${option} "${text}" is not a time`, {
    hint: "give a duration ago (2h), a time with its offset (2026-01-31T09:00:00Z) or a date in UTC (2026-01-31)",
  });
}

/** Date.parse takes February 30 for March 2. */
function isCalendarDate(date: string): boolean {
  const time = Date.parse(date);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}
