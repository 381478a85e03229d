import { escapeControlCharacters } from "../core/control-characters.js";
import { AgentctlError, firstLine } from "../core/errors.js";
import type { HttpAnswer, HttpRequest, Runtime } from "../core/runtime.js";
import type { SurroundingLease } from "../core/surrounding-lease.js";

type Json = Readonly<Record<string, unknown>>;

/** A cold answer may wait for a cloud. */
const TIMEOUT_MS = 30_000;

/** Whether an address is one that a lease's endpoint can have. */
export function isLoopback(url: unknown): url is string {
  return typeof url === "string" && /^http:\/\/127\.0\.0\.1:\d{1,5}\//.test(url);
}

/**
 * One question to the lease's endpoint. Its address is part of its secrets, and in no message.
 * @throws {AgentctlError} UNREACHABLE without an answer; CLOUD_DENIED or SERVICE_FAILED with what a refusal says
 */
export async function askEndpoint(request: HttpRequest, lease: SurroundingLease, runtime: Runtime): Promise<string> {
  let answer: HttpAnswer;
  try {
    answer = await runtime.fetch({ timeoutMs: TIMEOUT_MS, ...request });
  } catch (cause) {
    throw new AgentctlError(
      "UNREACHABLE",
      `the endpoint of the lease of profile ${lease.profileName} does not answer`,
      {
        hint: "its agentctl may have ended; start the command again with agentctl run",
        cause,
      },
    );
  }
  if (answer.status === 200) return answer.body;
  const code = answer.status < 500 ? "CLOUD_DENIED" : "SERVICE_FAILED";
  throw new AgentctlError(code, `the lease of profile ${lease.profileName} does not give it: ${reasonOf(answer)}`);
}

/** The object in an answer's body. @throws {AgentctlError} BAD_ANSWER */
export function parseAnswer(body: string): Json {
  const json = tryParse(body);
  if (json === undefined) throw badAnswer("no JSON object");
  return json;
}

/** A text of an answer's object. @throws {AgentctlError} BAD_ANSWER */
export function textIn(json: Json, field: string): string {
  const value = json[field];
  if (typeof value !== "string" || value === "") throw badAnswer(`without ${field}`);
  return value;
}

/** An instant in milliseconds since the epoch. @throws {AgentctlError} BAD_ANSWER when it is none */
export function instantIn(epochMs: number, field: string): number {
  if (!Number.isFinite(epochMs)) throw badAnswer(`without a readable ${field}`);
  return epochMs;
}

function badAnswer(what: string): AgentctlError {
  return new AgentctlError("BAD_ANSWER", `the answer of the lease's endpoint is ${what}`);
}

/** Each cloud's tools have their own words for the same line; Google's read one of its answers as plain text. */
function reasonOf({ status, headers, body }: HttpAnswer): string {
  const json = tryParse(body) ?? {};
  const inner = typeof json["error"] === "object" ? (json["error"] as Json | null) : {};
  const text = headers["content-type"] === "text/plain" ? body : `HTTP status ${status}`;
  const said = [json["message"], json["error_description"], inner?.["message"], text].find(isText) ?? "";
  return escapeControlCharacters(firstLine(said.replace(/^agentctl: /, "")));
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function tryParse(body: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}
