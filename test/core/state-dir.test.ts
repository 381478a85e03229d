import { describe, expect, it } from "vitest";
import { stateDir, userConfigFile } from "../../src/core/state-dir.js";
import { thrownBy } from "../thrown.js";

const at = (env: Readonly<Record<string, string>>) => ({ env, cwd: "/home/me/project" });

describe("the state directory", () => {
  it.each([
    { name: "its own variable", env: { AGENTCTL_STATE_DIR: "/s", XDG_STATE_HOME: "/x", HOME: "/h" }, want: "/s" },
    { name: "its own variable, relative", env: { AGENTCTL_STATE_DIR: "s" }, want: "/home/me/project/s" },
    { name: "XDG's", env: { AGENTCTL_STATE_DIR: "", XDG_STATE_HOME: "/x", HOME: "/h" }, want: "/x/agentctl" },
    { name: "HOME", env: { XDG_STATE_HOME: "relative", HOME: "/h" }, want: "/h/.local/state/agentctl" },
  ])("is told by $name", ({ env, want }) => {
    expect(stateDir(at(env))).toBe(want);
  });

  it.each([{}, { HOME: "" }, { HOME: "relative" }])("is never made up below the working directory: %o", async (env) => {
    expect((await thrownBy(() => stateDir(at(env)))).code).toBe("STATE_UNWRITABLE");
  });
});

describe("the user's own settings", () => {
  it.each([
    { name: "XDG's", env: { XDG_CONFIG_HOME: "/x", HOME: "/h" }, want: "/x/agentctl/config.yaml" },
    { name: "HOME", env: { HOME: "/h" }, want: "/h/.config/agentctl/config.yaml" },
    { name: "nothing", env: {}, want: undefined },
    { name: "an empty HOME", env: { HOME: "" }, want: undefined },
  ])("are found by $name", ({ env, want }) => {
    expect(userConfigFile(at(env))).toBe(want);
  });
});
