import type { Runtime } from "../core/runtime.js";
import { printable } from "./printable.js";

/** What is being waited for, on one line of the terminal that is drawn anew. */
export interface ProgressLine {
  /** Shows it, once the waiting has taken a moment; without a text it is over, and the line is taken away. */
  show(text: string | undefined): void;
  /** Takes it away before another line is written, and draws it again below that. */
  interrupt(write: () => void): void;
}

/** What is over by then is not worth a line. */
const DRAWN_AFTER_MS = 300;
const TOLD_AFTER_MS = 20_000;
const TOLD_EVERY_MS = 60_000;
/** Of a terminal that does not say. */
const USUAL_COLUMNS = 80;
/** Back to the first column, and erased to the end (ECMA-48: EL). */
const ERASE = "\r\u001b[K";

/** Where stderr is no terminal nothing can be drawn: what takes long is a line of its own now and then, for a CI job's log. */
function createProgressLog({ stderr }: Pick<Runtime, "stderr">): ProgressLine {
  let text: string | undefined;
  let timer: NodeJS.Timeout | undefined;

  function tell(): void {
    stderr.write(`agentctl: ${printable(text ?? "")}\n`);
    schedule(TOLD_EVERY_MS);
  }

  function schedule(ms: number): void {
    timer = setTimeout(tell, ms);
    timer.unref();
  }

  return {
    show: (next) => {
      text = next;
      if (text !== undefined && timer === undefined) schedule(TOLD_AFTER_MS);
      if (text !== undefined) return;
      clearTimeout(timer);
      timer = undefined;
    },
    interrupt: (write) => write(),
  };
}

export function createProgressLine({ stderr }: Pick<Runtime, "stderr">): ProgressLine {
  return stderr.isTTY ? createDrawnLine({ stderr }) : createProgressLog({ stderr });
}

function createDrawnLine({ stderr }: Pick<Runtime, "stderr">): ProgressLine {
  let text: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isDue = false;

  function draw(): void {
    // One column stays free: a line that fills the last one is wrapped, and could not be erased.
    const line = `agentctl: ${printable(text ?? "")}…`.slice(0, (stderr.columns || USUAL_COLUMNS) - 1);
    stderr.write(`${ERASE}${line}`);
  }

  function start(): void {
    timer = setTimeout(() => {
      isDue = true;
      draw();
    }, DRAWN_AFTER_MS);
    timer.unref();
  }

  function end(): void {
    clearTimeout(timer);
    if (isDue) stderr.write(ERASE);
    timer = undefined;
    isDue = false;
  }

  return {
    show: (next) => {
      text = next;
      if (text === undefined) end();
      else if (isDue) draw();
      else if (timer === undefined) start();
    },
    interrupt: (write) => {
      if (isDue) stderr.write(ERASE);
      write();
      if (isDue) draw();
    },
  };
}
