import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { loadProfile } from "../../src/config/index.js";
import { createProject, failureOf, type Project, ROLE } from "./project.js";

let project: Project;
afterEach(() => project.remove());

const CONFIG = `version: 1\nprofiles:\n  p:\n    aws:\n      role_arn: ${ROLE}\n      session_policy: policies/p.json\n`;
const PLACE = /^agentctl\.yaml:6:23: profiles\.p\.aws\.session_policy: /;

const load = (policy?: string | Uint8Array) => {
  project = createProject({ "agentctl.yaml": CONFIG });
  if (policy !== undefined) project.write("policies/p.json", policy);
  return loadProfile({ profileName: "p" }, project.at("below"));
};

describe("a session policy in a file", () => {
  it("is found from the configuration file's directory", () => {
    const want = { document: { Statement: [] }, origin: expect.stringMatching(/policies\/p\.json$/) };
    expect(load('{ "Statement": [] }').clouds.aws?.sessionPolicy).toEqual(want);
  });

  it.each([
    ["missing", undefined, /cannot read the session policy .*policies\/p\.json: there is no such file/],
    ["too long", `{"Id":"${"x".repeat(65 * 1024)}"}`, /longer than 64 KiB/],
    ["not UTF-8", Uint8Array.of(0x7b, 0xff), /not UTF-8/],
    ["a list", "[]", /is not a JSON object/],
    ["null", "null", /is not a JSON object/],
    ["empty", "", /is not JSON: .*p\.json:1:1/],
  ] as const)("is refused when it is %s", (_name, policy, says) => {
    const { code, message } = failureOf(() => load(policy));
    expect(code).toBe("POLICY_INVALID");
    expect(message.replace(/^.*\/(?=agentctl\.yaml)/, "")).toMatch(PLACE);
    expect(message).toMatch(says);
  });

  it.each([
    ["a directory", (file: string) => fs.mkdirSync(file)],
    ["a FIFO, without waiting for its writer", (file: string) => execFileSync("mkfifo", [file])],
  ] as const)("is refused when it is %s", (_name, make) => {
    project = createProject({ "agentctl.yaml": CONFIG });
    make(path.join(fs.mkdirSync(path.join(project.dir, "policies"), { recursive: true }) ?? "", "p.json"));
    const { code, message } = failureOf(() => loadProfile({ profileName: "p" }, project.runtime));
    expect({ code, message }).toMatchObject({
      code: "POLICY_INVALID",
      message: expect.stringContaining("regular file"),
    });
  });

  it.each([
    ["a trailing comma in an object", '{\n  "a": 1,\n}', "3:1"],
    ["a trailing comma in a list", '{ "a": [1,] }', "1:11"],
    ["a missing comma", '{ "a": 1\n  "b": 2 }', "2:3"],
    ["a missing colon", '{ "a" 1 }', "1:7"],
    ["single quotes", "{ 'a': 1 }", "1:3"],
    ["a bare word", '{ "a": Allow }', "1:8"],
    ["a comment", '{ // no\n "a": 1 }', "1:3"],
    ["a line break in a string", '{ "a": "x\ny" }', "1:8"],
    ["a bad escape", '{ "a": "\\q" }', "1:8"],
    ["a leading zero", '{ "a": 01 }', "1:9"],
    ["the wrong bracket", '{ "a": [1} }', "1:10"],
    ["an end too early", '{ "a": [1, { "b": true', "1:23"],
    ["something behind the end", '{ "a": {} } { }', "1:13"],
    ["nothing but space", " \n ", "2:2"],
  ])("is refused with the place of %s", (_name, policy, place) => {
    const { code, message } = failureOf(() => load(policy));
    expect(code).toBe("POLICY_INVALID");
    expect(message).toMatch(new RegExp(`is not JSON: .*p\\.json:${place}$`));
  });

  it("is not repeated in the error, since it may be a file that nobody meant", () => {
    const failure = failureOf(() => load("root:x:0:0:root:/root:/bin/bash\n"));
    expect(JSON.stringify(failure)).not.toContain("root:x");
  });
});
