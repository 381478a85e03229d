import type { IncomingMessage } from "node:http";
import type { EndpointQuestion } from "../../core/endpoint.js";
import type { RefusedReason } from "./refusal-log.js";

/** Why a request is sent away before anybody looks at what it asks. */
export interface Objection {
  readonly status: number;
  readonly reason: RefusedReason;
  readonly message: string;
}

export type ScreenedRequest = Omit<EndpointQuestion, "body">;

/**
 * Segments of plain characters, one slash between them, and none of `.` and `..`. Nothing is ever decoded or
 * normalised; `%40` is let through, since Google's libraries put an e-mail address into a path.
 */
const PLAIN_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))(?:[\w.~!$&'()*+,;=:@-]|%40)+)*\/?$/;

const WRONG_PATH: Objection = {
  status: 404,
  reason: "unknown-path",
  message: "a request for a path that is not there",
};

/** Judges a request by its head alone. `host` is the one spelling of the endpoint's own address that is handed out. */
export function screenRequest(incoming: IncomingMessage, host: string): ScreenedRequest | Objection {
  const headers = readHeaders(incoming.rawHeaders);
  const method = incoming.method ?? "";
  const objection = objectToHeaders(headers, host) ?? objectToMethod(method);
  if (objection !== undefined) return objection;
  const [path = "", ...queries] = (incoming.url ?? "").split("?");
  if (!PLAIN_PATH.test(path)) return WRONG_PATH;
  return { method, path, query: new URLSearchParams(queries.join("?")), headers: Object.fromEntries(headers) };
}

/** Not Node's own `headers`, which take the first, the last or the sum of a header that came twice. */
function readHeaders(raw: readonly string[]): Map<string, string | undefined> {
  const headers = new Map<string, string | undefined>();
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] ?? "").toLowerCase();
    headers.set(name, headers.has(name) ? undefined : raw[index + 1]);
  }
  return headers;
}

function objectToHeaders(headers: ReadonlyMap<string, string | undefined>, host: string): Objection | undefined {
  if (headers.get("host") !== host) {
    return { status: 403, reason: "foreign-host", message: "a request for another host than the endpoint's own" };
  }
  if (isFromBrowser(headers)) return { status: 403, reason: "browser", message: "a request that a web page made" };
  if (headers.has("expect")) return { status: 417, reason: "bad-request", message: "a request with Expect" };
  // Java's HttpClient offers HTTP/2 with each request, and takes an answer in HTTP/1.1 (RFC 9110, section 7.8).
  if (headers.has("upgrade") && headers.get("upgrade") !== "h2c") {
    return { status: 400, reason: "bad-request", message: "a request for another protocol" };
  }
  return undefined;
}

/**
 * By what a page cannot leave out (Fetch Metadata, section 2). `Sec-Fetch-Mode` alone is Node's own fetch, which is
 * no browser and says neither where it comes from nor where it goes to.
 */
function isFromBrowser(headers: ReadonlyMap<string, string | undefined>): boolean {
  if (headers.has("origin")) return true;
  return [...headers.keys()].some((name) => name.startsWith("sec-fetch-") && name !== "sec-fetch-mode");
}

function objectToMethod(method: string): Objection | undefined {
  if (method === "GET" || method === "POST") return undefined;
  return { status: 405, reason: "bad-request", message: "a request that is neither GET nor POST" };
}
