import path from "node:path";
import { CLOUD_NAMES, type CloudName } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { type ConfigPlace, reachFromHere } from "./config-place.js";
import type { Surroundings } from "./look-around.js";
import { CI_FILES, packageFile } from "./render-ci.js";
import type { InitRequest, Settled } from "./settle.js";

/** What is to be done once the files are there, in the order in which it works. */
export function nextSteps(settled: Settled, place: ConfigPlace, runtime: Runtime): readonly string[] {
  const { clouds, profileName } = settled;
  const { option, misleading } = reachFromHere(place, runtime);
  return [
    ...(misleading === undefined ? [] : [`unset AGENTCTL_CONFIG, which names ${misleading}`]),
    ...stepsForJob(settled, place, runtime),
    ...CLOUD_NAMES.filter((cloud) => clouds.includes(cloud)).map(
      (cloud) => `agentctl setup ${cloud} -p ${profileName}${option}`,
    ),
    `agentctl doctor -p ${profileName}${option}`,
  ];
}

function stepsForJob({ ci }: Settled, { root }: ConfigPlace, { fs, version }: Runtime): readonly string[] {
  if (ci === "none") return [];
  const { next } = CI_FILES[ci];
  const tarball = packageFile(version);
  const isThere = fs.existsSync(path.join(root, tarball));
  return [
    ...(next === undefined ? [] : [next]),
    ...(isThere ? [] : [`put agentctl's package (npm pack) at ${tarball}, from where the job installs it`]),
  ];
}

const FURTHER: Readonly<Record<CloudName, readonly string[]>> = {
  aws: ["revoker"],
  azure: ["granter", "assignments"],
  gcp: ["granter", "bindings", "entitlement"],
};

/** What a profile may have besides, of which nothing was asked, and where that is explained. */
export function explainFurther({ clouds }: Pick<Settled, "clouds">): string {
  const keys = CLOUD_NAMES.filter((cloud) => clouds.includes(cloud)).flatMap((cloud) =>
    FURTHER[cloud].map((key) => `${cloud}.${key}`),
  );
  return `nothing was asked about ${keys.join(", ")}: what takes a task's rights back at its end. See agentctl help config, and "How a grant ends" in the README`;
}

/** Why there is no CI job, where nobody has said that there is to be none. */
export function explainNoJob(
  { ci }: Pick<InitRequest, "ci">,
  found: Pick<Surroundings, "ci" | "isRepository">,
): string | undefined {
  if (ci !== undefined || found.ci !== undefined) return undefined;
  const what = found.isRepository ? "the repository shows no provider" : "this is not a git repository";
  return `no CI job is written: ${what}, and no --ci github or --ci gitlab was given`;
}
