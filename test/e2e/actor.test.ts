import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStage, type Stage } from "./agentctl.js";
import { AWS, configOf } from "./three-clouds.js";

const AGENT = { CLAUDECODE: "1" };

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(
    configOf({
      open: { aws: AWS },
      loose: { aws: AWS, env: { mode: "cloud" } },
      people: { aws: AWS, actors: ["human"] },
    }),
  );
});
afterAll(() => stage.close());

/** Whether the command finds a variable that only `cloud` mode lets through, and what is on record of the actor. */
async function run(profile: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const script = 'printf "%s" "$OWN_SETTING"';
  const outcome = await stage.run(["run", "-p", profile, "--quiet", ...args, "--", "sh", "-c", script], {
    env: { CI: undefined, ...env, OWN_SETTING: "kept" },
  });
  return { ...outcome, actor: stage.auditRecords().at(-1)?.["actor"] };
}

describe("the actor", () => {
  const reason = (text: string) => expect.stringContaining(text);
  test.each([
    {
      name: "an agent, by its tool's mark: the strict environment",
      profile: "open",
      args: [],
      env: AGENT,
      want: { code: 0, stdout: "", actor: { kind: "agent", name: "claude-code", reason: "CLAUDECODE is set" } },
    },
    {
      name: "an agent, declared: the same",
      profile: "open",
      args: ["--actor", "agent:reviewer"],
      env: {},
      want: { code: 0, stdout: "", actor: { kind: "agent", name: "reviewer", reason: "declared with --actor" } },
    },
    {
      name: "an agent, where the profile says otherwise",
      profile: "loose",
      args: [],
      env: AGENT,
      want: { code: 0, stdout: "kept", actor: { kind: "agent" } },
    },
    {
      name: "automation, by CI's mark",
      profile: "open",
      args: [],
      env: { GITHUB_ACTIONS: "true" },
      want: { code: 0, stdout: "kept", actor: { kind: "automation", reason: "GITHUB_ACTIONS is set" } },
    },
    {
      name: "a human who says so among an agent's marks: both are on record",
      profile: "people",
      args: ["--actor", "human"],
      env: AGENT,
      want: { code: 0, stdout: "kept", actor: { kind: "human", reason: reason("though CLAUDECODE is set") } },
    },
    {
      name: "one whom the profile is not for",
      profile: "people",
      args: [],
      env: AGENT,
      want: { code: 77, stdout: "", stderr: reason("error[ACTOR_DENIED]"), actor: { kind: "agent" } },
    },
  ])("$name", async ({ profile, args, env, want }) => {
    expect(await run(profile, args, env)).toMatchObject(want);
  });
});
