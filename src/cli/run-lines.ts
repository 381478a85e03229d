import { formatDuration, formatInstant } from "../core/durations.js";
import type { LeaseTerms } from "../core/lease.js";
import type { Happening, Observe } from "../core/run-request.js";
import type { Runtime } from "../core/runtime.js";
import { describeEnding } from "./ending-line.js";
import { printable } from "./printable.js";
import { createProgressLine } from "./progress-line.js";
import { renderSweep } from "./sweep-lines.js";

/** One short line on stderr per fact of a run, and what is being waited for; with `quiet`, warnings only. */
export function createObserver(runtime: Runtime, quiet: boolean): Observe {
  const progress = createProgressLine(runtime);
  return (happening) => {
    if (quiet && happening.kind !== "warning") return;
    if (happening.kind === "progress") progress.show(happening.text, happening.wait);
    else progress.interrupt(() => runtime.stderr.write(render(happening, runtime)));
  };
}

function render(happening: Exclude<Happening, { kind: "progress" }>, runtime: Runtime): string {
  if (happening.kind !== "swept") return `agentctl: ${printable(describe(happening, runtime))}\n`;
  return renderSweep({ leases: [happening.lease], files: [], clouds: [], failures: [] }, runtime.now());
}

function describe(happening: Exclude<Happening, { kind: "progress" | "swept" }>, runtime: Runtime): string {
  switch (happening.kind) {
    case "endpoint":
      return `${happening.endpoint.variable} sends this run to ${happening.endpoint.url}`;
    case "opened": {
      const { profile, terms, identity, actor } = happening;
      const who = actor.name === undefined ? actor.kind : `${actor.kind} ${actor.name}`;
      const until = describeTime(terms, false);
      return `lease ${terms.leaseId} on ${profile.name} for ${identity.subject} (${identity.source}, ${who}) ${until}`;
    }
    case "begun": {
      const { clouds, terms } = happening;
      return `${clouds.join(" and ")}: the lease has its roles, and lasts ${describeTime(terms)}`;
    }
    case "granted": {
      const { cloud, principal, channel, usableUntil } = happening.grant;
      const by = channel === "endpoint" ? ", by the endpoint" : "";
      const until = `usable until ${formatInstant(usableUntil)}${happening.isRenewed ? " and renewed" : ""}`;
      return `${cloud}: ${principal}${by}, ${until}`;
    }
    case "ended":
      return describeEnding(happening.ending, runtime.now(), happening.isHandedOut);
    case "notice":
      return happening.text;
    case "warning":
      return `warning: ${happening.text}`;
  }
}

/** Where rights are waited for, the time begins when they work. */
function describeTime({ ttlSeconds, deadlineAt, latestDeadlineAt }: LeaseTerms, hasBegun = true): string {
  const length = formatDuration(ttlSeconds);
  if (!hasBegun && latestDeadlineAt > deadlineAt) return `for ${length}, counted from when it has its roles`;
  return `until ${formatInstant(deadlineAt)} (${length})`;
}
