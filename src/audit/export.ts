import { randomBytes } from "node:crypto";
import path from "node:path";
import { AgentctlError } from "../core/errors.js";
import { explainSystemError, openPrivate } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";
import type { EventFilter } from "./filter.js";
import { type LoggedRecord, readEvents } from "./read.js";

export const EXPORT_FORMATS = ["jsonl", "csv"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** The records that fit, as text, a record at a time: JSON Lines as they stand in the log, or CSV with a header. */
export async function* exportEvents(
  format: ExportFormat,
  filter: EventFilter,
  runtime: Runtime,
  onUnreadable: () => void = () => {},
): AsyncGenerator<string> {
  const render = await loadRenderer(format);
  yield render.header;
  for await (const entry of readEvents(filter, runtime, onUnreadable)) yield render.record(entry);
}

/**
 * Writes an export to a file that only this user can read, as a whole or not at all.
 * @throws {AgentctlError} STATE_UNWRITABLE when the file can't be written or is something else than a regular file
 */
export async function writeExport(
  file: string,
  chunks: AsyncIterable<string>,
  runtime: Pick<Runtime, "fs" | "cwd">,
): Promise<void> {
  const { fs } = runtime;
  const target = path.resolve(runtime.cwd, file);
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const existing = fs.lstatSync(target, { throwIfNoEntry: false });
    if (existing !== undefined && !existing.isFile()) throw new Error("it is there and is not a regular file");
    const fd = openPrivate(temporary, "create", fs);
    try {
      for await (const chunk of chunks) fs.writeFileSync(fd, chunk);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, target);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    if (error instanceof AgentctlError) throw error;
    throw new AgentctlError("STATE_UNWRITABLE", `cannot write ${file}: ${explainSystemError(error)}`, {
      hint: "give --output a file in a directory that you can write",
      cause: error,
    });
  }
}

interface Renderer {
  readonly header: string;
  readonly record: (entry: LoggedRecord) => string;
}

/** The CSV library is loaded for CSV only. */
async function loadRenderer(format: ExportFormat): Promise<Renderer> {
  if (format === "jsonl") return { header: "", record: ({ line }) => `${line}\n` };
  const { renderCsvHeader, renderCsvRecord } = await import("./csv.js");
  return { header: renderCsvHeader(), record: ({ record }) => renderCsvRecord(record) };
}
