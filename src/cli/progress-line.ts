import type { Wait } from "../core/lease.js";
import type { Runtime } from "../core/runtime.js";
import { describeProgress, drawProgress } from "./progress-text.js";

/** What is being waited for, on one line of the terminal that is drawn anew. */
export interface ProgressLine {
  /** Shows it, once the waiting has taken a moment; without a text it is over, and the line is taken away. */
  show(text: string | undefined, wait?: Wait): void;
  /** Takes it away before another line is written, and draws it again below that. */
  interrupt(write: () => void): void;
}

type Place = Pick<Runtime, "stderr" | "now">;

/** What is over by then is not worth a line. */
const DRAWN_AFTER_MS = 300;
/** So that it is seen to go on, however seldom the cloud is asked. */
const DRAWN_EVERY_MS = 1_000;
const TOLD_AFTER_MS = 20_000;
const TOLD_EVERY_MS = 60_000;
/** Of a terminal that does not say. */
const USUAL_COLUMNS = 80;
/** Back to the first column, and erased to the end (ECMA-48: EL). */
const ERASE = "\r\u001b[K";

export function createProgressLine(place: Place): ProgressLine {
  return place.stderr.isTTY ? createDrawnLine(place) : createProgressLog(place);
}

/** Where stderr is no terminal nothing can be drawn: what takes long is a line of its own now and then, for a CI job's log. */
function createProgressLog({ stderr, now }: Place): ProgressLine {
  let shown: { readonly text: string; readonly wait: Wait | undefined } | undefined;
  let timer: NodeJS.Timeout | undefined;

  function tell(): void {
    if (shown !== undefined) stderr.write(`agentctl: ${describeProgress(shown.text, shown.wait, now())}\n`);
    schedule(TOLD_EVERY_MS);
  }

  function schedule(ms: number): void {
    timer = setTimeout(tell, ms);
    timer.unref();
  }

  return {
    show: (text, wait) => {
      shown = text === undefined ? undefined : { text, wait };
      if (shown !== undefined && timer === undefined) schedule(TOLD_AFTER_MS);
      if (shown !== undefined) return;
      clearTimeout(timer);
      timer = undefined;
    },
    interrupt: (write) => write(),
  };
}

function createDrawnLine({ stderr, now }: Place): ProgressLine {
  let shown: { readonly text: string; readonly wait: Wait | undefined } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isDue = false;

  function draw(): void {
    if (shown === undefined) return;
    // One column stays free: a line that fills the last one is wrapped, and could not be erased.
    const columns = (stderr.columns || USUAL_COLUMNS) - 1;
    stderr.write(`${ERASE}${drawProgress(shown.text, shown.wait, now(), columns)}`);
  }

  function drawLater(ms: number): void {
    timer = setTimeout(() => {
      if (!isDue || shown?.wait !== undefined) {
        isDue = true;
        draw();
      }
      drawLater(DRAWN_EVERY_MS);
    }, ms);
    timer.unref();
  }

  function end(): void {
    clearTimeout(timer);
    if (isDue) stderr.write(ERASE);
    timer = undefined;
    isDue = false;
  }

  return {
    show: (text, wait) => {
      shown = text === undefined ? undefined : { text, wait };
      if (shown === undefined) end();
      else if (isDue) draw();
      else if (timer === undefined) drawLater(DRAWN_AFTER_MS);
    },
    interrupt: (write) => {
      if (isDue) stderr.write(ERASE);
      write();
      if (isDue) draw();
    },
  };
}
