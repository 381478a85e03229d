import { untilAborted } from "../core/until-aborted.js";

/** Asks by a lease's own credential what it may do; `nothing` where that cannot be told. Does not throw. */
export interface Looking<Seen> {
  ask(signal: AbortSignal): Promise<Seen | "nothing">;
}

/** How things were before something is taken back, by which it is seen to be taken back. */
export interface Look<Seen> {
  /** `nothing` until it is known. */
  readonly seen: Seen | "nothing";
  /** Waits for the look, and looks again where there was no answer: the cloud has answered others since. */
  finish(signal: AbortSignal): Promise<void>;
}

/** Asks at once, beside the exchanges that the taking back needs, until `unwatched` is aborted. */
export function lookBefore<Seen>(probe: Looking<Seen> | undefined, unwatched: AbortSignal): Look<Seen> {
  let seen: Seen | "nothing" = "nothing";
  const first = probe?.ask(unwatched);
  return {
    get seen() {
      return seen;
    },
    async finish(signal) {
      if (probe === undefined || first === undefined) return;
      seen = await untilAborted(first, signal);
      if (seen === "nothing" && !unwatched.aborted) seen = await untilAborted(probe.ask(unwatched), signal);
    },
  };
}
