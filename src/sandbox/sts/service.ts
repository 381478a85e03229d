import { findCaller } from "../query/caller.js";
import { assertOperation, readForm } from "../query/form.js";
import { queryAnswer, queryError } from "../query/xml.js";
import type { Service } from "../service.js";
import { assumeRole } from "./assume-role.js";
import type { StsContext } from "./context.js";
import { decodeAuthorizationMessage } from "./decode-authorization-message.js";
import { describeForm } from "./parameters.js";
import { assumeRoleWithWebIdentity } from "./web-identity.js";

const VERSION = "2011-06-15";
const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";
const SCOPE = { service: "sts" } as const;
const OPERATIONS: readonly string[] = [
  "AssumeRoleWithWebIdentity",
  "AssumeRole",
  "DecodeAuthorizationMessage",
  "GetCallerIdentity",
];

/** AWS STS in the AWS Query protocol. */
export function createStsService(context: StsContext): Service {
  return {
    name: "sts",
    nameOperation: (request) => readForm(request).get("Action") ?? "unknown",
    answer: async (request, operation, note) => {
      const form = readForm(request);
      assertOperation(form, VERSION, OPERATIONS);
      if (operation === "AssumeRoleWithWebIdentity") {
        note({ parameters: describeForm(form) });
        return queryAnswer(NAMESPACE, operation, await assumeRoleWithWebIdentity(form, context, note), request);
      }
      const caller = await findCaller(request, SCOPE, context.sessions, context.now());
      note({ principal: caller.arn });
      if (operation === "AssumeRole") {
        note({ parameters: describeForm(form) });
        return queryAnswer(NAMESPACE, operation, assumeRole(form, caller, context), request);
      }
      if (operation === "DecodeAuthorizationMessage") decodeAuthorizationMessage(form, caller, context);
      // No policy can deny GetCallerIdentity; only the keys' own expiry ends it.
      const identity = { Arn: caller.arn, UserId: caller.userId, Account: caller.accountId };
      return queryAnswer(NAMESPACE, operation, identity, request);
    },
    refuse: (error, request) => queryError(NAMESPACE, error, request),
  };
}
