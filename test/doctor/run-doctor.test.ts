import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AgentctlError } from "../../src/core/errors.js";
import { NotTried } from "../../src/doctor/examination.js";
import { ok } from "../../src/doctor/finding.js";
import { type CheckFinding, runDoctor } from "../../src/doctor/index.js";
import { thrownBy } from "../thrown.js";
import { makeProject, runtimeIn } from "./examination.js";

const ALL = [
  "node",
  "state",
  "audit",
  "leases",
  "config",
  "endpoints",
  "proxy",
  "identity",
  "keychain",
  "clock",
  "exchange",
  "tools",
];

let dir: string;
beforeEach(() => {
  dir = makeProject();
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

const namesOf = (findings: readonly CheckFinding[]) => [...new Set(findings.map(({ check }) => check))];

describe("all checks", () => {
  test("with nothing but a configuration: no network, no state, and every check reports", async () => {
    const told: CheckFinding[] = [];
    const findings = await runDoctor({}, (finding) => told.push(finding), runtimeIn(dir));
    expect(namesOf(findings)).toEqual(ALL);
    expect(told).toEqual(findings);
    expect(findings.filter(({ status }) => status === "fail").map(({ check }) => check)).toEqual(["identity"]);
    expect(fs.readdirSync(dir)).toEqual(["agentctl.yaml"]);
  });

  test.each([
    { name: "none at hand", request: {} },
    { name: "a source that nobody knows", request: { identitySource: "kerberos" } },
  ])("with a profile and no identity ($name): that is told once, and no cloud is tried", async ({ request }) => {
    const findings = await runDoctor({ profileName: "deploy", ...request }, () => {}, runtimeIn(dir));
    expect(findings.filter(({ check }) => check === "exchange")).toEqual([
      { check: "exchange", status: "note", message: "not tried: there is no identity" },
    ]);
    expect(findings.filter(({ status }) => status === "fail").map(({ check }) => check)).toEqual(["identity"]);
    expect(fs.readdirSync(dir)).toEqual(["agentctl.yaml"]);
  });

  test("with everything broken at once, with and without a profile", async () => {
    fs.writeFileSync(path.join(dir, "agentctl.yaml"), "version: 2\nprofiles: [");
    fs.writeFileSync(path.join(dir, "state"), "not a directory");
    const env = {
      AGENTCTL_ID_TOKEN: "not a token",
      AWS_ENDPOINT_URL_STS: "not a URL",
      HTTPS_PROXY: "not a URL either",
      PATH: "/nonexistent",
      XDG_RUNTIME_DIR: "\0",
    };
    for (const request of [{}, { profileName: "deploy" }, { profileName: "no such", identitySource: "kerberos" }]) {
      const findings = await runDoctor(request, () => {}, runtimeIn(dir, { env }));
      expect(namesOf(findings)).toEqual(ALL);
      const failed = findings.filter(({ status }) => status === "fail").map(({ check }) => check);
      expect(failed).toEqual(["state", "audit", "leases", "config", "identity"]);
      for (const { status, code, message } of findings) {
        expect(message).not.toMatch(/unexpected:|undefined|not a token/);
        expect(code === undefined).toBe(status === "ok" || status === "note");
      }
    }
  });
});

describe("a check", () => {
  const finding = { check: "last", status: "ok", message: "reached" };
  const last = { name: "last", run: () => [ok("reached")] };
  const run = (thrown: unknown) => {
    const broken = {
      name: "broken",
      run: () => {
        throw thrown;
      },
    };
    return runDoctor({}, () => {}, runtimeIn(dir), [broken, last]);
  };

  test.each([
    {
      name: "an error of agentctl's",
      thrown: new AgentctlError("LOCK_HELD", "held", { hint: "wait" }),
      want: { status: "fail", code: "LOCK_HELD", message: "held", hint: "wait" },
    },
    { name: "anything else", thrown: new TypeError("x"), want: { status: "fail", code: "DEFECT" } },
    {
      name: "what it rests on",
      thrown: new NotTried("no y", "get y"),
      want: { status: "note", message: "not tried: no y", hint: "get y" },
    },
  ])("that throws $name is a finding, and the next is made", async ({ thrown, want }) => {
    expect(await run(thrown)).toMatchObject([{ check: "broken", ...want }, finding]);
  });

  test("that is interrupted ends them all", async () => {
    const interrupted = new AgentctlError("INTERRUPTED", "x", { exitCode: 130 });
    expect(await thrownBy(() => run(interrupted))).toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
  });
});
