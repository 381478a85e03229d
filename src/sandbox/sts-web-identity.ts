import { formatInstant } from "../core/durations.js";
import type { AuthorizationQuestion } from "./evaluator.js";
import type { RequestNotes } from "./service.js";
import type { Session } from "./sessions.js";
import type { StsContext } from "./sts-context.js";
import {
  type Form,
  readDuration,
  readRoleArn,
  readSessionName,
  readSessionPolicies,
  readText,
  type SessionPolicies,
} from "./sts-parameters.js";
import { type VerifiedToken, verifyWebIdentityToken } from "./sts-token.js";
import type { XmlValue } from "./sts-xml.js";
import { evaluateTrust } from "./trust.js";
import { WireError } from "./wire-error.js";
import { GITHUB_ISSUER_HOST, type RoleDefinition } from "./world.js";

const OPERATION = "AssumeRoleWithWebIdentity";

/** Unsigned: the token is the proof. */
export async function assumeRoleWithWebIdentity(
  form: Form,
  context: StsContext,
): Promise<readonly [XmlValue, RequestNotes]> {
  const roleArn = readRoleArn(form);
  const sessionName = readSessionName(form);
  const token = readText(form, "WebIdentityToken", "webIdentityToken", { min: 4, max: 20_000 });
  const role = context.world.roles[roleArn];
  const durationSeconds = readDuration(form, role, false);
  const now = context.now();
  const verified = await verifyWebIdentityToken(token, context.issuer, context.world.audiences, now);
  if (role === undefined || !isTrusted(role, roleArn, verified, sessionName, context)) {
    throw new WireError(403, "AccessDenied", `Not authorized to perform sts:${OPERATION}`);
  }
  const policies = readSessionPolicies(form, context.world);
  const session = context.sessions.open({
    roleArn,
    sessionName,
    durationSeconds,
    issuedAt: now,
    sessionPolicies: policies.documents,
  });
  const result = {
    Audience: verified.audience,
    ...sessionResult(session, policies),
    Provider: providerArn(context),
    SubjectFromWebIdentityToken: verified.subject,
  };
  return [result, sessionNotes(session, verified.subject, durationSeconds, policies)];
}

function providerArn(context: StsContext): string {
  return `arn:aws:iam::${context.world.accountId}:oidc-provider/${issuerHost(context)}`;
}

function issuerHost(context: StsContext): string {
  return context.issuer.issuer.replace("https://", "");
}

function isTrusted(
  role: RoleDefinition,
  roleArn: string,
  token: VerifiedToken,
  sessionName: string,
  context: StsContext,
): boolean {
  const prefix = `arn:aws:iam::${context.world.accountId}:oidc-provider/`;
  const hosts = [issuerHost(context), GITHUB_ISSUER_HOST];
  const question: AuthorizationQuestion = {
    principal: providerArn(context),
    action: `sts:${OPERATION}`,
    resource: roleArn,
    accountId: context.world.accountId,
    context: {
      "aws:CurrentTime": formatInstant(context.now()),
      "aws:SecureTransport": "true",
      "aws:SourceIp": "127.0.0.1",
      "sts:RoleSessionName": sessionName,
      ...Object.assign({}, ...hosts.map((host) => claimKeys(host, token))),
    },
  };
  return (
    evaluateTrust(
      role.trust,
      hosts.map((host) => `${prefix}${host}`),
      question,
    ) === "allowed"
  );
}

/** The token's claims as condition keys of the provider: `HOST:sub` and so on; of others than strings and lists, none. */
function claimKeys(host: string, token: VerifiedToken): Record<string, string | readonly string[]> {
  const keys: Record<string, string | readonly string[]> = {};
  for (const [claim, value] of Object.entries(token.claims)) {
    if (typeof value === "string") keys[`${host}:${claim}`] = value;
    else if (Array.isArray(value)) keys[`${host}:${claim}`] = value.map(String);
  }
  keys[`${host}:sub`] = token.subject;
  keys[`${host}:aud`] = token.audience;
  return keys;
}

/** What both ways of assuming a role answer. */
export function sessionResult(session: Session, policies: SessionPolicies): Record<string, XmlValue> {
  return {
    AssumedRoleUser: { AssumedRoleId: session.userId, Arn: session.arn },
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: formatInstant(session.expiresAt),
    },
    ...(policies.packedSize === undefined ? {} : { PackedPolicySize: policies.packedSize }),
  };
}

export function sessionNotes(
  session: Session,
  principal: string,
  durationSeconds: number,
  policies: SessionPolicies,
): RequestNotes {
  return {
    principal,
    parameters: {
      RoleArn: session.roleArn,
      AssumedRole: session.arn,
      DurationSeconds: String(durationSeconds),
      PolicyArns: policies.arns,
      ...(policies.inline === undefined ? {} : { Policy: policies.inline }),
    },
  };
}
