import { AgentctlError } from "../../core/errors.js";
import type { Answered } from "./exchange.js";

/** A difference that small is latency and rounding, and harmless to a fence. */
const TOLERATED_SECONDS = 30;

/**
 * How many seconds STS's clock is ahead of this machine's, as an answer shows it: STS's own now is the
 * expiry less the duration that was asked for.
 */
export function secondsAhead(answered: Answered, durationSeconds: number): number {
  const stsNow = answered.session.expiresAtSts - durationSeconds * 1000;
  return Math.round((stsNow - answered.askedAt) / 1000);
}

export function clocksDiffer(oneSeconds: number, otherSeconds: number): boolean {
  return Math.abs(oneSeconds - otherSeconds) > TOLERATED_SECONDS;
}

/** The one line for the user when the fence had to be corrected. */
export function clockNotice(aheadSeconds: number): string {
  const direction = aheadSeconds > 0 ? "behind" : "ahead of";
  return `this machine's clock is ${Math.abs(aheadSeconds)}s ${direction} AWS's; the fence follows AWS's`;
}

export function unsteadyClock(roleArn: string): AgentctlError {
  return new AgentctlError("BAD_ANSWER", `the clock of AWS STS moved between two answers about ${roleArn}`, {
    hint: "check that the STS endpoint gives sessions of the length that they are asked for, and this machine's clock",
  });
}
