import { AgentctlError, firstLine, systemErrorCode } from "../core/errors.js";
import { explainDirectness } from "../core/proxy-variables.js";
import { withRetries } from "../core/retry.js";
import type { HttpAnswer, HttpRequest, Runtime } from "../core/runtime.js";
import { makeVisible } from "./visible-text.js";

const ATTEMPTS = 4;
const BASE_DELAY_MS = 300;
const MAX_DELAY_MS = 10_000;
/** Long, since a CI machine that starts many jobs at once keeps each of them waiting for the processor. */
const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 128 * 1024;

/** What an error calls the service, and what it says when the service refuses. */
export interface TokenService {
  readonly name: string;
  readonly hintWhenDenied: string;
}

/**
 * Asks a service that hands out identity tokens; tries again, a few times, on throttling, 5xx and no
 * answer, never on a refusal. Answers the body of a 2xx.
 * @throws {AgentctlError} IDENTITY_DENIED, THROTTLED, SERVICE_FAILED, UNREACHABLE, BAD_ANSWER
 */
export function askTokenService(request: HttpRequest, service: TokenService, runtime: Runtime): Promise<string> {
  return withRetries(
    async () => readAnswer(await sendToService(request, service, runtime), service, runtime),
    {
      attempts: ATTEMPTS,
      baseDelayMs: BASE_DELAY_MS,
      maxDelayMs: MAX_DELAY_MS,
      isTransient: (error) => error instanceof AgentctlError && isTransient(error),
      retryAfterMs: (error) => (error instanceof AgentctlError ? retryAfterMs(error) : undefined),
    },
    runtime,
  );
}

/**
 * One exchange with such a service, whatever it answers.
 * @throws {AgentctlError} UNREACHABLE, BAD_ANSWER when the answer is too long
 */
export async function sendToService(
  request: HttpRequest,
  service: Pick<TokenService, "name">,
  runtime: Pick<Runtime, "fetch" | "env">,
): Promise<HttpAnswer> {
  try {
    return await runtime.fetch({ timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES, ...request });
  } catch (cause) {
    if (systemErrorCode(cause) === "EMSGSIZE") {
      throw new AgentctlError("BAD_ANSWER", `${service.name} gave an answer too long for a token`, { cause });
    }
    throw explainDirectness(unreachable(service, new URL(request.url).host, cause), runtime.env);
  }
}

function unreachable(service: Pick<TokenService, "name">, host: string, cause: unknown): AgentctlError {
  const message = `${service.name} cannot be reached at ${host}: ${explainNetworkError(cause)}`;
  const hint = isCertificateError(cause)
    ? "if a proxy or a private CA signs for it, let NODE_EXTRA_CA_CERTS name that CA's certificate"
    : "see that this machine can reach it, and try again";
  return new AgentctlError("UNREACHABLE", message, { hint, cause });
}

function readAnswer(answer: HttpAnswer, service: TokenService, runtime: Runtime): string {
  const { status } = answer;
  if (status >= 200 && status < 300) return answer.body;
  assertAvailable(answer, service, runtime);
  if (status >= 400) {
    throw new AgentctlError("IDENTITY_DENIED", `${service.name} refused to give a token (HTTP ${status})`, {
      hint: service.hintWhenDenied,
      facts: { status },
    });
  }
  throw new AgentctlError("BAD_ANSWER", `${service.name} answered HTTP ${status} where a token was expected`, {
    facts: { status },
  });
}

/**
 * That the service was able to answer, be it with a refusal.
 * @throws {AgentctlError} THROTTLED, SERVICE_FAILED
 */
export function assertAvailable(
  answer: HttpAnswer,
  service: Pick<TokenService, "name">,
  runtime: Pick<Runtime, "now">,
): void {
  const { status } = answer;
  const facts = { status, ...readRetryAfter(answer, runtime) };
  if (status === 429) {
    throw new AgentctlError("THROTTLED", `${service.name} gives out no more tokens for now (HTTP 429)`, {
      hint: "try again in a while",
      facts,
    });
  }
  if (status >= 500) {
    throw new AgentctlError("SERVICE_FAILED", `${service.name} failed to give a token (HTTP ${status})`, {
      hint: "try again in a while",
      facts,
    });
  }
}

/** Retry-After as seconds or as a date (RFC 9110 §10.2.3). */
function readRetryAfter(answer: HttpAnswer, runtime: Pick<Runtime, "now">): { readonly retryAfterSeconds?: number } {
  const text = answer.headers["retry-after"]?.trim();
  if (text === undefined || text === "") return {};
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - runtime.now()) / 1000;
  return Number.isFinite(seconds) && seconds > 0 ? { retryAfterSeconds: Math.ceil(seconds) } : {};
}

/** How long the service asked to be left alone. */
export function retryAfterMs(error: AgentctlError): number | undefined {
  const seconds = error.facts["retryAfterSeconds"];
  return typeof seconds === "number" ? seconds * 1000 : undefined;
}

/** Whether the failure may pass by itself. */
export function isTransient(error: AgentctlError): boolean {
  if (error.code === "UNREACHABLE") return !isCertificateError(error.cause);
  return error.code === "THROTTLED" || error.code === "SERVICE_FAILED";
}

/** Codes of OpenSSL's certificate verification and of Node's own check of the name. */
function isCertificateError(error: unknown): boolean {
  return /CERT|SIGNATURE|ERR_TLS|ERR_SSL|EPROTO/.test(systemErrorCode(error) ?? "");
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  ETIMEDOUT: "no answer in time",
  ENOTFOUND: "its name is unknown",
  EAI_AGAIN: "its name could not be looked up",
  EHOSTUNREACH: "there is no route to it",
  ENETUNREACH: "there is no network",
};

function explainNetworkError(error: unknown): string {
  const code = systemErrorCode(error);
  const text = error instanceof Error ? error.message : String(error);
  return (code === undefined ? undefined : EXPLANATIONS[code]) ?? makeVisible(firstLine(text));
}
