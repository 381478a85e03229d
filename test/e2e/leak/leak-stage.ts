import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "vitest";
import type { ErrorCode } from "../../../src/core/errors.js";
import { type Outcome, openStage, type Stage } from "../agentctl.js";
import { type Ambient, plantAmbient } from "./ambient.js";
import { CanarySearch } from "./canary-search.js";

/** A run that must not come to its child, or whose child `true` must not matter. */
export interface FailingRun {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly command?: readonly string[];
  /** The receipt's path below the stage. */
  readonly receipt?: string;
}

/** A stage on which everything that agentctl could read or leave behind is known, and searched. */
export interface LeakStage {
  readonly stage: Stage;
  readonly search: CanarySearch;
  readonly ambient: Ambient;
  /** The canaries, the caller's token, and places of its own for everything that agentctl and the child write. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where a child may write down what it found: it is not searched. */
  readonly outside: string;
  /** A token as the issuer gives it, or one that is refused; it is looked for from now on. */
  mintToken(request?: Parameters<Stage["sandbox"]["mintToken"]>[0]): Promise<string>;
  /** Where any canary was found: in what was printed, and in all that lies on the disk. */
  findLeaks(outcome?: Pick<Outcome, "stdout" | "stderr">): string[];
  /** Lets the child's keys be looked for, as they stand in the environment that it wrote down; answers that text. */
  readDump(file: string): string;
  /** Runs agentctl where it must fail with the code `want`, and answers where any canary was found. */
  leaksOfFailure(want: ErrorCode, run: FailingRun): Promise<string[]>;
  /** Removes what the runs so far have left, so that one leak is one failed test. */
  forget(): void;
  close(): Promise<void>;
}

export async function openLeakStage(): Promise<LeakStage> {
  const stage = await openStage();
  const outside = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-leak-"));
  const search = new CanarySearch();
  const ambient = plantAmbient(path.join(stage.dir, "home"), search);
  const mintToken: LeakStage["mintToken"] = async (request) => {
    const token = await stage.sandbox.mintToken(request);
    search.addToken("an ID token", token);
    return token;
  };
  search.add("the request token", stage.env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] ?? "");
  fs.mkdirSync(path.join(stage.dir, "tmp"));
  const token = await mintToken();
  const env = {
    ...ambient.env,
    ...pick(stage.env, ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]),
    AGENTCTL_ID_TOKEN: token,
    // GitLab lets a job give its tokens names of its own.
    DEPLOY_JOB_TOKEN: token,
    AGENTCTL_DEBUG: "1",
    TMPDIR: path.join(stage.dir, "tmp"),
    XDG_CACHE_HOME: path.join(stage.dir, "cache"),
  };
  const findLeaks: LeakStage["findLeaks"] = (outcome) => [
    ...search.find("stdout", outcome?.stdout ?? ""),
    ...search.find("stderr", outcome?.stderr ?? ""),
    ...search.findInTree(stage.dir, ambient.files),
  ];
  return {
    stage,
    search,
    ambient,
    outside,
    mintToken,
    env,
    findLeaks,
    leaksOfFailure: async (want, run) => {
      const receipt = path.join(stage.dir, run.receipt ?? "receipt.json");
      const argv = ["run", ...(run.args ?? ["-p", "demo"]), "--receipt", receipt, "--", ...(run.command ?? ["true"])];
      const outcome = await stage.run(argv, { env: { ...env, ...run.env } });
      expect(/error\[(\w+)\]/.exec(outcome.stderr)?.[1], outcome.stderr).toBe(want);
      return findLeaks(outcome);
    },
    forget: () => fs.rmSync(stage.stateDir, { recursive: true, force: true }),
    readDump: (file) => {
      const text = fs.readFileSync(file, "latin1");
      for (const name of ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]) {
        const value = new RegExp(`^${name}=(.+)$`, "m").exec(text)?.[1];
        // Every session token of AWS's begins with the same characters.
        if (value !== undefined) search.add(`the child's ${name}`, value.replace(/^IQoJb3JpZ2luX2Vj/, ""));
      }
      return text;
    },
    close: async () => {
      fs.rmSync(outside, { recursive: true, force: true });
      await stage.close();
    },
  };
}

function pick(record: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, record[name] ?? ""]));
}
