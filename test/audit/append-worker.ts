import { setTimeout as sleep } from "node:timers/promises";
import { describeCommand } from "../../src/audit/command.js";
import { appendEvent } from "../../src/audit/log.js";
import { fakeRuntime } from "../fake-runtime.js";
import { makeEvent } from "./scratch-log.js";

/** `STATE_DIR NAME COUNT`: appends COUNT records of the profile NAME. */
const [stateDir = "", name = "", count = "0"] = process.argv.slice(2);
const runtime = fakeRuntime({
  env: { AGENTCTL_STATE_DIR: stateDir },
  sleep: (ms) => sleep(ms),
  random: Math.random,
});

for (let number = 1; number <= Number(count); number += 1) {
  const command = describeCommand(["terraform", "apply"], undefined, "first", runtime);
  await appendEvent(makeEvent({ profile: name, intent: String(number), command }), runtime);
  process.stdout.write(`${number}\n`);
}
