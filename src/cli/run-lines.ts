import { formatDuration, formatInstant } from "../core/durations.js";
import type { Ending } from "../core/lease.js";
import type { Happening, Observe } from "../core/run-request.js";
import type { Runtime } from "../core/runtime.js";
import { printable } from "./printable.js";

/** One short line on stderr per fact of a run; with `quiet`, warnings only. */
export function createObserver(runtime: Runtime, quiet: boolean): Observe {
  return (happening) => {
    if (quiet && happening.kind !== "warning") return;
    runtime.stderr.write(`agentctl: ${printable(describe(happening, runtime))}\n`);
  };
}

function describe(happening: Happening, runtime: Runtime): string {
  switch (happening.kind) {
    case "endpoint":
      return `${happening.endpoint.variable} sends this run to ${happening.endpoint.url}`;
    case "opened": {
      const { profile, terms, identity, actor } = happening;
      const who = actor.name === undefined ? actor.kind : `${actor.kind} ${actor.name}`;
      const until = `until ${formatInstant(terms.deadlineAt)} (${formatDuration(terms.ttlSeconds)})`;
      return `lease ${terms.leaseId} on ${profile.name} for ${identity.subject} (${identity.source}, ${who}) ${until}`;
    }
    case "granted": {
      const { cloud, principal, channel, usableUntil } = happening.grant;
      const by = channel === "endpoint" ? ", by the endpoint" : "";
      const until = `usable until ${formatInstant(usableUntil)}${happening.isRenewed ? " and renewed" : ""}`;
      return `${cloud}: ${principal}${by}, ${until}`;
    }
    case "ended":
      return describeEnding(happening.ending, runtime);
    case "notice":
      return happening.text;
    case "warning":
      return `warning: ${happening.text}`;
  }
}

/** The receipt holds the whole of it; only what failed is told in full. */
function describeEnding({ cloud, word, at, until, detail }: Ending, runtime: Runtime): string {
  const when = `${cloud}: ${word} ${Date.parse(at) <= runtime.now() ? "since" : "at"} ${at}`;
  if (word === "failed") return `${when}: ${detail}`;
  return until === undefined || isSoonAfter(until, at) ? when : `${when}, some uses last until ${until}`;
}

/** The cloud's clock and ours may round to different seconds. */
function isSoonAfter(until: string, at: string): boolean {
  return Date.parse(until) - Date.parse(at) < 2000;
}
