import { planGrants, withoutRights } from "../clouds/index.js";
import { type LintReport, lintConfig, loadProfile } from "../config/index.js";
import { type AgentctlError, toAgentctlError } from "../core/errors.js";
import type { GrantPlan, LeaseTerms } from "../core/lease.js";
import type { Profile, RevokeMode } from "../core/profile.js";
import type { RunRequest } from "../core/run-request.js";
import type { Runtime } from "../core/runtime.js";
import { type IdentityInspection, inspectIdentity } from "../identity/index.js";
import { setTerms } from "../lease/index.js";

/** What `agentctl doctor` was asked for. */
export interface DoctorRequest {
  /** Without one no cloud and no token service is asked for anything. */
  readonly profileName?: string;
  readonly configPath?: string;
  readonly identitySource?: string;
  /** `KIND[:NAME]`, as declared. */
  readonly actor?: string;
}

/** A lease of the shortest kind: long enough for a slow exchange, and over before much could be done with it. */
const TRIAL_SECONDS = 60;

/** Why a check could not be made: what it rests on is not there, and another check says so. */
export class NotTried extends Error {
  readonly hint: string | undefined;

  constructor(why: string, hint?: string) {
    super(why);
    this.hint = hint;
  }
}

/** What the checks share; each thing is worked out when it is first asked for. */
export interface Examination {
  readonly request: DoctorRequest;
  readonly runtime: Runtime;
  /** As the audit log records the trial. */
  readonly runRequest: RunRequest;
  /** @throws {AgentctlError} what lintConfig throws */
  configuration(): Promise<ReadConfiguration>;
  /** The grants of the profile that was named. @throws {NotTried} */
  trial(): Promise<Trial>;
  /**
   * The tokens that the profile's clouds would be shown; without a profile that can be used whatever is there, and then
   * no token service is asked.
   * @throws {AgentctlError} USAGE, NO_IDENTITY
   */
  identity(): Promise<IdentityInspection>;
}

/** The configuration, and what each of its profiles would ask the clouds for. */
export interface ReadConfiguration {
  readonly report: LintReport;
  readonly plans: readonly GrantPlan[];
  /** Profiles whose grants cannot be planned. */
  readonly failures: readonly { readonly profile: string; readonly error: AgentctlError }[];
}

/** The lease that is tried: of what the profile's principals have anyway, since what is given is not tried. */
export interface Trial {
  /** Without rights; with `revoke: required` where a revoker is named, so that nothing about it is let pass. */
  readonly profile: Profile;
  /** As the profile itself says. */
  readonly revoke: RevokeMode;
  readonly terms: LeaseTerms;
  readonly plans: readonly GrantPlan[];
  /** What a run would be, which is looked at and not given. */
  readonly run: Pick<Trial, "profile" | "terms" | "plans">;
}

export function examine(request: DoctorRequest, runtime: Runtime): Examination {
  const runRequest = toRunRequest(request);
  const trial = once(() => planTrial(request, runRequest, runtime));
  return {
    request,
    runtime,
    runRequest,
    configuration: once(() => readConfiguration(request, runRequest, runtime)),
    trial,
    identity: once(() => lookAtIdentity(request, trial, runtime)),
  };
}

async function readConfiguration(
  request: DoctorRequest,
  runRequest: RunRequest,
  runtime: Runtime,
): Promise<ReadConfiguration> {
  const report = await lintConfig(request, runtime);
  const plans: GrantPlan[] = [];
  const failures: { profile: string; error: AgentctlError }[] = [];
  for (const profile of report.profiles) {
    try {
      plans.push(...(await planGrants(profile, setTerms(profile, runRequest, runtime), runtime)));
    } catch (thrown) {
      failures.push({ profile: profile.name, error: toAgentctlError(thrown) });
    }
  }
  return { report, plans, failures };
}

async function planTrial(request: DoctorRequest, runRequest: RunRequest, runtime: Runtime): Promise<Trial> {
  if (request.profileName === undefined) {
    throw new NotTried("no profile was named", "agentctl doctor -p NAME tries a profile");
  }
  try {
    const loaded = loadProfile(request, runtime);
    const run = await planFor(loaded, runRequest, runtime);
    const profile = strictlyTaken(await withoutRights(loaded));
    const ttlSeconds = Math.min(TRIAL_SECONDS, profile.ttlSeconds);
    return { ...(await planFor(profile, { ...runRequest, ttlSeconds }, runtime)), revoke: loaded.revoke, run };
  } catch {
    throw new NotTried(`profile ${request.profileName} cannot be used`);
  }
}

async function planFor(profile: Profile, runRequest: RunRequest, runtime: Runtime): Promise<Trial["run"]> {
  const terms = setTerms(profile, runRequest, runtime);
  return { profile, terms, plans: await planGrants(profile, terms, runtime) };
}

function strictlyTaken(profile: Profile): Profile {
  const isTakenBack = profile.clouds.aws?.revoker !== undefined && profile.revoke !== "none";
  return isTakenBack ? { ...profile, revoke: "required" } : profile;
}

async function lookAtIdentity(
  { identitySource }: DoctorRequest,
  trial: Examination["trial"],
  runtime: Runtime,
): Promise<IdentityInspection> {
  const tried = await trial().catch(() => undefined);
  if (tried === undefined) {
    return inspectIdentity({ source: identitySource ?? "auto", audiences: [], offline: true }, runtime);
  }
  const { profile, plans } = tried;
  return inspectIdentity({ source: identitySource ?? profile.identitySource, audiences: plans }, runtime);
}

function toRunRequest({ profileName, configPath, identitySource, actor }: DoctorRequest): RunRequest {
  return {
    argv: ["agentctl", "doctor"],
    passEnv: [],
    intent: "agentctl doctor: grants are tried and ended, and no command is started",
    ...(profileName !== undefined && { profileName }),
    ...(configPath !== undefined && { configPath }),
    ...(identitySource !== undefined && { identitySource }),
    ...(actor !== undefined && { actor }),
  };
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}
