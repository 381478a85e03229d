import { AgentctlError, type ErrorDetails } from "../../core/errors.js";
import type { Secret } from "../../core/secret.js";
import { claimFacts, claimsSeen } from "../claims-seen.js";
import type { ServiceEndpoint } from "./endpoint.js";
import { type Asker, refusalHint } from "./refusals.js";
import { explainFailure, type Refusal } from "./service-errors.js";
import { plainCode } from "./service-failure.js";

/** What was being tried, for the words of its failure. */
export interface Attempt {
  readonly roleArn: string;
  readonly endpoint: ServiceEndpoint;
  readonly asker: Asker;
  /** What was sent and must not be seen, should STS repeat it. */
  readonly secrets: readonly Secret[];
}

/** Turns what the SDK threw when STS was asked for a role into an error for the user. */
export function explainStsFailure(thrown: unknown, attempt: Attempt): AgentctlError {
  const { endpoint, secrets } = attempt;
  return explainFailure(thrown, {
    endpoint,
    secrets,
    facts: factsOf(attempt),
    refuse: (said) => refusal(said, attempt),
  });
}

function refusal({ code, text, facts }: Refusal, attempt: Attempt): AgentctlError {
  const said = `${attempt.roleArn}: ${text} (${code})`;
  switch (plainCode(code)) {
    case "MalformedPolicyDocument":
      return new AgentctlError("POLICY_INVALID", `AWS STS cannot read the session policy for ${said}`, {
        facts,
        hint: "check the session policy with: agentctl profile lint",
      });
    case "PackedPolicyTooLarge":
      return new AgentctlError("POLICY_TOO_LONG", `the session policies, packed, are too long for ${said}`, {
        facts,
        hint: "shorten the session policy, name fewer aws.policy_arns, or have the identity provider send fewer tags",
      });
    case "ValidationError":
      return new AgentctlError("CONFIG_INVALID", `AWS STS does not take what was asked for ${said}`, {
        facts,
        hint: validationHint(text),
      });
    default:
      return new AgentctlError("CLOUD_DENIED", `AWS STS refused ${said}${seenOf(attempt.asker)}`, {
        facts,
        hint: refusalHint(code, attempt.roleArn, attempt.asker, attempt.endpoint.region),
      });
  }
}

function validationHint(text: string): string {
  if (/duration/i.test(text))
    return "lower the ttl (by the endpoint, credential_ttl), or raise the role's MaxSessionDuration";
  return "check the aws block of the profile";
}

function seenOf(asker: Asker): string {
  return asker.kind === "session" || asker.token === undefined ? "" : claimsSeen(asker.token);
}

function factsOf({ roleArn, asker }: Attempt): NonNullable<ErrorDetails["facts"]> {
  const claims =
    asker.kind === "session" ? { assumedFrom: asker.roleArn } : asker.token !== undefined && claimFacts(asker.token);
  return { role: roleArn, ...claims };
}
