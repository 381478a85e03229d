import { systemErrorCode } from "../../core/errors.js";
import type { HttpAnswer, HttpRequest, Runtime } from "../../core/runtime.js";

/** Answers of token services are a few kilobytes; what is far longer is something else. */
const LONGEST_ANSWER_BYTES = 256 * 1024;

/** A service, or what stands in its place, answered. */
export interface WireAnswer {
  readonly kind: "answer";
  readonly status: number;
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown;
  /** What `Retry-After` asks for. */
  readonly retryAfterMs?: number;
  /** How far the service's clock is ahead of this machine's, by its `Date`, to the second. */
  readonly clockAheadMs?: number;
}

/** What the last request came to. */
export type WireOutcome =
  | WireAnswer
  /** There was no whole answer; `code` is Node's, TLS's or OpenSSL's. */
  | { readonly kind: "break"; readonly code: string }
  /** The library would have sent it to a host that it was not opened for. */
  | { readonly kind: "astray"; readonly origin: string };

export interface WireRules {
  /** The only origins that a token may go to. */
  readonly origins: readonly string[];
  readonly timeoutMs: number;
  /** An answer longer than this is refused; absent: what no token service's answer is. */
  readonly maxBytes?: number;
  readonly signal: AbortSignal;
}

/** The transport that a cloud's library is given in place of its own. */
export interface Wire {
  send(request: HttpRequest): Promise<HttpAnswer>;
  readonly last: WireOutcome | undefined;
}

/**
 * A transport over `runtime.fetch`, which follows no redirect and reads no proxy variable. It remembers what the
 * last request came to: the libraries' errors drop the status and the headers, and hold the request with its token.
 */
export function openWire(rules: WireRules, runtime: Pick<Runtime, "fetch" | "now">): Wire {
  let last: WireOutcome | undefined;
  return {
    get last() {
      return last;
    },
    async send(request) {
      rules.signal.throwIfAborted();
      const { origin } = new URL(request.url);
      last = { kind: "astray", origin };
      if (!rules.origins.includes(origin)) throw new Error("a request to another host was refused");
      last = undefined;
      try {
        const limits = { timeoutMs: rules.timeoutMs, maxBytes: rules.maxBytes ?? LONGEST_ANSWER_BYTES };
        const answer = await unlessAborted(runtime.fetch({ ...request, ...limits }), rules.signal);
        last = readAnswer(answer, runtime.now());
        return answer;
      } catch (error) {
        const code = systemErrorCode(error);
        if (code !== undefined) last = { kind: "break", code };
        throw error;
      }
    },
  };
}

/** A request can't be called back; whoever waits for it can. */
function unlessAborted<T>(operation: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Error("aborted"));
    signal.addEventListener("abort", abort, { once: true });
    operation.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function readAnswer(answer: HttpAnswer, now: number): WireAnswer {
  const retryAfter = answer.headers["retry-after"];
  const date = Date.parse(answer.headers["date"] ?? "");
  return {
    kind: "answer",
    status: answer.status,
    json: parseJson(answer.body),
    ...(retryAfter !== undefined && /^\d{1,4}$/.test(retryAfter) && { retryAfterMs: Number(retryAfter) * 1000 }),
    ...(!Number.isNaN(date) && { clockAheadMs: date - Math.floor(now / 1000) * 1000 }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A field of what came as JSON, when that is an object. */
export function fieldOf(json: unknown, name: string): unknown {
  return typeof json === "object" && json !== null ? (json as Record<string, unknown>)[name] : undefined;
}

/** The same, when the field is text. */
export function textOf(json: unknown, name: string): string | undefined {
  const value = fieldOf(json, name);
  return typeof value === "string" ? value : undefined;
}
