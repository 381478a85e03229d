import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { registerDoctor } from "../../src/cli/doctor.js";
import { makeProject, runtimeIn } from "../doctor/examination.js";
import { makeToken, NOW } from "../identity/tokens.js";
import { thrownBy } from "../thrown.js";
import { runCommand } from "./run-command.js";

let dir: string;
beforeEach(() => {
  dir = makeProject();
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

async function doctor(args: readonly string[], env: Readonly<Record<string, string>>) {
  const runtime = runtimeIn(dir, { env, now: () => NOW });
  const error = await runCommand(registerDoctor, ["doctor", ...args], runtime).then(
    () => undefined,
    (thrown: unknown) => thrownBy(() => Promise.reject(thrown)),
  );
  return { stdout: runtime.stdout.text(), error };
}

describe("doctor", () => {
  test("all is well", async () => {
    const { stdout, error } = await doctor([], { AGENTCTL_ID_TOKEN: await makeToken() });
    expect(error).toBeUndefined();
    expect(stdout).toMatch(/^ok {4}config {5}agentctl\.yaml: 1 profile, no mistakes$/m);
    expect(stdout).toMatch(/^note {2}exchange {3}not tried: no profile was named\n {17}hint: agentctl doctor -p NAME/m);
  });

  test("the first failure's code, and what fails", async () => {
    fs.writeFileSync(`${dir}/agentctl.yaml`, "version: [");
    const { stdout, error } = await doctor([], {});
    expect(error).toMatchObject({ code: "CONFIG_SYNTAX", exitCode: 78, message: "2 fail (config, identity)" });
    expect(stdout).toMatch(/^fail {2}identity {3}no identity was found: .*\n {17}hint: /m);
  });

  test("a warning alone is not well either", async () => {
    fs.mkdirSync(`${dir}/state`, { mode: 0o755 });
    fs.chmodSync(`${dir}/state`, 0o755);
    const { error } = await doctor([], { AGENTCTL_ID_TOKEN: await makeToken() });
    expect(error).toMatchObject({ code: "STATE_UNWRITABLE", message: "1 needs attention (state)" });
  });

  test("as JSON, and never the token", async () => {
    const token = await makeToken();
    const { stdout } = await doctor(["--json"], { AGENTCTL_ID_TOKEN: token });
    const { ok, checks } = JSON.parse(stdout);
    expect(ok).toBe(true);
    expect(checks).toContainEqual(expect.objectContaining({ check: "node", status: "ok" }));
    expect(stdout).not.toContain(token.split(".")[1]);
  });
});
