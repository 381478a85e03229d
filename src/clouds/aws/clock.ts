import { AgentctlError } from "../../core/errors.js";
import type { Answered, Exchange } from "./exchange.js";

/** A difference that small is latency and rounding, and harmless to a fence. */
const TOLERATED_SECONDS = 30;

/**
 * How many seconds STS's clock is ahead of this machine's, as an answer shows it: STS's own now is the
 * expiry less the duration that was asked for.
 */
function secondsAhead(answered: Answered, durationSeconds: number): number {
  const stsNow = answered.session.expiresAtSts - durationSeconds * 1000;
  return Math.round((stsNow - answered.askedAt) / 1000);
}

/** What STS gave, and how many seconds its clock is ahead of this machine's (0 within tolerance). */
export interface OnClock extends Answered {
  readonly aheadSeconds: number;
}

/**
 * The fence is judged by STS's clock. When an answer shows that clock more than 30 s away from where the
 * fence assumed it, the session is dropped unused and asked for once more, with the fence moved.
 * @throws {AgentctlError} BAD_ANSWER for a clock that moves between the two, and what `ask` throws
 */
export async function askOnTheRightClock(
  { roleArn, durationSeconds }: Exchange["hop"],
  assumedSeconds: number,
  ask: (aheadSeconds: number) => Promise<Answered>,
): Promise<OnClock> {
  const first = await ask(assumedSeconds);
  const shownSeconds = secondsAhead(first, durationSeconds);
  if (!clocksDiffer(shownSeconds, assumedSeconds)) return { ...first, aheadSeconds: assumedSeconds };
  const second = await ask(shownSeconds);
  if (clocksDiffer(secondsAhead(second, durationSeconds), shownSeconds)) throw unsteadyClock(roleArn);
  return { ...second, aheadSeconds: shownSeconds };
}

function clocksDiffer(oneSeconds: number, otherSeconds: number): boolean {
  return Math.abs(oneSeconds - otherSeconds) > TOLERATED_SECONDS;
}

/** The one line for the user when the fence had to be corrected. */
export function clockNotice(aheadSeconds: number): string {
  const direction = aheadSeconds > 0 ? "behind" : "ahead of";
  return `this machine's clock is ${Math.abs(aheadSeconds)}s ${direction} AWS's; the fence follows AWS's`;
}

function unsteadyClock(roleArn: string): AgentctlError {
  return new AgentctlError("BAD_ANSWER", `the clock of AWS STS moved between two answers about ${roleArn}`, {
    hint: "check that the STS endpoint gives sessions of the length that they are asked for, and this machine's clock",
  });
}
