import { describe, expect, it } from "vitest";
import { parseCondition } from "../../src/sandbox/azure/authorization/condition.js";
import { constrainRoles } from "../../src/sandbox/azure/world.js";
import { BLOB_READER, OWNER, READER } from "./azure-roles.js";

const WRITE = "Microsoft.Authorization/roleAssignments/write";
const DELETE = "Microsoft.Authorization/roleAssignments/delete";
const ROLE = "Microsoft.Authorization/roleAssignments:RoleDefinitionId";
const TYPE = "Microsoft.Authorization/roleAssignments:PrincipalType";

function judge(text: string, action: string, attributes: Record<string, string> = {}): boolean | undefined {
  return parseCondition(text)?.({ action, attributes });
}

describe("the condition that names the roles which may be assigned", () => {
  const constrained = constrainRoles(["Reader", "Storage Blob Data Reader"]);
  it.each([
    { name: "assigning a named role", action: WRITE, attributes: { [`Request:${ROLE}`]: READER }, want: true },
    { name: "in capitals", action: WRITE, attributes: { [`Request:${ROLE}`]: READER.toUpperCase() }, want: true },
    { name: "assigning another", action: WRITE, attributes: { [`Request:${ROLE}`]: OWNER }, want: false },
    { name: "assigning what is not said", action: WRITE, attributes: {}, want: false },
    {
      name: "a resource's role for a request's",
      action: WRITE,
      attributes: { [`Resource:${ROLE}`]: READER },
      want: false,
    },
    { name: "deleting a named role", action: DELETE, attributes: { [`Resource:${ROLE}`]: BLOB_READER }, want: true },
    { name: "deleting another", action: DELETE, attributes: { [`Resource:${ROLE}`]: OWNER }, want: false },
    { name: "anything else", action: "Microsoft.Authorization/roleAssignments/read", attributes: {}, want: true },
  ])("on $name: $want", ({ action, attributes, want }) => {
    expect(judge(constrained, action, attributes)).toBe(want);
  });
});

describe("a condition", () => {
  const facts = { [`Request:${ROLE}`]: READER, [`Request:${TYPE}`]: "ServicePrincipal" };
  it.each([
    { text: `@Request[${ROLE}] ForAnyOfAllValues:GuidNotEquals {${OWNER}, ${BLOB_READER}}`, want: true },
    { text: `@Request[${ROLE}] ForAnyOfAllValues:GuidNotEquals {${OWNER}, ${READER}}`, want: false },
    { text: `@Request[${ROLE}] ForAllOfAnyValues:GuidEquals {${OWNER}, ${READER}}`, want: true },
    { text: `@Request[${TYPE}] StringEqualsIgnoreCase 'serviceprincipal'`, want: true },
    { text: `@Request[${TYPE}] StringEquals 'serviceprincipal'`, want: false },
    { text: `@Request[${TYPE}] ForAnyOfAnyValues:StringEqualsIgnoreCase {'User', 'ServicePrincipal'}`, want: true },
    { text: `@Request[${TYPE}] StringNotEquals 'User' && @Request[${ROLE}] GuidEquals ${READER}`, want: true },
    { text: `@Request[${TYPE}] StringLike 'Service*'`, want: true },
    { text: `@Request[${TYPE}] StringLike 'Ser.ice*'`, want: false },
    { text: `@Request[${TYPE}] StringStartsWith 'Service'`, want: true },
    { text: `NOT @Request[${TYPE}] StringStartsWith 'Service'`, want: false },
    { text: "ActionMatches{'Microsoft.Authorization/roleAssignments/*'}", want: true },
    {
      text: `(ActionMatches{'x'} OR @Request[${TYPE}] StringEquals 'ServicePrincipal') AND ActionMatches{'${WRITE}'}`,
      want: true,
    },
    { text: `ActionMatches{'${WRITE}'} || ActionMatches{'x'} AND ActionMatches{'x'}`, want: true },
  ])("$text: $want", ({ text, want }) => {
    expect(judge(text, WRITE, facts)).toBe(want);
  });

  it.each([
    "",
    "(",
    "()",
    "ActionMatches",
    "ActionMatches{'x'",
    "ActionMatches{'x'} ActionMatches{'x'}",
    "ActionMatches{'x'} AND",
    "!",
    `@Request[${ROLE}]`,
    `@Request[${ROLE}] GuidEquals`,
    `@Request[${ROLE}] GuidMatches {${READER}}`,
    `@Request[${ROLE}] ForSome:GuidEquals {${READER}}`,
    `@Request[${ROLE}] GuidEquals {${READER}`,
    `@Request[${ROLE} GuidEquals {${READER}}`,
    "'text' StringEquals 'text'",
    "a ~ b",
  ])("is none: %s", (text) => {
    expect(parseCondition(text)).toBeUndefined();
  });
});
