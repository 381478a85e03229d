import { askAs, findRefusal, isWithinNarrowings, refusalError } from "../iam/authorize.js";
import type { Session } from "../iam/sessions.js";
import { evaluateTrust } from "../iam/trust.js";
import { type Form, readText } from "../query/form.js";
import type { XmlValue } from "../query/xml.js";
import { WireError } from "../wire-error.js";
import type { StsContext } from "./context.js";
import { assertRoleAllows, readDuration, readRoleArn, readSessionName, readSessionPolicies } from "./parameters.js";
import { sessionResult } from "./session-result.js";

const ACTION = "sts:AssumeRole";

/** Role chaining: the caller is a role session, so the new one lasts an hour at most. */
export function assumeRole(form: Form, caller: Session, context: StsContext): XmlValue {
  const roleArn = readRoleArn(form);
  const sessionName = readSessionName(form);
  const durationSeconds = readDuration(form, true);
  const externalId = form.has("ExternalId")
    ? readText(form, "ExternalId", "externalId", { min: 2, max: 1224, pattern: "[\\w+=,.@:\\/-]*" })
    : undefined;
  assertMayAssume(caller, roleArn, sessionName, externalId, context);
  assertRoleAllows(context.world.roles[roleArn], durationSeconds);
  const policies = readSessionPolicies(form, context.world);
  const sessionPolicies = policies.documents;
  const issuedAt = context.now();
  const session = context.sessions.open({ roleArn, sessionName, durationSeconds, issuedAt, sessionPolicies });
  return sessionResult(session, policies);
}

/**
 * The target's trust policy has to name the caller's role or session, or its account, which then leaves the
 * decision to the caller's own policies; and a deny in the caller's policies ends it either way.
 */
function assertMayAssume(
  caller: Session,
  roleArn: string,
  sessionName: string,
  externalId: string | undefined,
  context: StsContext,
): void {
  const access = {
    action: ACTION,
    resource: roleArn,
    context: {
      "sts:RoleSessionName": sessionName,
      ...(externalId === undefined ? {} : { "sts:ExternalId": externalId }),
    },
  };
  const question = askAs(caller, access, context.now());
  const trust = context.world.roles[roleArn]?.trust;
  const trustSays = (names: readonly string[]): string =>
    trust === undefined ? "not allowed" : evaluateTrust(trust, names, question);
  const own = [caller.arn, caller.roleArn];
  const account = [`arn:aws:iam::${caller.accountId}:root`, caller.accountId];
  const refusal = findRefusal(caller, context.authority, access, context.now());
  if (refusal?.startsWith("explicit") === true) throw refusalError(caller, access, refusal, false);
  if (trustSays([...own, ...account]) !== "allowed") throw unexplained(caller, roleArn);
  const isSameAccount = roleArn.split(":")[4] === caller.accountId;
  const isNamed =
    isSameAccount && trustSays(own) === "allowed" && isWithinNarrowings(caller, context.authority, question);
  if (refusal !== undefined && !isNamed) throw refusalError(caller, access, refusal, false);
}

function unexplained(caller: Session, roleArn: string): WireError {
  return new WireError(
    403,
    "AccessDenied",
    `User: ${caller.arn} is not authorized to perform: ${ACTION} on resource: ${roleArn}`,
  );
}
