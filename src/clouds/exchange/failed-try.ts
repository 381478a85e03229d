import { AgentctlError, type ErrorDetails, toAgentctlError } from "../../core/errors.js";
import { scrub } from "../../core/scrub.js";
import type { Secret } from "../../core/secret.js";
import { isNoHttpAnswer, mayPass, transportWords } from "./transport-words.js";
import type { WireAnswer, WireOutcome } from "./wire.js";

/** A service's own error, read out of its answer. */
export interface Refusal {
  /** As on the wire, such as `AADSTS700213` or `PERMISSION_DENIED`. */
  readonly code: string;
  /** Its own words, as they came. */
  readonly text: string;
  /** `busy` and `broken` may pass; `refused` does not. */
  readonly kind: "refused" | "busy" | "broken";
  /** Such as the ids that the cloud's support asks for. */
  readonly facts: NonNullable<ErrorDetails["facts"]>;
}

/** The words for one service's failures. */
export interface Service {
  /** Such as `Google's STS`, or with an override's URL and variable. */
  readonly place: string;
  readonly facts: NonNullable<ErrorDetails["facts"]>;
  /** What was sent and must not be seen, should the service repeat it. */
  readonly secrets: readonly Secret[];
  /** Answers undefined when the answer is no error of the service's own form. */
  readRefusal(answer: WireAnswer): Refusal | undefined;
  /** CLOUD_DENIED, with the claims that the cloud saw and a hint at what to change on its side. */
  explainRefusal(refusal: Refusal, facts: NonNullable<ErrorDetails["facts"]>): AgentctlError;
}

/** One try that came to nothing, already in words for the user. What the library threw, which may hold a token, is not kept. */
export class FailedTry extends Error {
  readonly error: AgentctlError;
  readonly isTransient: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(error: AgentctlError, isTransient = false, retryAfterMs?: number) {
    super(error.message);
    this.error = error;
    this.isTransient = isTransient;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Reads what went wrong from what the wire saw; what the library made of it tells less. */
export function explainTry(thrown: unknown, outcome: WireOutcome | undefined, service: Service): FailedTry {
  switch (outcome?.kind) {
    case "break":
      return explainBreak(outcome.code, service);
    case "astray":
      return new FailedTry(badAnswer(`${service.place} pointed to another host, ${outcome.origin}`, service.facts));
    case "answer":
      return explainAnswer(outcome, service);
    case undefined: {
      const text = scrub(
        thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown),
        service.secrets,
      );
      return new FailedTry(toAgentctlError(new Error(`${service.place} was not asked: ${text}`)));
    }
  }
}

function explainBreak(code: string, service: Service): FailedTry {
  const facts = { ...service.facts, systemCode: code };
  if (isNoHttpAnswer(code)) return new FailedTry(badAnswer(noAnswerOf(service), facts));
  const { problem, hint } = transportWords(code);
  const error = new AgentctlError("UNREACHABLE", `cannot reach ${service.place}: ${problem}`, { facts, hint });
  return new FailedTry(error, mayPass(code));
}

function explainAnswer(answer: WireAnswer, service: Service): FailedTry {
  const refusal = readScrubbed(answer, service);
  const facts = { ...service.facts, httpStatus: answer.status, ...refusal?.facts };
  const said = `${service.place} answered ${answer.status}${refusal === undefined ? "" : ` ${refusal.code}`}`;
  const hint = "try again in a while";
  if (answer.status === 429 || refusal?.kind === "busy") {
    const error = new AgentctlError("THROTTLED", `${said}: too many requests`, { facts, hint });
    return new FailedTry(error, true, answer.retryAfterMs);
  }
  if (answer.status >= 500 || answer.status === 408 || refusal?.kind === "broken") {
    const error = new AgentctlError("SERVICE_FAILED", `${said}, again and again`, { facts, hint });
    return new FailedTry(error, true, answer.retryAfterMs);
  }
  if (refusal === undefined) return new FailedTry(badAnswer(`${noAnswerOf(service)} (status ${answer.status})`, facts));
  return new FailedTry(service.explainRefusal(refusal, facts));
}

function readScrubbed(answer: WireAnswer, service: Service): Refusal | undefined {
  const refusal = service.readRefusal(answer);
  if (refusal === undefined) return undefined;
  const clean = (text: string) => scrub(text, service.secrets);
  const facts = Object.entries(refusal.facts).map(([name, fact]) => [name, isText(fact) ? clean(fact) : fact] as const);
  return { ...refusal, code: clean(refusal.code), text: clean(refusal.text), facts: Object.fromEntries(facts) };
}

function isText(fact: unknown): fact is string {
  return typeof fact === "string";
}

function noAnswerOf(service: Service): string {
  return `${service.place} answered with what is no answer of that service`;
}

function badAnswer(message: string, facts: NonNullable<ErrorDetails["facts"]>): AgentctlError {
  return new AgentctlError("BAD_ANSWER", message, {
    facts,
    hint: "check the endpoint in use, and whether a proxy answers in its place",
  });
}
