import { formatInstant } from "../../core/durations.js";
import type { AuthorizationQuestion } from "../iam/evaluator.js";
import { evaluateTrust } from "../iam/trust.js";
import { type Form, readText } from "../query/form.js";
import type { XmlValue } from "../query/xml.js";
import type { TakeNotes } from "../service.js";
import { WireError } from "../wire-error.js";
import type { RoleDefinition } from "../world.js";
import type { StsContext } from "./context.js";
import { assertRoleAllows, readDuration, readRoleArn, readSessionName, readSessionPolicies } from "./parameters.js";
import { sessionResult } from "./session-result.js";
import { type VerifiedToken, verifyWebIdentityToken } from "./token.js";

const OPERATION = "AssumeRoleWithWebIdentity";

/** Unsigned: the token is the proof. */
export async function assumeRoleWithWebIdentity(form: Form, context: StsContext, note: TakeNotes): Promise<XmlValue> {
  const roleArn = readRoleArn(form);
  const sessionName = readSessionName(form);
  const token = readText(form, "WebIdentityToken", "webIdentityToken", { min: 4, max: 20_000, isSecret: true });
  const durationSeconds = readDuration(form, false);
  const issuedAt = context.now();
  const verified = await verifyWebIdentityToken(token, context.issuer, context.world.audiences, issuedAt);
  note({ principal: verified.subject });
  const role = context.world.roles[roleArn];
  if (role === undefined || !isTrusted(role, roleArn, verified, sessionName, context)) {
    throw new WireError(403, "AccessDenied", `Not authorized to perform sts:${OPERATION}`);
  }
  assertRoleAllows(role, durationSeconds);
  const policies = readSessionPolicies(form, context.world);
  const sessionPolicies = policies.documents;
  const session = context.sessions.open({ roleArn, sessionName, durationSeconds, issuedAt, sessionPolicies });
  return {
    Audience: verified.audience,
    ...sessionResult(session, policies),
    Provider: providerArn(context),
    SubjectFromWebIdentityToken: verified.subject,
  };
}

function isTrusted(
  role: RoleDefinition,
  roleArn: string,
  token: VerifiedToken,
  sessionName: string,
  context: StsContext,
): boolean {
  const hosts = [issuerHost(context), hostOf(context.issuer.standsFor)];
  const names = hosts.map((host) => `arn:aws:iam::${context.world.accountId}:oidc-provider/${host}`);
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
  return evaluateTrust(role.trust, names, question) === "allowed";
}

/** The token's claims as the provider's condition keys, `HOST:sub` and so on: strings and lists of them. */
function claimKeys(host: string, token: VerifiedToken): Record<string, string | readonly string[]> {
  const keys: Record<string, string | readonly string[]> = {};
  for (const [claim, value] of Object.entries(token.claims)) {
    if (typeof value === "string") keys[`${host}:${claim}`] = value;
    else if (Array.isArray(value)) keys[`${host}:${claim}`] = value.map(String);
  }
  return { ...keys, [`${host}:sub`]: token.subject, [`${host}:aud`]: token.audience };
}

function providerArn(context: StsContext): string {
  return `arn:aws:iam::${context.world.accountId}:oidc-provider/${issuerHost(context)}`;
}

function issuerHost(context: StsContext): string {
  return hostOf(context.issuer.issuer);
}

/** As IAM names a provider: the URL without its scheme. */
function hostOf(issuer: string): string {
  return issuer.replace(/^https?:\/\//, "");
}
