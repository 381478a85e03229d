import { parsePolicy } from "../iam/parse-policy.js";
import type { InlinePolicy } from "../iam/role-policies.js";
import type { Form } from "../query/form.js";
import type { XmlValue } from "../query/xml.js";
import { WireError } from "../wire-error.js";
import type { IamContext } from "./context.js";
import { encodeDocument } from "./encode-document.js";
import type { FoundRole } from "./find-role.js";
import { readPolicyDocument, readPolicyName } from "./parameters.js";

/** All inline policies of a role together; attached ones do not count. */
const MAX_INLINE_BYTES = 10_240;

export function getRolePolicy(form: Form) {
  const name = readPolicyName(form);
  return ({ arn, name: roleName }: FoundRole, { policies }: IamContext): XmlValue => {
    const { text } = findPolicy(policies.inlineOf(arn), name);
    return { RoleName: roleName, PolicyName: name, PolicyDocument: encodeDocument(text) };
  };
}

export function putRolePolicy(form: Form) {
  const name = readPolicyName(form);
  const text = readPolicyDocument(form);
  return ({ arn, name: roleName }: FoundRole, { policies }: IamContext): undefined => {
    const document = parsePolicy(text, "identity");
    const others = [...policies.inlineOf(arn)].filter(([other]) => other !== name).map(([, policy]) => policy);
    assertWithinQuota([...others, { text }], roleName);
    policies.put(arn, name, { text, document });
  };
}

export function deleteRolePolicy(form: Form) {
  const name = readPolicyName(form);
  return ({ arn }: FoundRole, { policies }: IamContext): undefined => {
    findPolicy(policies.inlineOf(arn), name);
    policies.delete(arn, name);
  };
}

function findPolicy(inline: ReadonlyMap<string, InlinePolicy>, name: string): InlinePolicy {
  const policy = inline.get(name);
  if (policy !== undefined) return policy;
  throw new WireError(404, "NoSuchEntity", `The role policy with name ${name} cannot be found.`);
}

function assertWithinQuota(inline: readonly { readonly text: string }[], roleName: string): void {
  const bytes = inline.reduce((sum, { text }) => sum + countBytes(text), 0);
  if (bytes <= MAX_INLINE_BYTES) return;
  const message = `Maximum policy size of ${MAX_INLINE_BYTES} bytes exceeded for role ${roleName}`;
  throw new WireError(409, "LimitExceeded", message);
}

/** Without the white space between JSON's tokens; whether AWS counts it within a string is not published: here it does. */
function countBytes(text: string): number {
  return Buffer.byteLength(text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, "$1"));
}
