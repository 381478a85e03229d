import { AgentctlError, type ErrorDetails, toAgentctlError } from "../../core/errors.js";
import type { IdToken } from "../../core/identity.js";
import { printable, scrub } from "../../core/scrub.js";
import type { Secret } from "../../core/secret.js";
import type { StsEndpoint } from "./endpoint.js";
import { type Asker, refusalHint } from "./refusals.js";
import { isThrottling, plainCode, readStsFailure, type StsFailure } from "./sts-failure.js";
import { transportWords } from "./transport-words.js";

/** What was being tried, for the words of its failure. */
export interface Attempt {
  readonly roleArn: string;
  readonly endpoint: StsEndpoint;
  readonly asker: Asker;
  /** What was sent and must not be seen, should STS repeat it. */
  readonly secrets: readonly Secret[];
}

/** Turns what the SDK threw into an error for the user. The SDK's error, which holds the exchange, is not kept. */
export function explainStsFailure(thrown: unknown, attempt: Attempt): AgentctlError {
  if (thrown instanceof AgentctlError) return thrown;
  const failure = readStsFailure(thrown);
  switch (failure.kind) {
    case "transport":
      return transportError(failure.code, attempt);
    case "answer":
      return answerError(withoutSecrets(failure, attempt), attempt);
    case "unknown": {
      const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
      return toAgentctlError(new Error(`the AWS SDK failed: ${scrub(text, attempt.secrets)}`));
    }
  }
}

type Answer = Extract<StsFailure, { kind: "answer" }>;

/** The code as well: whatever answers in STS's place may put anything there. */
function withoutSecrets({ code, text, ...rest }: Answer, { secrets }: Attempt): Answer {
  return { ...rest, code: code === undefined ? undefined : scrub(code, secrets), text: scrub(text, secrets) };
}

function answerError(answer: Answer, attempt: Attempt): AgentctlError {
  const { status, code } = answer;
  const details = { facts: factsOf(answer, attempt) };
  const said = `${place(attempt)} answered ${status}${code === undefined ? "" : ` ${code}`}`;
  if (isThrottling(answer)) {
    return new AgentctlError("THROTTLED", `${said}: too many requests`, { ...details, hint: "try again in a while" });
  }
  if (plainCode(code) === "IDPCommunicationError") {
    return new AgentctlError("SERVICE_FAILED", "AWS STS could not reach the token's identity provider", {
      ...details,
      hint: "check that the issuer's discovery document and keys are reachable from the internet, then try again",
    });
  }
  if (status >= 500) {
    return new AgentctlError("SERVICE_FAILED", `${said}, again and again`, {
      ...details,
      hint: "try again in a while",
    });
  }
  if (code === undefined || status < 400) {
    return new AgentctlError("BAD_ANSWER", `${said} with what is no answer of AWS STS`, {
      ...details,
      hint: "check the STS endpoint in use, and whether a proxy answers in its place",
    });
  }
  return refusal(answer, code, attempt, details);
}

function refusal(answer: Answer, code: string, attempt: Attempt, details: ErrorDetails): AgentctlError {
  const { text } = answer;
  const said = `${attempt.roleArn}: ${text} (${code})`;
  switch (plainCode(code)) {
    case "MalformedPolicyDocument":
      return new AgentctlError("POLICY_INVALID", `AWS STS cannot read the session policy for ${said}`, {
        ...details,
        hint: "check the session policy with: agentctl profile lint",
      });
    case "PackedPolicyTooLarge":
      return new AgentctlError("POLICY_TOO_LONG", `the session policies, packed, are too long for ${said}`, {
        ...details,
        hint: "shorten the session policy, name fewer aws.policy_arns, or have the identity provider send fewer tags",
      });
    case "ValidationError":
      return new AgentctlError("CONFIG_INVALID", `AWS STS does not take what was asked for ${said}`, {
        ...details,
        hint: validationHint(text),
      });
    default:
      return new AgentctlError("CLOUD_DENIED", `AWS STS refused ${said}${claimsSeen(attempt.asker)}`, {
        ...details,
        hint: refusalHint(code, attempt.roleArn, attempt.asker, attempt.endpoint.region),
      });
  }
}

function validationHint(text: string): string {
  if (/duration/i.test(text))
    return "lower the ttl (by the endpoint, credential_ttl), or raise the role's MaxSessionDuration";
  return "check the aws block of the profile";
}

function transportError(code: string, attempt: Attempt): AgentctlError {
  const details = { facts: { ...placeFacts(attempt), systemCode: code } };
  if (code === "EMSGSIZE" || code.startsWith("HPE_")) {
    return new AgentctlError("BAD_ANSWER", `${place(attempt)} answered with what is no answer of AWS STS`, {
      ...details,
      hint: "check the STS endpoint in use, and whether a proxy answers in its place",
    });
  }
  const { problem, hint } = transportWords(code);
  return new AgentctlError("UNREACHABLE", `cannot reach ${place(attempt)}: ${problem}`, { ...details, hint });
}

function place({ endpoint }: Attempt): string {
  const { override, region } = endpoint;
  return override === undefined ? `AWS STS in ${region}` : `AWS STS at ${override.url} (${override.variable})`;
}

function placeFacts({ roleArn, endpoint }: Attempt): Record<string, string> {
  const { override, region } = endpoint;
  return { role: roleArn, stsRegion: region, ...(override !== undefined && { stsEndpoint: override.url }) };
}

function claimsSeen(asker: Asker): string {
  if (asker.kind === "session" || asker.token === undefined) return "";
  const { iss, aud, sub } = claimsOf(asker.token);
  return `; it saw iss ${iss}, aud ${aud.join(", ")}, sub ${sub}`;
}

function claimsOf(token: IdToken) {
  return { iss: printable(token.issuer), aud: token.audience.map(printable), sub: printable(token.subject) };
}

function factsOf(answer: Answer, attempt: Attempt): NonNullable<ErrorDetails["facts"]> {
  const { asker } = attempt;
  const claims =
    asker.kind === "session" ? { assumedFrom: asker.roleArn } : asker.token !== undefined && claimsOf(asker.token);
  return {
    ...placeFacts(attempt),
    httpStatus: answer.status,
    ...(answer.code !== undefined && { awsCode: answer.code }),
    ...claims,
  };
}
