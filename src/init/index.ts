import { constants } from "node:fs";
import path from "node:path";
import { CLOUD_NAMES } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { audiencesFor } from "./audiences-for.js";
import { lookAround, type Surroundings } from "./look-around.js";
import { CI_FILES, renderJob } from "./render-ci.js";
import { renderConfig } from "./render-config.js";
import { checkFlags, type InitRequest, type Settled, settleWithoutAsking } from "./settle.js";
import { alreadyThere, cannotWrite, type NewFile, writeFiles } from "./write-files.js";

export { CI_NAMES, type CiName } from "./look-around.js";
export type { InitRequest } from "./settle.js";
export { flagOf, VALUE_KINDS } from "./values.js";

/** What was done. */
export interface InitOutcome {
  readonly settled: Settled;
  /** The files written, absolute; the configuration first. */
  readonly written: readonly string[];
  /** A CI job whose file is there already: for the user to put in. */
  readonly unwritten?: { readonly file: string; readonly text: string };
  /** What is to be done besides. */
  readonly next: readonly string[];
}

const CONFIG_NAME = "agentctl.yaml";

/**
 * Writes a first configuration and a CI job, from flags, from what is found and, on a terminal, from what is answered.
 * No service is asked.
 * @throws {AgentctlError} USAGE, OUTPUT_UNWRITABLE, INTERRUPTED; nothing is written then
 */
export async function runInit(request: InitRequest, runtime: Runtime): Promise<InitOutcome> {
  checkFlags(request);
  const found = lookAround(runtime);
  const configFile = path.resolve(runtime.cwd, request.configPath ?? path.join(found.root, CONFIG_NAME));
  checkPlace(configFile, request, runtime);
  const filesOf = (settled: Settled): string[] =>
    [configFile, ...jobFiles(settled, found)].map((file) => show(file, runtime));
  const settled = await settle(request, found, filesOf, runtime);
  return write(settled, request, found, configFile, runtime);
}

async function settle(
  request: InitRequest,
  found: Surroundings,
  filesOf: (settled: Settled) => readonly string[],
  runtime: Runtime,
): Promise<Settled> {
  const canAsk = runtime.stdinIsTTY && runtime.stdout.isTTY && !request.yes;
  if (!canAsk) return settleWithoutAsking(request, found);
  const { askForRest } = await import("./ask.js");
  return askForRest(request, found, filesOf);
}

/** Before anybody is asked anything: the answers would be lost. */
function checkPlace(file: string, { force }: InitRequest, { fs }: Runtime): void {
  if (!force && fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined) throw alreadyThere(file);
  try {
    fs.accessSync(path.dirname(file), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

function write(
  settled: Settled,
  { force }: InitRequest,
  found: Surroundings,
  configFile: string,
  runtime: Runtime,
): InitOutcome {
  const config: NewFile = { file: configFile, text: renderConfig(settled), replace: force };
  if (settled.ci === "none") return finish(settled, [config], undefined, runtime);
  const { clouds, profileName } = settled;
  const job = renderJob(settled.ci, {
    clouds,
    profileName,
    branch: found.branch,
    version: runtime.version,
    audiences: audiencesFor(settled),
  });
  const file = path.join(found.root, CI_FILES[settled.ci].file);
  const isThere = runtime.fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  if (isThere && !force) return finish(settled, [config], { file, text: job }, runtime);
  return finish(settled, [config, { file, text: job, replace: force }], undefined, runtime);
}

function finish(
  settled: Settled,
  files: readonly NewFile[],
  unwritten: InitOutcome["unwritten"],
  runtime: Runtime,
): InitOutcome {
  writeFiles(files, runtime.fs);
  const { profileName, ci } = settled;
  const include = ci === "none" ? undefined : CI_FILES[ci].next;
  const setups = CLOUD_NAMES.filter((cloud) => settled.clouds.includes(cloud)).map(
    (cloud) => `agentctl setup ${cloud} -p ${profileName}`,
  );
  return {
    settled,
    written: files.map(({ file }) => file),
    ...(unwritten !== undefined && { unwritten }),
    next: [
      ...(include === undefined ? [] : [include]),
      ...setups,
      `agentctl doctor -p ${profileName}`,
      ...namedElsewhere(files, runtime),
    ],
  };
}

/** A variable that goes before the file that was just written. */
function namedElsewhere([config]: readonly NewFile[], { env, cwd }: Runtime): string[] {
  const named = env["AGENTCTL_CONFIG"];
  if (named === undefined || named === "" || path.resolve(cwd, named) === config?.file) return [];
  return [`unset AGENTCTL_CONFIG, which names ${named}`];
}

function jobFiles({ ci }: Settled, { root }: Surroundings): string[] {
  return ci === "none" ? [] : [path.join(root, CI_FILES[ci].file)];
}

function show(file: string, { cwd }: Runtime): string {
  const relative = path.relative(cwd, file);
  return relative.startsWith("..") ? file : relative;
}
