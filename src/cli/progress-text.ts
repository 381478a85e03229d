import { formatDuration } from "../core/durations.js";
import type { Wait } from "../core/lease.js";
import { printable } from "./printable.js";

const CUT = "…";
/** What is cut out of less than this leaves nothing to be read. */
const SHORTEST_ROOM = 12;

/** What is waited for, the time first, such as `12s of 2m: waiting for …`. `now` in epoch ms. */
export function describeProgress(text: string, wait: Wait | undefined, now: number): string {
  return `${describeTime(wait, now)}${printable(text)}`;
}

/** The same for a line of so many columns: the time whole, and the middle of the text left out where it is too long. */
export function drawProgress(text: string, wait: Wait | undefined, now: number, columns: number): string {
  const time = `agentctl: ${describeTime(wait, now)}`;
  const said = [...printable(text), ...(wait === undefined ? [CUT] : [])];
  const room = columns - time.length;
  if (room < SHORTEST_ROOM) return `${time}${said.join("")}`.slice(0, Math.max(0, columns));
  if (said.length <= room) return `${time}${said.join("")}`;
  // What it is comes first, and which one last.
  const tail = Math.floor((room - 1) / 3);
  return `${time}${said.slice(0, room - 1 - tail).join("")}${CUT}${said.slice(-tail).join("")}`;
}

function describeTime(wait: Wait | undefined, now: number): string {
  if (wait === undefined) return "";
  const { since, until } = wait;
  const limit = until === undefined ? undefined : Math.round((until - since) / 1000);
  const waited = Math.min(Math.floor((now - since) / 1000), limit ?? Number.POSITIVE_INFINITY);
  return `${formatDuration(waited)}${limit === undefined ? "" : ` of ${formatDuration(limit)}`}: `;
}
