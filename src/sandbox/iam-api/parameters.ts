import { type Form, invalid, readText } from "../query/form.js";
import { WireError } from "../wire-error.js";

const NAME = /^[\w+=,.@-]+$/;
/** What a policy's text may consist of. */
const DOCUMENT = /^[\t\n\r\u0020-\u00ff]+$/;
const MAX_DOCUMENT_CHARACTERS = 131_072;
const MAX_ITEMS = { least: 1, most: 1000, usual: 100 };

export function readRoleName(form: Form): string {
  return readName(form, "RoleName", "roleName", 64);
}

export function readPolicyName(form: Form): string {
  return readName(form, "PolicyName", "policyName", 128);
}

function readName(form: Form, name: string, member: string, max: number): string {
  const value = readText(form, name, member, { min: 1, max });
  if (NAME.test(value)) return value;
  throw unfit(member, "alphanumeric characters and/or the following: +=,.@_-");
}

/** The text; what is in it is for later. */
export function readPolicyDocument(form: Form): string {
  const text = readText(form, "PolicyDocument", "policyDocument", { min: 1, max: MAX_DOCUMENT_CHARACTERS });
  if (DOCUMENT.test(text)) return text;
  throw unfit("policyDocument", "printable ASCII characters.");
}

export function readMaxItems(form: Form): number {
  const text = form.get("MaxItems");
  if (text === null) return MAX_ITEMS.usual;
  if (!/^-?\d+$/.test(text)) throw new WireError(400, "MalformedInput", "MaxItems is not an integer");
  const count = Number(text);
  const fail = (constraint: string): WireError =>
    invalid(`Value '${text}' at 'maxItems' failed to satisfy constraint: Member must ${constraint}`);
  if (count < MAX_ITEMS.least) throw fail(`have value greater than or equal to ${MAX_ITEMS.least}`);
  if (count > MAX_ITEMS.most) throw fail(`have value less than or equal to ${MAX_ITEMS.most}`);
  return count;
}

function unfit(member: string, kind: string): WireError {
  return new WireError(
    400,
    "ValidationError",
    `The specified value for ${member} is invalid. It must contain only ${kind}`,
  );
}

/** For the request log: what was asked for. */
export function describeForm(form: Form): Readonly<Record<string, string>> {
  const named = ["RoleName", "PolicyName", "PolicyDocument", "MaxItems", "Marker"];
  return Object.fromEntries(named.flatMap((name) => form.getAll(name).map((value) => [name, value] as const)));
}
