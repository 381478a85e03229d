import { findRefusal, refusalError } from "../iam/authorize.js";
import type { Session } from "../iam/sessions.js";
import { type Form, readText } from "../query/form.js";
import { WireError } from "../wire-error.js";
import type { StsContext } from "./context.js";

/** Nothing here encodes such messages, so whoever may decode them is told that this is none. */
export function decodeAuthorizationMessage(form: Form, caller: Session, context: StsContext): never {
  readText(form, "EncodedMessage", "encodedMessage", { min: 1, max: 10_240 });
  const access = { action: "sts:DecodeAuthorizationMessage", resource: "*" };
  const refusal = findRefusal(caller, context.authority, access, context.now());
  if (refusal !== undefined) throw refusalError(caller, access, refusal, false);
  throw new WireError(400, "InvalidAuthorizationMessageException", "Message is not valid");
}
