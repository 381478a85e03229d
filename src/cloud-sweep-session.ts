import { sweepClouds } from "./clouds/index.js";
import { listProfiles, loadProfile } from "./config/index.js";
import { AgentctlError, toAgentctlError } from "./core/errors.js";
import type { CloudName } from "./core/profile.js";
import type { Runtime } from "./core/runtime.js";
import type { CloudSweep, SweepFailure } from "./core/sweep-report.js";
import { acquireIdentity } from "./identity/index.js";

/** Whose clouds are swept, and as whom. */
export interface CloudSweepRequest {
  /** Absent: all of the configuration's. */
  readonly profileName?: string;
  readonly configPath?: string;
  readonly identitySource?: string;
}

/** What was found, and what could not be looked through. */
export interface SweptProfiles {
  readonly clouds: readonly CloudSweep[];
  readonly failures: readonly SweepFailure[];
}

/**
 * Removes, one profile after the other, what endings left in their clouds. What fails keeps nothing else from being swept.
 * Never throws.
 */
export async function sweepProfiles(
  request: CloudSweepRequest,
  signal: AbortSignal,
  runtime: Runtime,
): Promise<SweptProfiles> {
  const all: SweptProfiles[] = [];
  try {
    for (const profile of namesOf(request, runtime)) all.push(await trySweep(profile, request, signal, runtime));
  } catch (thrown) {
    all.push({ clouds: [], failures: [failureOf({}, thrown)] });
  }
  return { clouds: all.flatMap(({ clouds }) => clouds), failures: all.flatMap(({ failures }) => failures) };
}

function namesOf({ profileName, ...request }: CloudSweepRequest, runtime: Runtime): readonly string[] {
  return profileName === undefined ? listProfiles(request, runtime).map(({ name }) => name) : [profileName];
}

async function trySweep(
  profile: string,
  request: CloudSweepRequest,
  signal: AbortSignal,
  runtime: Runtime,
): Promise<SweptProfiles> {
  try {
    if (signal.aborted) throw new AgentctlError("INTERRUPTED", "interrupted before it was its turn");
    const loaded = loadProfile({ ...request, profileName: profile }, runtime);
    const source = request.identitySource ?? loaded.identitySource;
    const mintFor = (cloud: CloudName) => async (audiences: readonly string[]) =>
      (await acquireIdentity({ source, audiences: [{ cloud, audiences }], signal }, runtime)).mintToken(audiences);
    const { sweeps, failures } = await sweepClouds(loaded, mintFor, signal, runtime);
    return {
      clouds: sweeps.map((sweep) => ({ ...sweep, profile })),
      failures: failures.map(({ error, ...where }) => failureOf({ profile, ...where }, error)),
    };
  } catch (thrown) {
    return { clouds: [], failures: [failureOf({ profile }, thrown)] };
  }
}

function failureOf(where: Pick<SweepFailure, "profile" | "cloud" | "part">, thrown: unknown): SweepFailure {
  const { code, message, hint } = toAgentctlError(thrown);
  return { ...where, code, message, ...(hint !== undefined && { hint }) };
}
