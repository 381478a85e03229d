import type { CustomFetch } from "openid-client";
import { AgentctlError, systemErrorCode } from "../../core/errors.js";
import { withRetries } from "../../core/retry.js";
import type { HttpAnswer, HttpRequest, Runtime } from "../../core/runtime.js";
import { assertAvailable, isTransient, retryAfterMs, sendToService } from "../ask-token-service.js";

const SERVICE = { name: "the identity provider" };
const ATTEMPTS = 3;
const BASE_DELAY_MS = 300;
const MAX_DELAY_MS = 5_000;
/** A `Response` of these takes no body, not even an empty one (Fetch standard, "null body status"). */
const WITHOUT_BODY: readonly number[] = [204, 205, 304];

/**
 * openid-client's fetch, by way of the Runtime: nothing but HTTPS and loopback, no redirects, bounded answers, and again
 * where a failure may pass and a token cannot have been used up by it.
 */
export function providerFetch(runtime: Pick<Runtime, "env" | "fetch" | "now" | "sleep" | "random">): CustomFetch {
  return async (url, { method, headers, body }) => {
    assertSafeAddress(url);
    const request: HttpRequest = {
      url,
      method: method === "POST" ? "POST" : "GET",
      headers,
      ...(body !== undefined && body !== null && { body: String(body) }),
    };
    const answer = await withRetries(() => ask(request, runtime), retryRules(request), runtime);
    const text = WITHOUT_BODY.includes(answer.status) ? null : answer.body;
    return new Response(text, { status: answer.status, headers: definedOnly(answer.headers) });
  };
}

/**
 * What goes to a provider is a secret, and so is what comes back.
 * @throws {AgentctlError} ENDPOINT_INVALID
 */
export function assertSafeAddress(text: string): void {
  if (isLoopback(text) || (URL.canParse(text) && new URL(text).protocol === "https:")) return;
  throw new AgentctlError("ENDPOINT_INVALID", "an identity provider's address begins with https://", {
    hint: "plain http:// is only for a provider on this machine's loopback",
  });
}

/** An address of this machine's loopback, with or without TLS. */
export function isLoopback(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return /^https?:$/.test(protocol) && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

async function ask(request: HttpRequest, runtime: Pick<Runtime, "env" | "fetch" | "now">): Promise<HttpAnswer> {
  const answer = await sendToService(request, SERVICE, runtime);
  assertAvailable(answer, SERVICE, runtime);
  return answer;
}

function retryRules({ method }: HttpRequest) {
  return {
    attempts: ATTEMPTS,
    baseDelayMs: BASE_DELAY_MS,
    maxDelayMs: MAX_DELAY_MS,
    isTransient: (error: unknown) =>
      error instanceof AgentctlError && isTransient(error) && (method === "GET" || cameToNothing(error)),
    retryAfterMs: (error: unknown) => (error instanceof AgentctlError ? retryAfterMs(error) : undefined),
  };
}

/** Failures by which the provider cannot have taken a refresh token or a code: the same one can be shown again. */
function cameToNothing(error: AgentctlError): boolean {
  if (error.code === "THROTTLED" || error.facts["status"] === 503) return true;
  return ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"].includes(systemErrorCode(error.cause) ?? "");
}

function definedOnly(headers: HttpAnswer["headers"]): [string, string][] {
  return Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
}
