import type { ChildProcess } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { DEMO_PROFILE, eventually, type Outcome, outcomeOf } from "./agentctl.js";
import { CanarySearch } from "./leak/canary-search.js";
import { DUMPERS } from "./leak/dumpers.js";
import { type LeakStage, openLeakStage, THREE_PROFILE } from "./leak/leak-stage.js";

const PROFILES = `${DEMO_PROFILE}    env: { mode: cloud }
  strict: { extends: demo, env: { mode: strict } }
  chained: { extends: demo, aws: { chain: [{ role_arn: "arn:aws:iam::111122223333:role/agentctl-chained" }] } }
${THREE_PROFILE}`;

let leak: LeakStage;
const started: ChildProcess[] = [];
beforeAll(async () => {
  leak = await openLeakStage();
  leak.stage.writeConfig(PROFILES);
});
afterEach(() => {
  for (const child of started.splice(0)) if (child.exitCode === null) child.kill("SIGKILL");
});
afterAll(() => leak.close());

const run = (...args: readonly string[]): Promise<Outcome> => leak.stage.run(args, { env: leak.env });
const receipt = (name: string): string[] => ["--receipt", path.join(leak.stage.dir, `${name}.json`)];

describe("the search", () => {
  const hiding = [
    { name: "as it is", hide: (secret: string) => `key=${secret};` },
    { name: "half of it", hide: (secret: string) => `"${secret.slice(5, 30)}…"` },
    { name: "in base 64", hide: (secret: string) => Buffer.from(`user:${secret}`).toString("base64") },
    { name: "in base64url", hide: (secret: string) => Buffer.from(`ab?${secret}`).toString("base64url") },
    { name: "in hexadecimal", hide: (secret: string) => Buffer.from(secret).toString("hex") },
  ];
  test.each(hiding)("finds a canary $name, in what is printed and on the disk", ({ hide }) => {
    const search = new CanarySearch();
    const text = `some text before\n${hide(search.plant("the key"))}\nand after`;
    expect(search.find("stdout", text)).toEqual([expect.stringMatching(/^the key( \(\w+\))? in stdout$/)]);
    const dir = fs.mkdtempSync(path.join(leak.outside, "search-"));
    fs.mkdirSync(path.join(dir, "deep/er"), { recursive: true });
    fs.writeFileSync(path.join(dir, "deep/er/file"), text);
    expect(search.findInTree(dir)).toEqual([expect.stringContaining("in deep/er/file")]);
    expect(search.findInTree(dir, new Set([path.join(dir, "deep/er/file")]))).toEqual([]);
  });

  test("finds an issued token by any part but its header, and nothing where there is nothing", async () => {
    const search = new CanarySearch();
    const token = await leak.stage.sandbox.mintToken();
    search.addToken("the token", token);
    const [header = "", payload = "", signature = ""] = token.split(".");
    for (const part of [payload.slice(20, 50), signature.slice(-40)]) {
      expect(search.find("stderr", `…${part}…`), part).toEqual([expect.stringContaining("the token")]);
    }
    expect(search.find("stderr", `${header} ${process.version}`)).toEqual([]);
  });
});

describe("the child", () => {
  test.for(DUMPERS)(
    "$name finds nothing of what its caller could be, and what it gets stays with it",
    {
      timeout: 150_000,
    },
    async ({ name, prepare }, { skip }) => {
      const command = await prepare(leak.outside);
      if ("missing" in command) {
        console.info(`skipped: ${command.missing}`);
        return skip(command.missing);
      }
      for (const profile of ["demo", "strict", "chained", "three"]) {
        const dump = path.join(leak.outside, `${name}-${profile}`);
        const outcome = await run("run", "-p", profile, ...receipt(profile), "--", ...command, dump);
        expect(outcome, outcome.stderr).toMatchObject({ code: 0, stdout: "" });
        const found = leak.search.find("the child", withoutPayloads(fs.readFileSync(dump, "latin1")));
        expect(found).toEqual([]);
        const dumped = leak.readDump(dump);
        expect(dumped).toMatch(/^AWS_SESSION_TOKEN=/m);
        expect(/^(AZURE|CLOUDSDK_AUTH)_ACCESS_TOKEN=/m.test(dumped)).toBe(profile === "three");
        expect(leak.findLeaks(outcome)).toEqual([]);
      }
    },
  );

  test("is handed no open file of agentctl's", async () => {
    const list =
      process.platform === "linux" ? 'for f in /proc/$$/fd/*; do readlink "$f"; done; true' : "lsof -p $$ -Fn";
    const outcome = await run("run", "-p", "demo", "--quiet", ...receipt("files"), "--", "sh", "-c", list);
    expect(outcome).toMatchObject({ code: 0 });
    expect(outcome.stdout).not.toContain(leak.stage.dir);
  });

  test("keeps its arguments off the record, but for the command's own name", async () => {
    const secret = leak.search.plant("an argument");
    const args = [secret, `--password=${secret}`];
    for (const command of [["true"], ["no-such-command"], ["/"]]) {
      const outcome = await run("run", "-p", "demo", ...receipt("arguments"), "--", ...command, ...args);
      expect(leak.findLeaks(outcome)).toEqual([]);
    }
  });
});

