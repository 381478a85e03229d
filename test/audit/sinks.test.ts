import { spawn } from "node:child_process";
import * as fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { appendEvent } from "../../src/audit/log.js";
import type { AuditSinkName } from "../../src/core/profile.js";
import type { Runtime } from "../../src/core/runtime.js";
import { makeEvent, makeScratchLog, type ScratchLog } from "./scratch-log.js";

let log: ScratchLog;
beforeEach(() => {
  log = makeScratchLog();
});
afterEach(() => log.remove());

interface FakeLogger {
  readonly spawn: Runtime["spawn"];
  readonly calls: { readonly file: string; readonly args: readonly string[] }[];
}

/** In place of /usr/bin/logger, a Node program. */
function fakeLogger(program: string): FakeLogger {
  const calls: FakeLogger["calls"] = [];
  const fake = (file: string, args: readonly string[], options: object) => {
    calls.push({ file, args });
    return spawn(process.execPath, ["-e", program], options);
  };
  return { spawn: fake as Runtime["spawn"], calls };
}

async function append(sinks: readonly AuditSinkName[], overrides: Partial<Runtime> = {}) {
  const runtime = log.runtime(overrides);
  await appendEvent(makeEvent(), runtime, sinks);
  return { stderr: runtime.stderr.text(), record: log.read().toString("utf8") };
}

describe("sinks", () => {
  it("are not there unless they are asked for", async () => {
    expect((await append([])).stderr).toBe("");
  });

  it("stderr has the very record of the log", async () => {
    const { stderr, record } = await append(["stderr"]);
    expect(stderr).toBe(record);
  });

  it("have the record of a recovery as well", async () => {
    await append([]);
    fs.appendFileSync(log.file, "half");
    const { stderr } = await append(["stderr"]);
    expect(
      stderr
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).kind),
    ).toEqual(["log.recovered", "lease.start"]);
  });

  it("syslog gets the record on logger's stdin, and no environment", async () => {
    const received = path.join(log.stateDir, "received");
    const logger = fakeLogger(`
      const fs = require("node:fs");
      fs.writeFileSync(${JSON.stringify(received)}, Object.keys(process.env).join() + fs.readFileSync(0));`);
    const { stderr, record } = await append(["syslog"], { spawn: logger.spawn, platform: "linux" });
    expect(stderr).toBe("");
    expect(fs.readFileSync(received, "utf8")).toBe(record);
    expect(logger.calls).toEqual([
      {
        file: "/usr/bin/logger",
        args: ["-t", "agentctl", "-p", "auth.notice", "--socket-errors=on", "--size", "65536"],
      },
    ]);
  });

  const failures: readonly { name: string; spawn: Runtime["spawn"]; want: string }[] = [
    {
      name: "complains",
      spawn: fakeLogger("console.error('socket /dev/log: \\x1b[2JNo such file'); process.exit(1)").spawn,
      want: "socket /dev/log: \\u001b[2JNo such file",
    },
    { name: "fails without a word", spawn: fakeLogger("process.exit(3)").spawn, want: "/usr/bin/logger failed with 3" },
    {
      name: "is killed",
      spawn: fakeLogger("process.kill(process.pid, 'SIGKILL')").spawn,
      want: "was ended by SIGKILL",
    },
    {
      name: "is not installed",
      spawn: ((_: string, args: readonly string[], options: object) =>
        spawn("/nonexistent/logger", args, options)) as Runtime["spawn"],
      want: "/usr/bin/logger is not installed",
    },
  ];
  it.each(failures)("cost one line of warning, and no record, when logger $name", async ({ spawn, want }) => {
    const { stderr, record } = await append(["syslog", "stderr"], { spawn });
    const [warning, copy] = stderr.split(/(?<=\n)/);
    expect(warning).toBe(
      `agentctl: warning: the audit record did not reach syslog: ${want.replace(/^was/, "/usr/bin/logger was")}\n`,
    );
    expect(copy).toBe(record);
  });
});
