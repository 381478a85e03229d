import { AgentctlError } from "../../core/errors.js";
import type { AwsSettings, PolicyDocument } from "../../core/profile.js";
import { denyAfter, denyDerivedSessions, type PolicyStatement } from "./fence.js";

const POLICY_VERSION = "2012-10-17";
const POLICY_ELEMENTS = new Set(["Version", "Id", "Statement"]);
const ALLOW_ALL: PolicyStatement = { Effect: "Allow", Action: "*", Resource: "*" };

/**
 * The session policy of the last hop, as sent: the profile's own statements, then the fence. Allow-all
 * stands in only where the profile narrows by nothing at all. With policy ARNs alone the inline policy
 * holds denies only, because what several session policies allow adds up, and Allow-all would undo the ARNs.
 * @throws {AgentctlError} POLICY_INVALID
 */
export function lastHopPolicy(settings: AwsSettings, fenceAt: number): string {
  const own = settings.sessionPolicy;
  const fence = [
    denyAfter(fenceAt, !settings.fenceForwarded),
    ...denyDerivedSessions(settings.allowDerivedSessions, settings.revoker !== undefined),
  ];
  if (own !== undefined) return serializePolicy({ ...own.document, Statement: [...statementsOf(own), ...fence] });
  const allows = settings.policyArns.length === 0 ? [ALLOW_ALL] : [];
  return serializePolicy({ Version: POLICY_VERSION, Statement: [...allows, ...fence] });
}

/**
 * The session policy of a hop before the last: until the deadline, assume the next role, and nothing else.
 * SetSourceIdentity and TagSession are no calls but parts of AssumeRole: AWS demands
 * them when the token gave the session a source identity or transitive tags, which travel on by themselves.
 */
export function passingHopPolicy(nextRoleArn: string, fenceAt: number): string {
  return policyForOnly(["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"], nextRoleArn, fenceAt);
}

/**
 * Until the fence these actions on this one resource, and nothing else. The denies are explicit, since a resource's
 * own policy that names the session can override an absent allow but not a deny.
 */
export function policyForOnly(actions: readonly string[], resourceArn: string, fenceAt: number): string {
  return serializePolicy({
    Version: POLICY_VERSION,
    Statement: [
      { Effect: "Allow", Action: actions, Resource: resourceArn },
      { Effect: "Deny", NotAction: actions, Resource: "*" },
      { Effect: "Deny", Action: "*", NotResource: resourceArn },
      denyAfter(fenceAt, false),
    ],
  });
}

/** Minified, and in the characters that STS takes (U+0020 to U+00FF): all others as JSON escapes. */
export function serializePolicy(document: PolicyDocument): string {
  return JSON.stringify(document).replace(
    /[^\x20-\xff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function statementsOf(policy: NonNullable<AwsSettings["sessionPolicy"]>): readonly unknown[] {
  const { document, origin } = policy;
  const unknown = Object.keys(document).find((element) => !POLICY_ELEMENTS.has(element));
  if (unknown !== undefined) {
    throw invalid(origin, `has the element ${JSON.stringify(unknown)}`, "a policy has Version, Id and Statement");
  }
  const statement = document["Statement"];
  const statements = Array.isArray(statement) ? (statement as unknown[]) : [statement];
  if (statements.length === 0 || !statements.every(isObject)) {
    throw invalid(origin, "has no statement", 'write "Statement" as an object or a list of objects');
  }
  return statements;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(origin: string, problem: string, hint: string): AgentctlError {
  return new AgentctlError("POLICY_INVALID", `the session policy (${origin}) ${problem}`, { hint });
}
