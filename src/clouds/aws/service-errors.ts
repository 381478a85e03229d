import { AgentctlError, type ErrorDetails, toAgentctlError } from "../../core/errors.js";
import { scrub } from "../../core/scrub.js";
import type { Secret } from "../../core/secret.js";
import { isNoHttpAnswer, transportWords } from "../exchange/transport-words.js";
import type { ServiceEndpoint } from "./endpoint.js";
import { isThrottling, plainCode, readServiceFailure, type ServiceFailure } from "./service-failure.js";

/** What a service of AWS was asked, for the words of its failure. */
export interface Question {
  readonly endpoint: ServiceEndpoint;
  /** Whom it was about, and who asked. */
  readonly facts: NonNullable<ErrorDetails["facts"]>;
  /** What was sent and must not be seen, should the service repeat it. */
  readonly secrets: readonly Secret[];
  /** The error for a refusal, which asking again would not change. */
  refuse(refusal: Refusal): AgentctlError;
}

/** A refusal in the service's own words, rid of secrets. */
export interface Refusal {
  readonly code: string;
  readonly text: string;
  readonly facts: NonNullable<ErrorDetails["facts"]>;
}

type Answer = Extract<ServiceFailure, { kind: "answer" }>;

/** Turns what the SDK threw into an error for the user. The SDK's error, which holds the exchange, is not kept. */
export function explainFailure(thrown: unknown, question: Question): AgentctlError {
  if (thrown instanceof AgentctlError) return thrown;
  const failure = readServiceFailure(thrown);
  switch (failure.kind) {
    case "transport":
      return transportError(failure.code, question);
    case "answer":
      return answerError(withoutSecrets(failure, question), question);
    case "unknown": {
      const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
      return toAgentctlError(new Error(`the AWS SDK failed: ${scrub(text, question.secrets)}`));
    }
  }
}

/** The error for a question that was cut off: why it was, where that is known. */
export function interruptionOf(signal: AbortSignal, { service }: Pick<ServiceEndpoint, "service">): AgentctlError {
  if (signal.reason instanceof AgentctlError) return signal.reason;
  return new AgentctlError("INTERRUPTED", `interrupted while AWS ${service} was asked`);
}

/** The code as well: whatever answers in the service's place may put anything there. */
function withoutSecrets({ code, text, ...rest }: Answer, { secrets }: Question): Answer {
  return { ...rest, code: code === undefined ? undefined : scrub(code, secrets), text: scrub(text, secrets) };
}

function answerError({ kind, status, code, text }: Answer, question: Question): AgentctlError {
  const facts = {
    ...placeFacts(question),
    httpStatus: status,
    ...(code !== undefined && { awsCode: code }),
    ...question.facts,
  };
  const said = `${place(question)} answered ${status}${code === undefined ? "" : ` ${code}`}`;
  const later = { facts, hint: "try again in a while" };
  if (isThrottling({ kind, status, code, text })) {
    return new AgentctlError("THROTTLED", `${said}: too many requests`, later);
  }
  if (plainCode(code) === "IDPCommunicationError") {
    return new AgentctlError("SERVICE_FAILED", "AWS STS could not reach the token's identity provider", {
      facts,
      hint: "check that the issuer's discovery document and keys are reachable from the internet, then try again",
    });
  }
  if (status >= 500 || plainCode(code) === "ConcurrentModification") {
    return new AgentctlError("SERVICE_FAILED", `${said}, again and again`, later);
  }
  if (code === undefined || status < 400) return noAnswer(said, facts, question);
  return question.refuse({ code, text, facts });
}

function transportError(systemCode: string, question: Question): AgentctlError {
  const facts = { ...placeFacts(question), ...question.facts, systemCode };
  if (isNoHttpAnswer(systemCode)) {
    return noAnswer(`${place(question)} answered`, facts, question);
  }
  const endpoint = `the ${question.endpoint.service} endpoint`;
  const caVariables = "AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS";
  const places = { endpoint, inUse: `the region and ${endpoint}`, caVariables };
  const { problem, hint } = transportWords(systemCode, places);
  return new AgentctlError("UNREACHABLE", `cannot reach ${place(question)}: ${problem}`, { facts, hint });
}

function noAnswer(said: string, facts: Question["facts"], { endpoint }: Question): AgentctlError {
  return new AgentctlError("BAD_ANSWER", `${said} with what is no answer of AWS ${endpoint.service}`, {
    facts,
    hint: `check the ${endpoint.service} endpoint in use, and whether a proxy answers in its place`,
  });
}

function place({ endpoint }: Question): string {
  const { service, override, region } = endpoint;
  if (override !== undefined) return `AWS ${service} at ${override.url} (${override.variable})`;
  return service === "IAM" ? "AWS IAM" : `AWS STS in ${region}`;
}

function placeFacts({ endpoint }: Question): Record<string, string> {
  const { service, override, region } = endpoint;
  const name = service.toLowerCase();
  return {
    ...(service === "STS" && { stsRegion: region }),
    ...(override !== undefined && { [`${name}Endpoint`]: override.url }),
  };
}
