import { describe, expect, it } from "vitest";
import { lintSessionPolicy } from "../../src/config/lint-policy.js";
import type { PolicyDocument } from "../../src/core/profile.js";

const statement = (changes: object): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::site/*", ...changes }],
});

const told = async (document: PolicyDocument) =>
  (await lintSessionPolicy(document)).map(({ severity, path, message }) => `${severity} ${path.join(".")}: ${message}`);

describe("lintSessionPolicy", () => {
  it.each([
    ["one statement in a list", statement({})],
    ["actions by pattern", statement({ Action: ["s3:Get*", "s3:List?ucket", "S3:putobject"] })],
    ["a condition", statement({ Condition: { StringEquals: { "s3:prefix": "a", "aws:PrincipalTag/team": "x" } } })],
    [
      "a statement that is no list",
      {
        Version: "2012-10-17",
        Statement: { Effect: "Deny", Action: "*", Resource: "*" },
      },
    ],
  ] as const)("finds nothing in %s", async (_name, document) => {
    expect(await told(document)).toEqual([]);
  });

  it.each([
    [
      "an unknown service",
      { Action: "s33:GetObject" },
      ['warning Statement.0.Action: there is no AWS service "s33"; did you mean "s3"?'],
    ],
    [
      "an unknown action",
      { Action: ["s3:GetObject", "s3:GetObjects"] },
      ['warning Statement.0.Action.1: s3 has no action "GetObjects"; did you mean "GetObject"?'],
    ],
    [
      "a pattern of nothing",
      { Action: "s3:Fetch*" },
      ['warning Statement.0.Action: no action of s3 matches "s3:Fetch*"'],
    ],
    [
      "an unknown action that is excepted",
      { Action: undefined, NotAction: "s3:Gt*" },
      [
        'warning Statement.0.NotAction: no action of s3 matches "s3:Gt*"',
        "info Statement.0.NotAction: allows every action but these",
      ],
    ],
    [
      "an unknown condition key",
      { Condition: { StringEquals: { "s3:prefx": "a" } } },
      ['warning Statement.0.Condition.StringEquals.s3:prefx: AWS has no condition key "s3:prefx"'],
    ],
    [
      "everything",
      { Action: "*", Resource: "*" },
      [
        "info Statement.0.Action: allows every action of every service",
        "info Statement.0.Resource: allows every resource that the role may reach",
      ],
    ],
    ["a whole service", { Action: ["s3:*"] }, ["info Statement.0.Action.0: allows every action of s3"]],
    ["a wide denial", { Effect: "Deny", Action: "*", Resource: "*" }, []],
    ["a principal", { Principal: "*" }, ["error Statement.0.Principal: Principal is not allowed in a session policy"]],
    [
      "no resource",
      { Resource: undefined },
      expect.arrayContaining([
        expect.stringMatching(/^error Statement\.0: One of Resource or NotResource is required/),
      ]),
    ],
    [
      "an effect of another word",
      { Effect: "Permit" },
      ['error Statement.0.Effect: Effect must be present and exactly "Allow" or "Deny"'],
    ],
    ["an unknown key", { Effekt: "Allow" }, ["error Statement.0.Effekt: Invalid key Effekt"]],
  ] as const)("finds %s", async (_name, changes, want) => {
    const document = JSON.parse(JSON.stringify(statement(changes))) as PolicyDocument;
    expect(await told(document)).toEqual(want);
  });

  it.each([
    ["no statement", {}, /^error : Statement is required$/],
    ["a statement that is text", { Statement: ["x"] }, /^error Statement\.0: a statement must be an object$/],
    ["a statement that is null", { Statement: [null] }, /^error Statement\.0: a statement must be an object$/],
    ["a strange version", { ...statement({}), Version: "2020-01-01" }, /^error Version: /],
    ["an unknown key at the top", { ...statement({}), Name: "x" }, /^error Name: Invalid key Name$/],
  ] as const)("refuses %s", async (_name, document, want) => {
    expect(await told(document)).toEqual([expect.stringMatching(want)]);
  });
});