/** Azure's tokens without what tells no secret: the claims of two issuers have pieces in common. */
function withoutPayloads(environment: string): string {
  return environment.replace(/^(AZURE_ACCESS_TOKEN\w*=)[\w-]+\.[\w-]+\./gm, "$1");
}

/** A child that has written down what it found, and waits until its stdin ends. */
async function startWaiting(name: string): Promise<{ agentctl: ChildProcess; ended: Promise<Outcome> }> {
  const dump = path.join(leak.outside, name);
  const script = 'env > "$1"; echo ready; cat';
  const args = ["run", "-p", "three", ...receipt(name), "--", "sh", "-c", script, "sh", dump];
  const agentctl = leak.stage.start(args, { env: leak.env });
  started.push(agentctl);
  const ended = outcomeOf(agentctl);
  let printed = "";
  agentctl.stdout?.on("data", (text: string) => {
    printed += text;
  });
  await eventually(() => printed.includes("ready"));
  leak.readDump(dump);
  return { agentctl, ended };
}

describe("while the child runs", () => {
  const ends = [
    { name: "succeeds", end: (agentctl: ChildProcess) => agentctl.stdin?.end(), want: { code: 0 } },
    { name: "is ended by SIGTERM", end: (agentctl: ChildProcess) => agentctl.kill("SIGTERM"), want: { code: 143 } },
    {
      name: "loses its agentctl to SIGKILL",
      end: (agentctl: ChildProcess) => {
        agentctl.kill("SIGKILL");
        agentctl.stdin?.end();
      },
      want: { signal: "SIGKILL" },
    },
  ];
  test.each(ends)("nothing lies about, and neither once it $name", async ({ name, end, want }) => {
    const { agentctl, ended } = await startWaiting(name.replaceAll(" ", "-"));
    const leases = await run("lease", "list", "--json");
    expect(JSON.parse(leases.stdout)).toEqual([expect.objectContaining({ profile: "three" })]);
    expect(leak.findLeaks(leases)).toEqual([]);
    expect(leak.findInCommandLines()).toEqual([]);
    end(agentctl);
    const outcome = await ended;
    expect(outcome, outcome.stderr).toMatchObject(want);
    expect(leak.findLeaks(outcome)).toEqual([]);
    fs.rmSync(path.join(leak.stage.stateDir, "leases"), { recursive: true });
  });
});

describe("what is shown afterwards", () => {
  const shown = [
    { name: "a dry run", args: ["run", "-p", "three", "--dry-run", "--", "env"] },
    { name: "profile list", args: ["profile", "list", "--json"] },
    { name: "profile show", args: ["profile", "show", "three"] },
    { name: "profile lint", args: ["profile", "lint"] },
    { name: "audit log", args: ["audit", "log"] },
    { name: "audit log --json", args: ["audit", "log", "--json"] },
    { name: "audit verify", args: ["audit", "verify"] },
    { name: "audit export", args: ["audit", "export", "--format", "csv"] },
    { name: "lease list", args: ["lease", "list"] },
  ];
  test.each(shown)("$name shows no secret", async ({ args }) => {
    const outcome = await run(...args);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    expect(leak.findLeaks(outcome)).toEqual([]);
  });

  test("records that go to stderr as well hold no secret", async () => {
    leak.stage.writeFile("user/agentctl/config.yaml", "version: 1\naudit: { sinks: [stderr] }\n");
    const env = { ...leak.env, XDG_CONFIG_HOME: path.join(leak.stage.dir, "user") };
    const outcome = await leak.stage.run(["run", "-p", "demo", "--", "true"], { env });
    expect(outcome.stderr).toContain('"kind":"lease.start"');
    expect(leak.findLeaks(outcome)).toEqual([]);
  });
});
