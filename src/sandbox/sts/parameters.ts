import { deflateRawSync } from "node:zlib";
import type { PolicyDocument } from "../../core/profile.js";
import { parsePolicy } from "../iam/parse-policy.js";
import { type Form, invalid, readText } from "../query/form.js";
import { WireError } from "../wire-error.js";
import type { RoleDefinition, WorldDefinition } from "../world.js";

const MIN_SESSION_SECONDS = 900;
const MAX_SESSION_SECONDS = 43_200;
const DEFAULT_SESSION_SECONDS = 3600;
const CHAINED_SESSION_SECONDS = 3600;
const MAX_POLICY_CHARACTERS = 2048;
const MAX_POLICY_ARNS = 10;
/** AWS does not publish its packing; deflate into this many bytes overflows for about as dense a text. */
const PACKED_BYTES = 1024;

/** The session name, checked as STS's own model has it. */
export function readSessionName(form: Form): string {
  return readText(form, "RoleSessionName", "roleSessionName", { min: 2, max: 64, pattern: "[\\w+=,.@-]*" });
}

export function readRoleArn(form: Form): string {
  return readText(form, "RoleArn", "roleArn", { min: 20, max: 2048 });
}

/** The session's length in seconds: 900 to 43 200, and an hour at most when a role session asks. */
export function readDuration(form: Form, chained: boolean): number {
  const text = form.get("DurationSeconds");
  if (text === null) return DEFAULT_SESSION_SECONDS;
  if (!/^\d+$/.test(text)) throw new WireError(400, "MalformedInput", "DurationSeconds is not an integer");
  const seconds = Number(text);
  const fail = (constraint: string): WireError =>
    invalid(`Value '${text}' at 'durationSeconds' failed to satisfy constraint: Member must ${constraint}`);
  if (seconds < MIN_SESSION_SECONDS) throw fail(`have value greater than or equal to ${MIN_SESSION_SECONDS}`);
  if (seconds > MAX_SESSION_SECONDS) throw fail(`have value less than or equal to ${MAX_SESSION_SECONDS}`);
  if (chained && seconds > CHAINED_SESSION_SECONDS) {
    const text = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
    throw new WireError(400, "ValidationError", text);
  }
  return seconds;
}

export function assertRoleAllows(role: RoleDefinition | undefined, durationSeconds: number): void {
  if (durationSeconds <= (role?.maxSessionSeconds ?? DEFAULT_SESSION_SECONDS)) return;
  const text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
  throw new WireError(400, "ValidationError", text);
}

export interface SessionPolicies {
  readonly documents: readonly PolicyDocument[];
  /** Percent of the packed allotment; undefined when there is no session policy. */
  readonly packedSize?: number;
}

/** `Policy` and `PolicyArns`, within AWS's limits each and together. */
export function readSessionPolicies(form: Form, world: WorldDefinition): SessionPolicies {
  const inline = form.get("Policy") ?? undefined;
  const arns = readPolicyArns(form);
  if (inline === undefined && arns.length === 0) return { documents: [] };
  if (inline !== undefined && inline.length > MAX_POLICY_CHARACTERS) {
    throw invalid(
      `Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to ${MAX_POLICY_CHARACTERS}`,
    );
  }
  if (arns.length > MAX_POLICY_ARNS) {
    throw invalid(
      `Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to ${MAX_POLICY_ARNS}`,
    );
  }
  const documents = inline === undefined ? [] : [parsePolicy(inline, "session")];
  const text = [inline ?? "", ...arns].join("");
  if (text.length > MAX_POLICY_CHARACTERS) throw tooLarge((100 * text.length) / MAX_POLICY_CHARACTERS);
  const packedSize = Math.ceil((100 * deflateRawSync(text).length) / PACKED_BYTES);
  if (packedSize > 100) throw tooLarge(packedSize);
  for (const arn of arns) documents.push(findManagedPolicy(arn, world));
  return { documents, packedSize };
}

function readPolicyArns(form: Form): readonly string[] {
  return [...form.entries()].filter(([key]) => /^PolicyArns\.member\.\d+\.arn$/.test(key)).map(([, arn]) => arn);
}

/** For the request log: what was asked for. The token and the external id stay out. */
export function describeForm(form: Form): Readonly<Record<string, string | readonly string[]>> {
  const named = ["RoleArn", "RoleSessionName", "DurationSeconds", "Policy"];
  const given = named.flatMap((name) => form.getAll(name).map((value) => [name, value] as const));
  return { ...Object.fromEntries(given), PolicyArns: readPolicyArns(form) };
}

function findManagedPolicy(arn: string, world: WorldDefinition): PolicyDocument {
  const document = world.managedPolicies[arn];
  if (document === undefined)
    throw new WireError(404, "NoSuchEntity", `Policy ${arn} does not exist or is not attachable.`);
  return document;
}

function tooLarge(percent: number): WireError {
  const text = `Packed policy consumes ${Math.ceil(percent)}% of allotted space, please use smaller policy.`;
  return new WireError(400, "PackedPolicyTooLarge", text);
}
