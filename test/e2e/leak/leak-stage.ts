import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "vitest";
import type { ErrorCode } from "../../../src/core/errors.js";
import { type Outcome, openStage, type Stage } from "../agentctl.js";
import { AWS, AZURE, GCP } from "../three-clouds.js";
import { type Ambient, plantAmbient } from "./ambient.js";
import { CanarySearch } from "./canary-search.js";

/** A profile of all three clouds, to go on after the demo profile. */
export const THREE_PROFILE = `  three: ${JSON.stringify({ ttl: "10m", deliver: "env", aws: AWS, azure: AZURE, gcp: GCP })}\n`;

/** The audience of each cloud, by the suffix of the variable that holds the token for it. */
const AUDIENCES: Readonly<Record<string, string>> = {
  "": "sts.amazonaws.com",
  _AZURE: "api://AzureADTokenExchange",
  _GCP: `https://iam.googleapis.com/${GCP["workload_identity_provider"]}`,
};

/** The variables in which a child has what it was granted, and what every value of them begins with. */
const GRANTED = /^(AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|AZURE_ACCESS_TOKEN\w*|CLOUDSDK_AUTH_ACCESS_TOKEN)=(.+)$/gm;
const SHARED_BEGINNING = /^(IQoJb3JpZ2luX2Vj|ya29\.\w+\.)/;

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
  /** Where a child may write down what it found: it is not searched, but for the cache of compiled code in it. */
  readonly outside: string;
  /** A token as the issuer gives it, or one that is refused; it is looked for from now on. */
  mintToken(request?: Parameters<Stage["sandbox"]["mintToken"]>[0]): Promise<string>;
  /** Where any canary was found: in what was printed, and in all that lies on the disk. */
  findLeaks(outcome?: Pick<Outcome, "stdout" | "stderr">): string[];
  /** Lets the child's keys and tokens be looked for, as they stand in the environment that it wrote down; answers that text. */
  readDump(file: string): string;
  /** Where any canary was found among the arguments of all processes. */
  findInCommandLines(): string[];
  /** Runs agentctl where it must fail with the code `want`, and answers where any canary was found. */
  leaksOfFailure(want: ErrorCode, run: FailingRun): Promise<string[]>;
  /** Removes what the runs so far have left, so that one leak is one failed test. */
  forget(): void;
  close(): Promise<void>;
}

export async function openLeakStage(): Promise<LeakStage> {
  const stage = await openStage();
  const outside = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-leak-"));
  // What is granted is looked for everywhere but in the child, where it belongs.
  const everything = new CanarySearch();
  const search = new CanarySearch(everything);
  const ambient = plantAmbient(path.join(stage.dir, "home"), search);
  const mintToken: LeakStage["mintToken"] = async (request) => {
    const token = await stage.sandbox.mintToken(request);
    search.addToken("an ID token", token);
    return token;
  };
  const ownTokens = Object.entries(AUDIENCES).map(
    async ([suffix, audience]) => [`AGENTCTL_ID_TOKEN${suffix}`, await mintToken({ audience })] as const,
  );
  search.add("the request token", stage.env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] ?? "");
  fs.mkdirSync(path.join(stage.dir, "tmp"));
  const own = await Promise.all(ownTokens);
  const env = {
    ...ambient.env,
    ...pick(stage.env, ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]),
    ...Object.fromEntries(own),
    // GitLab lets a job give its tokens names of its own.
    DEPLOY_JOB_TOKEN: own[0]?.[1] ?? "",
    AGENTCTL_DEBUG: "1",
    // With these the clouds' own libraries print what they send.
    AZURE_LOG_LEVEL: "verbose",
    GOOGLE_SDK_NODE_LOGGING: "*",
    DEBUG: "*",
    TMPDIR: path.join(stage.dir, "tmp"),
    XDG_CACHE_HOME: path.join(outside, "cache"),
  };
  const cache = path.join(outside, "cache");
  let cacheBefore = "";
  const findInCache = (): string[] => {
    // Megabytes of compiled code, which only a first run writes.
    const cacheNow = fingerprint(cache);
    if (cacheNow === cacheBefore) return [];
    cacheBefore = cacheNow;
    return everything.findInTree(cache);
  };
  const findLeaks: LeakStage["findLeaks"] = (outcome) => [
    ...everything.find("stdout", outcome?.stdout ?? ""),
    ...everything.find("stderr", outcome?.stderr ?? ""),
    ...everything.findInTree(stage.dir, ambient.files),
    ...findInCache(),
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
    findInCommandLines: () => everything.findInCommandLines(),
    forget: () => fs.rmSync(stage.stateDir, { recursive: true, force: true }),
    readDump: (file) => {
      const text = fs.readFileSync(file, "latin1");
      for (const [, name, value = ""] of text.matchAll(GRANTED)) {
        const add = value.startsWith("eyJ") ? "addToken" : "add";
        everything[add](`the child's ${name}`, value.replace(SHARED_BEGINNING, ""));
      }
      return text;
    },
    close: async () => {
      fs.rmSync(outside, { recursive: true, force: true });
      await stage.close();
    },
  };
}

/** Changes with every file that is written below a directory. */
function fingerprint(dir: string): string {
  const entries = fs.existsSync(dir) ? fs.readdirSync(dir, { withFileTypes: true, recursive: true }) : [];
  const files = entries.map((entry) => path.join(entry.parentPath, entry.name));
  return files.map((file) => `${file} ${fs.lstatSync(file, { throwIfNoEntry: false })?.mtimeMs}`).join("\n");
}

function pick(record: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, record[name] ?? ""]));
}
