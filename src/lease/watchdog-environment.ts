import type { Environment, Runtime } from "../core/runtime.js";
import { stateDir } from "../core/state-dir.js";

/** A surrounding lease's marks: its own watchdog takes whoever carries them for what is left of its command. */
const LEASE_MARKS = ["AGENTCTL_LEASE_ID", "AGENTCTL_PROFILE", "AGENTCTL_EXPIRES_AT"];

/** Runners end what carries these with the value of their job: those of GitHub, Azure Pipelines and Jenkins. */
const RUNNER_MARKS = ["RUNNER_TRACKING_ID", "VSTS_PROCESS_LOOKUP_ID", "JENKINS_SERVER_COOKIE", "HUDSON_SERVER_COOKIE"];

/** What Jenkins wants changed in a process that is to outlive its step (wiki.jenkins.io, ProcessTreeKiller). */
const JENKINS_COOKIE = "JENKINS_NODE_COOKIE";

/**
 * The watchdog's environment: agentctl's own, since whoever finishes the lease has to prove the same identity again,
 * without what would have the watchdog ended together with agentctl. The state directory is named by an absolute path.
 * @throws {AgentctlError} STATE_UNWRITABLE when there is no place for the state
 */
export function watchdogEnvironment(runtime: Pick<Runtime, "env" | "cwd">): Environment {
  const env: Record<string, string | undefined> = { ...runtime.env, AGENTCTL_STATE_DIR: stateDir(runtime) };
  for (const name of [...LEASE_MARKS, ...RUNNER_MARKS]) delete env[name];
  if (env[JENKINS_COOKIE] !== undefined) env[JENKINS_COOKIE] = "dontKillMe";
  return env;
}
