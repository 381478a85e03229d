import type { AssumeRoleResponse, AssumeRoleWithWebIdentityResponse } from "@aws-sdk/client-sts";
import { AgentctlError } from "../../core/errors.js";
import { Secret } from "../../core/secret.js";

export interface SessionKeys {
  readonly accessKeyId: Secret;
  readonly secretAccessKey: Secret;
  readonly sessionToken: Secret;
}

const SESSION_ARN = /^arn:aws[\w-]*:sts::\d{12}:assumed-role\/[\w+=,.@-]{1,64}\/[\w+=,.@-]{2,64}$/;
const SESSION_ID = /^\w{4,64}:[\w+=,.@-]{2,64}$/;

/** What STS gave for one hop. */
export interface AssumedSession {
  /** `arn:aws:sts::…:assumed-role/ROLE/SESSION`. */
  readonly arn: string;
  /** `AROA…:SESSION`: the session's `aws:userid`. */
  readonly assumedRoleId: string;
  readonly keys: SessionKeys;
  /** Epoch ms by STS's clock. */
  readonly expiresAtSts: number;
  /** How much of STS's packed limit the session policies and tags took. */
  readonly packedPolicySizePercent: number | undefined;
}

/**
 * Reads STS's answer, and takes it only when everything that a grant rests on is there.
 * @throws {AgentctlError} BAD_ANSWER
 */
export function readAssumedSession(
  answer: AssumeRoleResponse | AssumeRoleWithWebIdentityResponse,
  roleArn: string,
): AssumedSession {
  const { Credentials: credentials, AssumedRoleUser: user } = answer;
  const text = (field: string, value: unknown): string => {
    if (typeof value === "string" && value !== "") return value;
    throw badAnswer(roleArn, `without ${field}`);
  };
  // Both go on record, so they have to be what they should be.
  const match = (pattern: RegExp, field: string, value: unknown): string => {
    if (pattern.test(text(field, value))) return String(value);
    throw badAnswer(roleArn, `with an ${field} that is none`);
  };
  const expiresAtSts = credentials?.Expiration?.getTime() ?? Number.NaN;
  if (!Number.isFinite(expiresAtSts)) throw badAnswer(roleArn, "without a readable Expiration");
  return {
    arn: match(SESSION_ARN, "AssumedRoleUser.Arn", user?.Arn),
    assumedRoleId: match(SESSION_ID, "AssumedRoleUser.AssumedRoleId", user?.AssumedRoleId),
    keys: {
      accessKeyId: new Secret(text("AccessKeyId", credentials?.AccessKeyId)),
      secretAccessKey: new Secret(text("SecretAccessKey", credentials?.SecretAccessKey)),
      sessionToken: new Secret(text("SessionToken", credentials?.SessionToken)),
    },
    expiresAtSts,
    packedPolicySizePercent: answer.PackedPolicySize,
  };
}

function badAnswer(roleArn: string, problem: string): AgentctlError {
  return new AgentctlError("BAD_ANSWER", `AWS STS answered ${problem} when asked for ${roleArn}`, {
    hint: "check that the STS endpoint in use is really AWS STS",
  });
}
