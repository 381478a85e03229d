import { constants } from "node:fs";
import path from "node:path";
import { CONFIG_NAME } from "../config/index.js";
import type { Runtime } from "../core/runtime.js";
import { audiencesFor } from "./audiences-for.js";
import { type ConfigPlace, findSchema, optionInRoot, showFrom } from "./config-place.js";
import { type CiName, lookAround, type Surroundings } from "./look-around.js";
import { explainFurther, explainNoJob, nextSteps } from "./next-steps.js";
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
  /** Why there is no CI job, where nobody has said that there is to be none. */
  readonly noJob?: string;
  /** What a profile may have besides, of which nothing was asked. */
  readonly further: string;
  /** What is to be done besides, in this order. */
  readonly next: readonly string[];
}

/**
 * Writes a first configuration and a CI job, from flags, from what is found and, on a terminal, from what is answered.
 * No service is asked.
 * @throws {AgentctlError} USAGE, OUTPUT_UNWRITABLE, INTERRUPTED; nothing is written then
 */
export async function runInit(request: InitRequest, runtime: Runtime): Promise<InitOutcome> {
  checkFlags(request);
  const found = lookAround(runtime);
  const { root } = found;
  const place = { file: path.resolve(runtime.cwd, request.configPath ?? path.join(root, CONFIG_NAME)), root };
  checkPlace(place, request, runtime);
  const canAsk = runtime.stdinIsTTY && runtime.stdout.isTTY && !request.yes;
  const settled = canAsk ? await ask(request, found, place, runtime) : settleWithoutAsking(request, found);
  const noJob = canAsk ? undefined : explainNoJob(request, found);
  return { ...write(settled, request, found, place, runtime), ...(noJob !== undefined && { noJob }) };
}

async function ask(request: InitRequest, found: Surroundings, place: ConfigPlace, runtime: Runtime): Promise<Settled> {
  const { askForRest } = await import("./ask.js");
  return askForRest(request, found, ({ ci }) =>
    [place.file, ...(ci === "none" ? [] : [jobFile(ci, place)])].map((file) => showFrom(runtime.cwd, file)),
  );
}

/** Before anybody is asked anything: the answers would be lost. */
function checkPlace({ file }: ConfigPlace, { force }: InitRequest, { fs }: Runtime): void {
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
  place: ConfigPlace,
  runtime: Runtime,
): InitOutcome {
  const { fs } = runtime;
  const text = renderConfig(settled, { schema: findSchema(place, runtime), option: optionInRoot(place) });
  const job = planJob(settled, found, place, runtime);
  const isJobThere = job !== undefined && fs.lstatSync(job.file, { throwIfNoEntry: false }) !== undefined;
  const isJobKept = isJobThere && !force;
  const files: NewFile[] = [{ file: place.file, text, replace: force }];
  if (job !== undefined && !isJobKept) files.push({ ...job, replace: force });
  writeFiles(files, fs);
  return {
    settled,
    written: files.map(({ file }) => file),
    ...(isJobKept && { unwritten: job }),
    further: explainFurther(settled),
    next: nextSteps(settled, place, runtime),
  };
}

function planJob(
  settled: Settled,
  { branch }: Surroundings,
  place: ConfigPlace,
  { version }: Runtime,
): InitOutcome["unwritten"] {
  const { ci, clouds, profileName } = settled;
  if (ci === "none") return undefined;
  const option = optionInRoot(place);
  const audiences = audiencesFor(settled);
  const text = renderJob(ci, { clouds, profileName, branch, option, version, audiences });
  return { file: jobFile(ci, place), text };
}

function jobFile(ci: CiName, { root }: ConfigPlace): string {
  return path.join(root, CI_FILES[ci].file);
}
