import { createHmac } from "node:crypto";
import * as fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeCommand } from "../../src/audit/command.js";
import { makeScratchLog, type ScratchLog } from "./scratch-log.js";

let log: ScratchLog;
beforeEach(() => {
  log = makeScratchLog();
});
afterEach(() => log.remove());

describe("describeCommand", () => {
  it("holds the first word and a keyed hash of the rest, never the rest", () => {
    const described = describeCommand(["psql", "--password=hunter2"], "/usr/bin/psql", "first", log.runtime());
    const key = fs.readFileSync(path.join(log.auditDir, "args.key"), "utf8").trim();
    const argsHash = createHmac("sha256", Buffer.from(key, "hex")).update('["--password=hunter2"]').digest("hex");
    expect(described).toEqual({ argv0: "psql", path: "/usr/bin/psql", argsHash });
  });

  it("holds the arguments when they are opted in", () => {
    const described = describeCommand(["ls", "-l"], undefined, "full", log.runtime());
    expect(described).toEqual({ argv0: "ls", argsHash: expect.stringMatching(/^[0-9a-f]{64}$/), argv: ["ls", "-l"] });
  });

  it("hashes the same arguments alike, and differently split ones differently", () => {
    const hash = (...args: string[]) => describeCommand(["x", ...args], undefined, "first", log.runtime()).argsHash;
    expect(hash("a", "b")).toBe(hash("a", "b"));
    expect(new Set([hash("a", "b"), hash("a b"), hash("ab"), hash("a", "b", ""), hash()]).size).toBe(5);
  });

  it("keeps its key to its user, and another state directory has another", () => {
    const hash = (scratch: ScratchLog) => describeCommand(["x", "a"], undefined, "first", scratch.runtime()).argsHash;
    const other = makeScratchLog();
    expect(hash(log)).not.toBe(hash(other));
    expect(fs.statSync(path.join(log.auditDir, "args.key")).mode & 0o777).toBe(0o600);
    expect(fs.readdirSync(log.auditDir)).toEqual(["args.key"]);
    other.remove();
  });

  it("takes the key of the process that was quicker", () => {
    const quicker = "ab".repeat(32);
    const linkSync: typeof fs.linkSync = (from, to) => {
      fs.writeFileSync(to, `${quicker}\n`);
      fs.linkSync(from, to);
    };
    const { argsHash } = describeCommand(["x"], undefined, "first", log.runtime({ fs: { ...fs, linkSync } }));
    expect(argsHash).toBe(createHmac("sha256", Buffer.from(quicker, "hex")).update("[]").digest("hex"));
    expect(fs.readdirSync(log.auditDir)).toEqual(["args.key"]);
  });
});
