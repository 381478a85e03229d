import type { GrantPlan } from "../core/lease.js";
import type { Runtime } from "../core/runtime.js";
import { findOnPath } from "../run/index.js";
import type { Check } from "./check.js";
import type { Examination } from "./examination.js";
import { type Finding, note, ok } from "./finding.js";
import { TOOLS, type ToolSight } from "./tool-sight.js";

type Delivered = Pick<GrantPlan, "cloud" | "channel">;

export const checkTools: Check = {
  name: "tools",
  async run(examination) {
    const { plans, searchPath } = await deliveryOf(examination);
    const found = TOOLS.flatMap((tool) => {
      const file = findOnPath(tool.name, searchPath, examination.runtime);
      return file === undefined ? [] : [judgeTool(tool, file, plans)];
    });
    return found.length > 0 ? found : [note(`none of ${TOOLS.map(({ name }) => name).join(", ")} is on the PATH`)];
  },
};

/** The command's PATH is the profile's own where it sets one. */
async function deliveryOf({
  runtime,
  trial,
}: Examination): Promise<{ plans: readonly Delivered[]; searchPath: string }> {
  const tried = await trial().catch(() => undefined);
  const ownPath = tried?.profile.env.set["PATH"];
  return { plans: tried?.plans ?? [], searchPath: ownPath ?? pathOf(runtime) };
}

function pathOf({ env }: Runtime): string {
  return env["PATH"] ?? "";
}

function judgeTool({ name, clouds, note: remark }: ToolSight, file: string, plans: readonly Delivered[]): Finding {
  const finds: string[] = [];
  const misses: string[] = [];
  for (const { cloud, channel } of plans) {
    const sight = clouds[cloud]?.[channel];
    if (sight !== undefined) (sight ? finds : misses).push(`${cloud} by ${channel}`);
  }
  const facts = { tool: name, file, finds, misses };
  if (misses.length > 0) {
    const also = finds.length === 0 ? "" : `; it finds ${finds.join(" and ")}`;
    const hint = "deliver: auto in the profile, or --deliver endpoint";
    return { ...note(`${name} (${file}) does not find ${misses.join(" and ")}${also}`, hint), facts };
  }
  if (finds.length > 0) return ok(`${name} (${file}) finds ${finds.join(" and ")}`, facts);
  return ok(`${name} (${file})${remark === undefined ? "" : `: ${remark}`}`, facts);
}
