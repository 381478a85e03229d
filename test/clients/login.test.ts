import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BIN, eventually, NODE, openStage, outcomeOf, type Stage } from "../e2e/agentctl.js";
import { CLIENT, type RunningProvider, startProvider } from "../login/provider.js";
import { walkThrough } from "../login/walk-through.js";
import { skipWithout } from "./tools.js";

const CHROMIUM = { tool: "chromium" };
const KEYRING = [{ tool: "gnome-keyring-daemon" }, { tool: "dbus-run-session" }] as const;
const NO_JOB = { ACTIONS_ID_TOKEN_REQUEST_URL: undefined, ACTIONS_ID_TOKEN_REQUEST_TOKEN: undefined };

let provider: RunningProvider;
let stage: Stage;
beforeAll(async () => {
  provider = await startProvider();
  stage = await openStage();
});
afterAll(async () => {
  await stage?.close();
  provider?.close();
});

const loginArgs = (...more: readonly string[]): string[] => [
  ...["login", "--issuer", provider.issuer, "--client-id", CLIENT, ...more],
];

describe("a real browser", () => {
  let browser: Browser | undefined;
  beforeEach(({ skip }) => skipWithout(skip, CHROMIUM));
  afterAll(async () => browser?.close());

  test("is opened, comes back, and tells its user that it is done", async () => {
    const opened = path.join(stage.dir, "opened");
    // What a desktop has under this name; the browser itself is started by the test, which has to look into it.
    stage.writeFile("bin/xdg-open", `#!/bin/sh\nprintf %s "$1" >${opened}.new && mv ${opened}.new ${opened}\n`, 0o755);
    const env = { ...NO_JOB, DISPLAY: ":0", PATH: `${stage.dir}/bin:${stage.env["PATH"]}` };
    const child = stage.start(loginArgs("--store", "file"), { env });
    const outcome = outcomeOf(child);
    const address = await eventually(() => fs.existsSync(opened) && fs.readFileSync(opened, "utf8"));

    browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: CHROMIUM_ARGS });
    const page = await browser.newPage();
    await page.goto(address);
    await page.fill("input[name=login]", "ada");
    await page.fill("input[name=password]", "any");
    await page.click("button[type=submit]");
    await page.click("button[type=submit]");
    await page.waitForURL(/127\.0\.0\.1:\d+\/callback/);
    expect(await page.textContent("p")).toBe("You are logged in. You can close this page.");
    expect(await outcome).toMatchObject({ code: 0, stderr: expect.stringContaining("logged in as ada") });
    expect(await stage.run(["logout"], { env: NO_JOB })).toMatchObject({
      code: 0,
      stderr: "agentctl: logged out of default: taken back at the provider\n",
    });
  });

  test("by device code", async () => {
    const child = stage.start(loginArgs("--store", "file", "--device"), { env: NO_JOB });
    const outcome = outcomeOf(child);
    const address = await said(child, /or open (\S+device\S+),/);
    browser ??= await chromium.launch({ executablePath: "/usr/bin/chromium", args: CHROMIUM_ARGS });
    const page = await browser.newPage();
    await page.goto(address);
    await page.click("button[type=submit]");
    await page.fill("input[name=login]", "grace");
    await page.fill("input[name=password]", "any");
    await page.click("button[type=submit]");
    await page.click("button[type=submit]");
    await page.waitForSelector("text=Sign-in Success");
    expect(await outcome).toMatchObject({ code: 0, stderr: expect.stringContaining("logged in as grace") });
    expect(await stage.run(["logout"], { env: NO_JOB })).toMatchObject({ code: 0 });
  });
});

/** As root, and with nothing of Chromium's own that asks the network. */
const CHROMIUM_ARGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
  ...["--disable-background-networking", "--disable-component-update"],
];

function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  let text = "";
  return new Promise((resolve, reject) => {
    child.stderr?.on("data", (part: string) => {
      text += part;
      const found = pattern.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.on("close", () => reject(new Error(`it ended first: ${text}`)));
  });
}

describe("a real keychain", () => {
  beforeEach(({ skip }) => skipWithout(skip, ...KEYRING));

  const makeHome = (): string => fs.mkdtempSync(path.join(stage.dir, "session-"));

  /** A shell in a session of its own, with a bus and nothing of this machine's user. */
  function startSession(script: string, home = makeHome()): ChildProcess {
    const env = { ...stage.env, HOME: home, XDG_RUNTIME_DIR: home, AGENTCTL_STATE_DIR: path.join(home, "state") };
    for (const name of Object.keys(NO_JOB)) delete (env as Record<string, string | undefined>)[name];
    const command = `agentctl() { "${NODE}" "${BIN}" "$@"; }\n${script}`;
    return spawn("dbus-run-session", ["--", "bash", "-c", command], { env, stdio: ["ignore", "pipe", "pipe"] });
  }

  const UNLOCK = `printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
until dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets | grep -q true; do sleep 0.05; done`;

  test("keeps the token, renews it and gives it up", async () => {
    const login = loginArgs("--no-browser").join(" ");
    const child = startSession(`${UNLOCK}
agentctl ${login} || exit 1
grep -l refreshToken -r "$AGENTCTL_STATE_DIR"
agentctl whoami --audience ${CLIENT} --json
agentctl whoami --audience ${CLIENT} --json
agentctl logout`);
    const outcome = outcomeOf(child);
    await walkThrough(await said(child, /(http:\/\/127\.0\.0\.1:\d+\/auth\?\S+)\n/), "ada");
    const { code, stdout, stderr } = await outcome;
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("taken back at the provider") });
    expect(stdout).not.toContain("state/logins");
    expect(stdout.match(/"subject": "ada"/g)?.length).toBeGreaterThanOrEqual(2);
    expect(stdout).toContain('"store": "keychain"');
  });

  test.each([
    { name: "that is locked", first: UNLOCK, why: "it is locked, and was not unlocked" },
    { name: "that was never made", first: "true", why: "it has no collection to keep the token in, and none was made" },
  ])("$name, with nobody there to ask, sends nobody to a browser", async ({ first, why }) => {
    const home = makeHome();
    expect(await outcomeOf(startSession(first, home))).toMatchObject({ code: 0 });
    const script = `gnome-keyring-daemon --start --components=secrets >/dev/null 2>&1\nagentctl ${loginArgs().join(" ")}`;
    const { code, stderr } = await outcomeOf(startSession(script, home));
    expect(code).toBe(74);
    expect(stderr).toContain(`error[KEYCHAIN_UNUSABLE]: the keychain cannot be used: ${why}`);
    expect(stderr).not.toContain("/auth?");
  });
});
