import path from "node:path";
import type { AwsSettings, PolicyDocument } from "../core/profile.js";
import type { BlockContext } from "./block-context.js";
import { locateJsonFault } from "./json-position.js";
import { showFile } from "./problems.js";
import { readTextFile } from "./read-text.js";

const MAX_BYTES = 64 * 1024;
const PATH = ["session_policy"] as const;

type SessionPolicy = NonNullable<AwsSettings["sessionPolicy"]>;

/** The session policy itself, whether it was written in place or named as a file. */
export function readSessionPolicy(
  value: string | Readonly<Record<string, unknown>>,
  context: BlockContext,
): SessionPolicy | undefined {
  if (typeof value !== "string") return { document: value, origin: "inline" };
  const file = path.resolve(context.baseDir, value);
  const shown = showFile(file, context.runtime);
  const read = readTextFile(file, MAX_BYTES, context.runtime.fs);
  if ("wrong" in read) {
    const hint = read.missing ? "the path starts from the directory of the configuration file" : undefined;
    context.report(PATH, `cannot read the session policy ${shown}: ${read.wrong}`, {
      code: "POLICY_INVALID",
      ...(hint !== undefined && { hint }),
    });
    return undefined;
  }
  const document = parsePolicy(read.text, shown, context);
  return document === undefined ? undefined : { document, origin: shown };
}

function parsePolicy(text: string, shown: string, context: BlockContext): PolicyDocument | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    const { line, column } = locateJsonFault(text);
    context.report(PATH, `the session policy is not JSON: ${shown}:${line}:${column}`, {
      code: "POLICY_INVALID",
      hint: text.trim() === "" ? "the file is empty" : "look for a missing or an extra comma, quote or bracket there",
    });
    return undefined;
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as PolicyDocument;
  context.report(PATH, `the session policy ${shown} is not a JSON object`, { code: "POLICY_INVALID" });
  return undefined;
}
