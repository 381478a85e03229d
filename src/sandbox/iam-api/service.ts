import { findRefusal, refusalError } from "../iam/authorize.js";
import type { Session } from "../iam/sessions.js";
import { findCaller } from "../query/caller.js";
import { assertOperation, type Form, readForm } from "../query/form.js";
import { queryAnswer, queryError, type XmlValue } from "../query/xml.js";
import type { Service, ServiceRequest } from "../service.js";
import { WireError } from "../wire-error.js";
import type { IamContext } from "./context.js";
import { type FoundRole, findRole } from "./find-role.js";
import { getRole } from "./get-role.js";
import { deleteRolePolicy, getRolePolicy, putRolePolicy } from "./inline-policies.js";
import { listRolePolicies } from "./list-role-policies.js";
import { describeForm, readRoleName } from "./parameters.js";

const VERSION = "2010-05-08";
const NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/";
/** IAM is one for all regions, and takes signatures for this one only. */
const SCOPE = { service: "iam", region: "us-east-1" } as const;

type Act = (role: FoundRole, context: IamContext) => XmlValue | undefined;

/** By operation: reads its parameters, and answers what is to be done once the caller is known to be allowed it. */
const OPERATIONS: Readonly<Record<string, (form: Form) => Act>> = {
  GetRole: () => getRole,
  ListRolePolicies: listRolePolicies,
  GetRolePolicy: getRolePolicy,
  PutRolePolicy: putRolePolicy,
  DeleteRolePolicy: deleteRolePolicy,
};
/** Where a policy may ask what the role's permissions boundary is. */
const BOUNDARY_AWARE: readonly string[] = ["PutRolePolicy", "DeleteRolePolicy"];

/** A little of AWS IAM, in the AWS Query protocol: roles, and their inline policies. */
export function createIamService(context: IamContext): Service {
  return {
    name: "iam",
    failures: {
      throttle: new WireError(400, "Throttling", "Rate exceeded"),
      error: new WireError(500, "ServiceFailure", "The request processing has failed because of an unknown error."),
      deny: new WireError(403, "AccessDenied", "Not authorized"),
    },
    nameOperation: (request) => readForm(request).get("Action") ?? "unknown",
    answer: async (request, operation, note) => {
      const form = readForm(request);
      assertOperation(form, VERSION, Object.keys(OPERATIONS));
      const caller = await findCaller(request, SCOPE, context.sessions, context.now());
      note({ principal: caller.arn, parameters: describeForm(form) });
      return queryAnswer(NAMESPACE, operation, act(form, operation, caller, context), request);
    },
    refuse: (error, request) => queryError(NAMESPACE, error, request),
  };
}

/** Services of the Query protocol may share a port: a call says which version of which it means. */
export function isForIam(request: ServiceRequest): boolean {
  return readForm(request).get("Version") === VERSION;
}

function act(form: Form, operation: string, caller: Session, context: IamContext): XmlValue | undefined {
  const name = readRoleName(form);
  const perform = OPERATIONS[operation]?.(form);
  const role = findRole(context.roles, caller.accountId, name);
  assertMay(operation, caller, name, role, context);
  if (role === undefined) throw new WireError(404, "NoSuchEntity", `The role with name ${name} cannot be found.`);
  return perform?.(role, context);
}

/** Asked before it is told whether there is such a role. */
function assertMay(
  operation: string,
  caller: Session,
  roleName: string,
  role: FoundRole | undefined,
  context: IamContext,
): void {
  const boundary = role?.definition.permissionsBoundary;
  const access = {
    action: `iam:${operation}`,
    resource: role?.arn ?? `arn:aws:iam::${caller.accountId}:role/${roleName}`,
    // IAM's own refusals have a role's name in the place of its ARN.
    shownAs: `role ${roleName}`,
    ...(boundary !== undefined &&
      BOUNDARY_AWARE.includes(operation) && { context: { "iam:PermissionsBoundary": boundary.arn } }),
  };
  const refusal = findRefusal(caller, context.authority, access, context.now());
  if (refusal !== undefined) throw refusalError(caller, access, refusal, false);
}
